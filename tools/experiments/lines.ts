/**
 * Results files: one line for each run. A process that stops while it writes leaves at most an unfinished last line,
 * whose run is made again.
 */
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DataError, WriteError } from '../../src/core/errors.ts';
import { checkWritable, makeFolderOf, rescue, rescueText, writeError, writeResult } from '../../src/core/files.ts';
import { releaseLock, takeLock } from '../common/lock.ts';
import { ExperimentError } from './errors.ts';
import { resultOf } from './result-line.ts';
import type { Result } from './spec.ts';

/** The results in a file's text, without an unfinished last line. Throws `ExperimentError`. */
function parseLines(file: string, text: string): Result[] {
  const lines = text.split('\n').slice(0, -1);
  return lines.flatMap((line, i) => (line.trim() ? [resultOf(line, file, i + 1)] : []));
}

/** The first result of each key. */
export function withoutRepeats(results: readonly Result[]): Result[] {
  const first = new Map<string, Result>();
  for (const result of results) if (!first.has(result.key)) first.set(result.key, result);
  return [...first.values()];
}

/** The results of a file; none if it does not exist. Throws `ExperimentError`. */
export async function readResults(file: string): Promise<Result[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new DataError(`${file}: expected a results file, could not read it: ${error.code ?? error.message}`);
  });
  return withoutRepeats(parseLines(file, text));
}

/** A results file, locked so that only this process writes it. */
export class ResultsFile {
  readonly path: string;
  readonly results: Result[];
  readonly #file: number;
  readonly #lock: string;

  private constructor(path: string, results: Result[], file: number, lock: string) {
    this.path = path;
    this.results = results;
    this.#file = file;
    this.#lock = lock;
  }

  /**
   * Opens or creates a file and cuts off an unfinished last line. Throws `ExperimentError` if another process uses it or
   * it is damaged.
   */
  static async open(path: string): Promise<ResultsFile> {
    await makeFolderOf(path);
    await checkWritable(path);
    const lock = await lockResults(path);
    try {
      const file = openSync(path, 'a+');
      const bytes = readFileSync(path);
      const end = bytes.lastIndexOf(10) + 1;
      if (end < bytes.length) ftruncateSync(file, end);
      const results = parseLines(path, bytes.subarray(0, end).toString('utf8'));
      return new ResultsFile(path, withoutRepeats(results), file, lock);
    } catch (error) {
      releaseLock(lock);
      throw error;
    }
  }

  /** Appends a line and flushes it to disk. If that fails, the `WriteError` names a file that holds the line instead. */
  append(result: Result): void {
    const line = `${JSON.stringify(result)}\n`;
    const { size } = fstatSync(this.#file);
    try {
      writeFileSync(this.#file, line);
      fsyncSync(this.#file);
    } catch (error) {
      ftruncateSync(this.#file, size);
      throw new WriteError(`${writeError(this.path, error).message} ${rescueText(rescue(this.path, line))}`);
    }
    this.results.push(result);
  }

  close(): void {
    closeSync(this.#file);
    releaseLock(this.#lock);
  }
}

/** Prevents two processes from making the same runs. Throws `ExperimentError`. */
async function lockResults(path: string): Promise<string> {
  const lock = `${path}.lock`;
  const holder = await takeLock(lock);
  if (!holder) return lock;
  throw new ExperimentError(
    `${path}: process ${holder.pid} on ${holder.host} is writing it. Make part of the runs with --shard, or name another ` +
      `file with --out. If that process no longer exists, remove ${lock}.`,
  );
}

/** The existing shard files of a results file. */
export async function shardFiles(path: string): Promise<string[]> {
  const stem = basename(path, '.jsonl');
  const names = await readdir(dirname(path)).catch(() => []);
  const shard = (name: string) =>
    name.startsWith(`${stem}.`) && /^\d+-of-\d+\.jsonl$/.test(name.slice(stem.length + 1));
  return names
    .filter(shard)
    .sort()
    .map((name) => join(dirname(path), name));
}

/** Merges the results of files into one, each once, in the order in which the runs ended. Returns them. */
export async function mergeResults(path: string, from: readonly string[]): Promise<Result[]> {
  const found: Result[] = await readResults(path);
  for (const file of from) {
    const results = await readResults(file);
    if (!results.length) throw new ExperimentError(`${file}: expected a results file with runs in it, got none`);
    found.push(...results);
  }
  const merged = withoutRepeats(found).sort((a, b) => a.date.localeCompare(b.date));
  await makeFolderOf(path);
  await writeResult(path, merged.map((result) => `${JSON.stringify(result)}\n`).join(''));
  return merged;
}
