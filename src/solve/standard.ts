/** Standardised features: mean 0 and variance 1 by column, except for columns that hardly vary. */

export interface Standard {
  readonly mean: Float64Array;
  /** What a centred column is multiplied with. */
  readonly factor: Float64Array;
}

/**
 * Added to each standard deviation: this share of the root mean square of all. A feature that hardly varies would
 * otherwise be noise as large as the others.
 */
const FLOOR = 0.01;

/** From the sums of the columns and of their squares over `rows` rows. A constant column gets the factor 0. */
export function standardFrom(rows: number, mean: Float64Array, variance: Float64Array): Standard {
  const typical = Math.sqrt(variance.reduce((sum, value) => sum + value, 0) / variance.length);
  const factor = variance.map((value, c) => {
    const constant = value <= 1e-12 * (mean[c]! ** 2 + typical ** 2) || rows < 2;
    return constant ? 0 : 1 / (Math.sqrt(value) + FLOOR * typical);
  });
  return { mean, factor };
}

/** Of features (rows, columns). */
export function standardiser(features: Float32Array, columns: number): Standard {
  const rows = features.length / columns;
  const mean = new Float64Array(columns);
  const variance = new Float64Array(columns);
  for (let i = 0; i < features.length; i += columns) {
    for (let c = 0; c < columns; c++) mean[c]! += features[i + c]! / rows;
  }
  for (let i = 0; i < features.length; i += columns) {
    for (let c = 0; c < columns; c++) variance[c]! += (features[i + c]! - mean[c]!) ** 2 / rows;
  }
  return standardFrom(rows, mean, variance);
}
