/** `npm run fuzz`: runs the targets in a worker and watches it: a case that takes longer than a minute is a hang. */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import fc from 'fast-check';
import { Choices } from './choices.ts';
import { type Cost, measured } from './measure.ts';
import { outcome, shareOf, targets } from './targets.ts';

export interface FuzzOptions {
  readonly cases: number;
  readonly seed: number;
  readonly only: string | undefined;
}

/** Milliseconds after which a case is reported as a hang. */
const HANG = 60_000;

/** The numbers that decide a case. */
export const numbers = fc.array(fc.nat(0xffff), { maxLength: 48, size: 'max' });

interface Report {
  readonly target: string;
  readonly cases: number;
  readonly counts: Record<string, number>;
  /** The most milliseconds and MiB of one case. */
  readonly most: Cost;
  readonly failure: string | undefined;
}

/** Runs `cases` cases of a target. */
async function fuzz(target: string, cases: number, seed: number, started: (index: number) => void): Promise<Report> {
  const counts: Record<string, number> = {};
  let most: Cost = { ms: 0, mib: 0 };
  let index = 0;
  const property = fc.asyncProperty(numbers, async (list) => {
    started(index++);
    const { result, cost } = await measured(() => outcome(targets[target]!, new Choices(list)));
    most = { ms: Math.max(most.ms, cost.ms), mib: Math.max(most.mib, cost.mib) };
    counts[result] = (counts[result] ?? 0) + 1;
  });
  const result = await fc.check(property, { numRuns: cases, seed });
  const failure = result.failed
    ? `${fc.defaultReportMessage(result)}\n${(result.errorInstance as Error).stack}`
    : undefined;
  return { target, cases: result.numRuns, counts, most, failure };
}

async function work({ cases, seed, only }: FuzzOptions, progress: Int32Array): Promise<void> {
  const names = Object.keys(targets).filter((name) => !only || name.includes(only));
  for (const [i, name] of names.entries()) {
    const report = await fuzz(name, shareOf(name, cases, names), seed, (index) => {
      Atomics.store(progress, 0, i);
      Atomics.store(progress, 1, index);
    });
    parentPort!.postMessage(report);
  }
}

/** Returns whether every case passed. */
export async function fuzzAll(options: FuzzOptions): Promise<boolean> {
  const progress = new Int32Array(new SharedArrayBuffer(8));
  // Parsers need little heap for a damaged file; a case that needs more than this fails.
  const worker = new Worker(new URL(import.meta.url), {
    workerData: { options, progress },
    resourceLimits: { maxOldGenerationSizeMb: 512 },
  });
  const reports: Report[] = [];
  let last = '';
  const watch = setInterval(() => {
    const now = `${progress[0]} ${progress[1]}`;
    if (now === last && now !== '0 0') {
      console.error(`fuzz: a hang: target ${progress[0]}, case ${progress[1]} of seed ${options.seed}`);
      process.exit(1);
    }
    last = now;
  }, HANG);
  worker.on('message', (report: Report) => {
    reports.push(report);
    const counts = Object.entries(report.counts).sort(([, a], [, b]) => b - a);
    const listed = counts.map(([name, count]) => `${name} ${count}`).join(', ');
    const { ms, mib } = report.most;
    console.log(
      `${report.target}: ${report.cases} cases, at most ${ms.toFixed(0)} ms and ${mib.toFixed(0)} MiB each: ${listed}`,
    );
    if (report.failure) console.log(report.failure);
  });
  const crashed = await new Promise<Error | undefined>((resolve) => {
    worker.once('error', resolve);
    worker.once('exit', () => resolve(undefined));
  });
  clearInterval(watch);
  if (crashed) console.error(`fuzz: the worker crashed: ${crashed.stack}`);
  const total = reports.reduce((sum, { cases }) => sum + cases, 0);
  const worst = (cost: keyof Cost) => reports.reduce((a, b) => (b.most[cost] > a.most[cost] ? b : a), reports[0]!);
  const failed = reports.filter(({ failure }) => failure).length + Number(crashed !== undefined);
  if (reports.length) {
    const [slow, large] = [worst('ms'), worst('mib')];
    console.log(
      `${total} cases, seed ${options.seed}: ${failed} failed; slowest ${slow.most.ms.toFixed(0)} ms (${slow.target}), ` +
        `largest ${large.most.mib.toFixed(0)} MiB beyond its start (${large.target})`,
    );
  }
  return failed === 0;
}

if (!isMainThread && workerData?.progress) {
  await work(workerData.options, workerData.progress);
  process.exit(0); // the CPU backend may hold workers
}
