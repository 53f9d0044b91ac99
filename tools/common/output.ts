/** What the command line prints: tables for people, JSON for programs, progress on the terminal's error stream. */
import { Presets, SingleBar } from 'cli-progress';
import Table from 'cli-table3';

export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const grid = new Table({ head: [...head], style: { head: [], border: [] } });
  for (const row of rows) grid.push([...row]);
  return grid.toString();
}

/** Prints `value` as JSON with `--json`, else the text. */
export function print(json: boolean | undefined, value: unknown, text: () => string): void {
  console.log(json ? JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? String(v) : v)) : text());
}

export interface Progress {
  update(label: string, done: number, total: number): void;
  stop(): void;
}

/** A bar on a terminal; nothing where the error stream is none, or with `--json`. */
export function progress(quiet = false): Progress {
  if (quiet || !process.stderr.isTTY) return { update() {}, stop() {} };
  const bar = new SingleBar(
    {
      format: '{bar} {percentage}% {label} | {duration_formatted}, {eta_formatted} left',
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
    },
    Presets.shades_classic,
  );
  let current = '';
  return {
    update(label, done, total) {
      if (label !== current) {
        if (current) bar.stop();
        bar.start(total, 0, { label });
        current = label;
      }
      bar.update(done, { label });
    },
    stop() {
      if (current) bar.stop();
      current = '';
    },
  };
}

export { bytes, count, percent, seconds } from '../../src/core/format.ts';

export const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Standard deviation of a sample (n - 1); 0 for one value. */
export function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}
