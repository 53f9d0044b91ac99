/** Memory of a process over time, and its growth by a fitted line, because a software adapter's memory fluctuates. */

export interface Sample {
  readonly seconds: number;
  /** Resident memory and script heap in MiB. */
  readonly rss: number;
  readonly heap: number;
}

/** Allowed rise of the fitted line in MiB, from the end of the warm-up to the end of the run. */
export interface Bounds {
  readonly rss: number;
  readonly heap: number;
}

/** Rise of a line fitted to the samples: per hour, and from the first to the last sample. */
export interface Trend {
  readonly perHour: number;
  readonly growth: number;
}

export function trendOf(samples: readonly Sample[], key: 'rss' | 'heap'): Trend {
  const mean = (of: (one: Sample) => number) => samples.reduce((sum, one) => sum + of(one), 0) / samples.length;
  const [middle, level] = [mean(({ seconds }) => seconds), mean((one) => one[key])];
  const spread = mean(({ seconds }) => (seconds - middle) ** 2);
  const perSecond = spread === 0 ? 0 : mean((one) => (one.seconds - middle) * (one[key] - level)) / spread;
  const span = samples.length ? samples.at(-1)!.seconds - samples[0]!.seconds : 0;
  return { perHour: 3600 * perSecond, growth: span * perSecond };
}

export class MemoryGrowsError extends Error {
  override readonly name = 'MemoryGrowsError';
}

/** The trends after the warm-up, which is the first fifth. Throws if one exceeds its bound. */
export function checkFlat(samples: readonly Sample[], bounds: Bounds): { readonly rss: Trend; readonly heap: Trend } {
  const end = samples.at(-1)?.seconds ?? 0;
  const warm = samples.filter(({ seconds }) => seconds >= end / 5);
  const trends = { rss: trendOf(warm, 'rss'), heap: trendOf(warm, 'heap') };
  for (const key of ['rss', 'heap'] as const) {
    const { growth, perHour } = trends[key];
    if (growth <= bounds[key]) continue;
    throw new MemoryGrowsError(
      `expected ${key} to grow by at most ${bounds[key]} MiB in ${warm.length} samples, got ${growth.toFixed(1)} MiB, ` +
        `${perHour.toFixed(1)} MiB an hour`,
    );
  }
  return trends;
}
