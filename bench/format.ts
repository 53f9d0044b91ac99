/** Human-readable numbers. */

/** Three significant digits; an empty string for undefined. */
export const figure = (value: number | undefined): string =>
  value === undefined ? '' : value >= 100 ? value.toFixed(0) : value.toPrecision(3);

export const percent = (value: number | undefined): string =>
  value === undefined ? '' : `${(100 * value).toFixed(0)}%`;

/** A size in bytes with a decimal unit: 98.3 kB, 3.2 MB. */
export const bytes = (value: number): string =>
  value < 1000 ? `${value} B` : value < 1e6 ? `${(value / 1e3).toFixed(1)} kB` : `${(value / 1e6).toFixed(1)} MB`;
