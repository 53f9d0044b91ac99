/** `weightless experiment`: many runs, resumable, over processes and machines; their table and report. */

import { join } from 'node:path';
import { Presets, SingleBar } from 'cli-progress';
import { VERSION } from '../../src/core/version.ts';
import { bytes, commandLine, count, percent, print, say, seconds, table } from '../common/output.ts';
import { loadParts } from '../experiments/data.ts';
import { ExperimentError } from '../experiments/errors.ts';
import type { Experiment } from '../experiments/experiment.ts';
import { inPlanOrder } from '../experiments/experiment.ts';
import type { BackendChoice } from '../experiments/lab.ts';
import { mergeResults, ResultsFile, readResults, shardFiles } from '../experiments/lines.ts';
import { prepareReport } from '../experiments/page.ts';
import { type Failure, makeRuns } from '../experiments/runner.ts';
import type { Result, RunSpec } from '../experiments/spec.ts';
import { suitableRuns } from '../experiments/suitable.ts';
import { type Summary, summarise } from '../experiments/summary.ts';
import { experimentNamed } from '../experiments/table.ts';
import { accuracyCell } from '../experiments/tables.ts';
import { timeLeft } from '../experiments/time-left.ts';

export interface ExperimentOptions {
  runs?: number;
  quick?: boolean;
  json?: boolean;
  report?: string;
  /** Which of how many, from 1. */
  shard?: readonly [index: number, of: number];
  jobs?: number;
  out?: string;
  only?: string;
  data?: string[];
  dataDir?: string;
  /** Files, or true for those of the shards. */
  merge?: string[] | true;
  /** False: only what the results file holds. */
  run?: boolean;
  backend: BackendChoice;
}

/** Where results lie if the user does not say. */
const FOLDER = 'experiments/results';

/** The exit code of a program that Ctrl-C stopped. */
const INTERRUPTED = 130;

/** The runs that are asked for, in order. Throws `ExperimentError`. */
export function plannedRuns(experiment: Experiment, options: ExperimentOptions): RunSpec[] {
  const { quick = false, only, shard } = options;
  const runs = options.runs ?? experiment.defaultRuns?.(quick) ?? (quick ? 2 : 5);
  const data = options.dataDir ? [options.dataDir] : options.data;
  const plan = experiment.plan({ quick, runs, ...(data && { data }) });
  const chosen = only === undefined ? plan : plan.filter(({ key }) => key.includes(only));
  if (!chosen.length) {
    throw new ExperimentError(
      `${experiment.name}: expected --only to be in the key of a run, such as '${plan[0]?.key}'; got '${only}'`,
    );
  }
  return shard ? chosen.filter((_, i) => i % shard[1] === shard[0] - 1) : chosen;
}

/** Where the results of a command go. */
function resultsPath(name: string, { out, quick, shard }: ExperimentOptions): { whole: string; path: string } {
  const whole = out ?? join(FOLDER, `${name}${quick ? '-quick' : ''}.jsonl`);
  const path = shard ? `${whole.replace(/\.jsonl$/, '')}.${shard[0]}-of-${shard[1]}.jsonl` : whole;
  return { whole, path };
}

export async function experimentCommand(name: string, options: ExperimentOptions): Promise<void> {
  const experiment = experimentNamed(name);
  const { whole, path } = resultsPath(name, options);
  if (options.report !== undefined) await prepareReport(options.report);
  let failures: readonly Failure[] = [];
  let results: readonly Result[];
  if (options.merge) {
    const from = options.merge === true ? await shardFiles(whole) : options.merge;
    if (!from.length) throw new ExperimentError(`${whole}: expected files of shards beside it, found none`);
    results = await mergeResults(whole, from);
  } else if (options.run === false) {
    results = await readResults(path);
  } else {
    const made = await make(experiment, path, options);
    if (!made) return;
    ({ results, failures } = made);
  }
  results = inPlanOrder(experiment, results);
  if (options.report !== undefined) {
    if (!results.length) throw new ExperimentError(`${path}: expected runs to report on, found none`);
    const { writeReport } = await import('../experiments/report.ts');
    await writeReport(options.report, experiment, results, commandLine());
  }
  if (failures.length) process.exitCode = 1;
  const summary = summarise(results);
  const answer = {
    experiment: name,
    file: path,
    runs: results.length,
    summary,
    failed: failures.map(({ spec, error }) => ({ key: spec.key, error })),
    report: options.report,
  };
  print(options.json, answer, () =>
    [
      summaryTable(summary),
      `${results.length} runs in ${path}`,
      ...(options.report !== undefined ? [`report: ${options.report}`] : []),
      ...failures.map(({ spec, error }) => `failed: ${spec.key}: ${error}`),
      ...(failures.length ? ['The same command makes those again.'] : []),
    ].join('\n'),
  );
}

/** Makes what is missing. Nothing where it was stopped by a signal. */
async function make(
  experiment: Experiment,
  path: string,
  options: ExperimentOptions,
): Promise<{ results: readonly Result[]; failures: readonly Failure[] } | undefined> {
  let planned = plannedRuns(experiment, options);
  for (const data of new Set(planned.map(({ data }) => data))) {
    const { train } = await loadParts(data); // refuses a wrong file before anything runs
    if (data !== options.dataDir) continue;
    const all = planned.length;
    planned = suitableRuns(experiment, planned, train, data);
    if (planned.length < all) {
      say(`${data}: ${all - planned.length} of ${all} runs are left out: their networks need images, or other images`);
    }
  }
  const file = await ResultsFile.open(path);
  const controller = new AbortController();
  const stop = () => controller.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    await reuse(experiment, file, planned);
    const done = new Set(file.results.map(({ key }) => key));
    const missing = planned.filter(({ key }) => !done.has(key));
    const failures: Failure[] = [];
    const says = teller(options.json, planned.length, missing, options.jobs);
    try {
      await makeRuns(missing, {
        experiment: experiment.name,
        backend: options.backend,
        ...(options.jobs && { jobs: options.jobs }),
        signal: controller.signal,
        onResult(spec, measured) {
          const { key, data, seed } = spec;
          const date = new Date().toISOString();
          file.append({ key, experiment: experiment.name, data, seed, ...measured, spec, version: VERSION, date });
          says.result(
            spec,
            `${percent(measured.testAccuracy)} in ${seconds(measured.trainSeconds)}`,
            measured.trainSeconds,
          );
        },
        onFailure(failure) {
          failures.push(failure);
          says.result(failure.spec, `failed: ${failure.error}`);
        },
        onProgress: says.underWay,
      });
    } finally {
      says.stop();
    }
    return { results: [...file.results], failures };
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    const done = new Set(file.results.map(({ key }) => key));
    const left = planned.filter(({ key }) => !done.has(key)).length;
    say(`stopped: ${left} of ${planned.length} runs are left; the same command goes on from ${path}`);
    process.exitCode = INTERRUPTED;
    return undefined;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    file.close();
  }
}

/** Takes the lines of other experiments' files whose runs are in this plan. */
async function reuse(experiment: Experiment, file: ResultsFile, planned: readonly RunSpec[]): Promise<void> {
  const wanted = new Set(planned.map(({ key }) => key));
  for (const { key } of file.results) wanted.delete(key);
  for (const name of experiment.reuses ?? []) {
    for (const result of await readResults(join(FOLDER, `${name}.jsonl`))) {
      if (wanted.delete(result.key)) file.append(result);
    }
  }
}

/** Progress with time left: a bar on a terminal, elsewhere a line a run. */
function teller(json: boolean | undefined, total: number, missing: readonly RunSpec[], jobs: number | undefined) {
  const estimate = timeLeft(missing, jobs);
  const before = total - missing.length;
  let made = before;
  const bar =
    !json && process.stderr.isTTY
      ? new SingleBar(
          {
            format: '{bar} {value}/{total} runs | {left} | {label}',
            stream: process.stderr,
            hideCursor: true,
            clearOnComplete: true,
          },
          Presets.shades_classic,
        )
      : undefined;
  bar?.start(total, made, { left: '', label: '' });
  return {
    result(spec: RunSpec, what: string, seconds?: number) {
      made++;
      estimate.ended(spec, seconds);
      const left = estimate.text();
      if (bar) bar.update(made, { left });
      else if (!json) say(`[${made}/${total}] ${spec.key}: ${what}${left && `; ${left}`}`);
    },
    underWay(runs: ReadonlyMap<RunSpec, number>) {
      estimate.underWay(runs);
      const label = [...runs].map(([{ network, seed }, share]) => `${network} (${seed}) ${Math.floor(100 * share)}%`);
      bar?.update(made, { left: estimate.text(), label: label.join(', ').slice(0, 90) });
    },
    stop: () => bar?.stop(),
  };
}

export function summaryTable(summary: readonly Summary[]): string {
  return table(
    ['data', 'network', 'runs', 'test accuracy', 'trained', 'model', 'predict', 'training', 'peak memory'],
    summary.map((row) => [
      row.data,
      row.network,
      row.runs,
      accuracyCell(row.testAccuracy),
      count(row.trainedParameters),
      bytes(row.modelBytes),
      `${row.predictMs.mean.toFixed(2)} ms`,
      seconds(row.trainSeconds.mean),
      bytes(row.peakRssBytes),
    ]),
  );
}
