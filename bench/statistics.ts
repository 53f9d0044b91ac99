/** Summary statistics of samples. */
export interface Summary {
  readonly min: number;
  readonly median: number;
  /** Nine of ten samples are at most this. */
  readonly p90: number;
  /** Interquartile range, as a share of the median. */
  readonly spread: number;
}

/** The value below which a share `q` of the sorted samples lies, interpolated. */
export function quantile(sorted: readonly number[], q: number): number {
  const at = q * (sorted.length - 1);
  const low = sorted[Math.floor(at)]!;
  return low + (sorted[Math.ceil(at)]! - low) * (at % 1);
}

/** Throws `RangeError` without samples. */
export function summarise(samples: readonly number[]): Summary {
  if (samples.length === 0) throw new RangeError('summarise: expected at least one sample, got none');
  const sorted = [...samples].sort((a, b) => a - b);
  const median = quantile(sorted, 0.5);
  return {
    min: sorted[0]!,
    median,
    p90: quantile(sorted, 0.9),
    spread: (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / median,
  };
}
