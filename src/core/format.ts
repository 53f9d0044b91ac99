/** Human-readable numbers for the command line and the demo page. */

export const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;
export const seconds = (value: number): string => `${value.toFixed(1)} s`;
export const count = (value: number): string => value.toLocaleString('en-US');

/** A number without the digits that say nothing: 0.1235, 12350. */
export const significant = (value: number, digits = 4): string => String(Number(value.toPrecision(digits)));

/** A size in bytes with a decimal unit: 98.3 kB, 3.2 MB. */
export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  return value < 1e6 ? `${(value / 1e3).toFixed(1)} kB` : `${(value / 1e6).toFixed(1)} MB`;
}
