/** The output of commands: tables for people or JSON for programs on stdout, messages and progress on stderr. */
import { Presets, SingleBar } from 'cli-progress';
import Table from 'cli-table3';
import { escapeControls, legible } from '../../src/core/quote.ts';

/** The most characters of a table's cell. */
const MOST_CELL = 300;

/** One line a row. Text from files is safe in it: control characters are escaped, and long cells are cut. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const grid = new Table({ head: [...head], style: { head: [], border: [] } });
  const cell = (value: string | number) => escapeControls(legible(String(value), MOST_CELL));
  for (const row of rows) grid.push(row.map(cell));
  return grid.toString();
}

/** Prints `value` as JSON with `--json`, else the text. Control characters are escaped in both. */
export function print(json: boolean | undefined, value: unknown, text: () => string): void {
  const plain = () => JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? String(v) : v));
  writeOut(`${json ? escapeControls(plain()) : escapeControls(text(), '\n\t')}\n`);
}

/** A line on stderr, control characters escaped. */
export const say = (line: string): void => writeErr(`${escapeControls(line, '\n\t')}\n`);

let failure: NodeJS.ErrnoException | undefined;
const failed = (error: NodeJS.ErrnoException): void => {
  failure ??= error;
};

/** Writes to stdout. A write that fails is remembered for `outputFailure`. */
export function writeOut(text: string): void {
  if (!process.stdout.listeners('error').includes(failed)) process.stdout.on('error', failed);
  try {
    process.stdout.write(text);
  } catch (error) {
    failed(error as NodeJS.ErrnoException); // a file is written at once, and throws at once
  }
}

const ignored = (): void => {};

/** Writes to stderr. A failure is ignored: there is no place left to report it. */
export function writeErr(text: string): void {
  if (!process.stderr.listeners('error').includes(ignored)) process.stderr.on('error', ignored);
  try {
    process.stderr.write(text);
  } catch {
    // as above
  }
}

/** Waits until both streams are written. Returns the error of stdout, if it had one. */
export async function outputFailure(): Promise<NodeJS.ErrnoException | undefined> {
  const flushed = (stream: NodeJS.WriteStream) =>
    new Promise<void>((done) => {
      if (stream.destroyed) done();
      else stream.write('', () => done());
    });
  writeOut('');
  writeErr('');
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  return failure;
}

export interface Progress {
  update(label: string, done: number, total: number): void;
  stop(): void;
}

/** A progress bar, if stderr is a terminal and `quiet` is not set. */
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
      const shown = escapeControls(label);
      if (label !== current) {
        if (current) bar.stop();
        bar.start(total, 0, { label: shown });
        current = label;
      }
      bar.update(done, { label: shown });
    },
    stop() {
      if (current) bar.stop();
      current = '';
    },
  };
}

export { bytes, count, percent, seconds, significant } from '../../src/core/format.ts';

export const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Standard deviation of a sample (n - 1); 0 for one value. */
export function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

/** Words as a shell reads them. */
export const shellWords = (words: readonly string[]): string =>
  words.map((word) => (/^[\w./=,:@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');

/** The command as a user types it. */
export const commandLine = (): string => shellWords(['weightless', ...process.argv.slice(2)]);

const BARS = '▁▂▃▄▅▆▇█';

/** Numbers as a curve in one line of text: the last `width` of them, from the lowest bar to the highest. */
export function sparkline(values: readonly number[], width = 24): string {
  const shown = values.slice(-width).filter(Number.isFinite);
  const [low, high] = [Math.min(...shown), Math.max(...shown)];
  const bar = (value: number) => BARS[high > low ? Math.round(((value - low) / (high - low)) * (BARS.length - 1)) : 0]!;
  return shown.map(bar).join('');
}
