/** Results files: one run a line, written whole. A stopped run leaves at most an unfinished last line, which is redone. */
import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { DataError } from '../../src/core/errors.ts';
import { writeWhole } from '../../src/core/files.ts';
import { ExperimentError } from './errors.ts';
import type { Result } from './spec.ts';

/** Whole lines of a file's text, and how many characters they take. */
function parseLines(file: string, text: string): { results: Result[]; whole: number } {
  const whole = text.lastIndexOf('\n') + 1;
  const results = text
    .slice(0, whole)
    .split('\n')
    .slice(0, -1)
    .flatMap((line, i) => {
      if (!line.trim()) return [];
      try {
        const found = JSON.parse(line) as Partial<Result> | null;
        if (typeof found?.key === 'string' && typeof found.testAccuracy === 'number') return [found as Result];
      } catch {
        // named below
      }
      throw new ExperimentError(
        `${file}: expected a run as JSON in line ${i + 1}, got '${line.slice(0, 60)}'. Remove that line: its run is made again.`,
      );
    });
  return { results, whole };
}

/** One line for each key: the first. */
export function withoutRepeats(results: readonly Result[]): Result[] {
  const kept = new Map<string, Result>();
  for (const result of results) if (!kept.has(result.key)) kept.set(result.key, result);
  return [...kept.values()];
}

/** The runs of a file; none where it is not there. Throws `ExperimentError`. */
export async function readResults(file: string): Promise<Result[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new DataError(`${file}: expected a results file, could not read it: ${error.code ?? error.message}`);
  });
  return withoutRepeats(parseLines(file, text).results);
}

/** A results file that this process alone writes. */
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

  /** Opens or begins a file; an unfinished last line is cut off. Throws `ExperimentError` where it is in use or damaged. */
  static async open(path: string): Promise<ResultsFile> {
    await mkdir(dirname(path), { recursive: true });
    const lock = takeLock(path);
    try {
      const file = openSync(path, 'a+');
      const bytes = readFileSync(path);
      const end = bytes.lastIndexOf(10) + 1;
      if (end < bytes.length) ftruncateSync(file, end);
      const { results } = parseLines(path, bytes.subarray(0, end).toString('utf8'));
      return new ResultsFile(path, withoutRepeats(results), file, lock);
    } catch (error) {
      unlinkSync(lock);
      throw error;
    }
  }

  /** On the disk when it returns. */
  append(result: Result): void {
    writeFileSync(this.#file, `${JSON.stringify(result)}\n`);
    fsyncSync(this.#file);
    this.results.push(result);
  }

  close(): void {
    closeSync(this.#file);
    unlinkSync(this.#lock);
  }
}

/** Two writers would make the same runs. What a process that is gone left does not count. */
function takeLock(path: string): string {
  const lock = `${path}.lock`;
  const mine = JSON.stringify({ pid: process.pid, host: hostname() });
  for (let tries = 0; ; tries++) {
    try {
      writeFileSync(lock, mine, { flag: 'wx' });
      return lock;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries > 1) throw error;
    }
    const { pid, host } = lockHolder(lock);
    if (pid && (host !== hostname() || isAlive(pid))) {
      throw new ExperimentError(
        `${path}: process ${pid} on ${host} is writing it. Take a part with --shard or a file of your own with --out; ` +
          `if that process is gone, remove ${lock}.`,
      );
    }
    unlinkSync(lock);
  }
}

function lockHolder(lock: string): { pid?: number; host?: string } {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')) as { pid: number; host: string };
  } catch {
    return {};
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The files of the shards of a results file that are there. */
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

/** Gathers the runs of files in one, each once, in the order in which they ended. Returns them. */
export async function mergeResults(path: string, from: readonly string[]): Promise<Result[]> {
  const found: Result[] = await readResults(path);
  for (const file of from) {
    const results = await readResults(file);
    if (!results.length) throw new ExperimentError(`${file}: expected a results file with runs in it, got none`);
    found.push(...results);
  }
  const merged = withoutRepeats(found).sort((a, b) => a.date.localeCompare(b.date));
  await mkdir(dirname(path), { recursive: true });
  await writeWhole(path, merged.map((result) => `${JSON.stringify(result)}\n`).join(''));
  return merged;
}
