/** An experiment: its plan of runs, how they are measured, and what its report shows. */
import type { DataSet } from '../../src/data/dataset.ts';
import type { Lab } from './lab.ts';
import type { Report } from './sections.ts';
import type { Measured, Result, RunSpec } from './spec.ts';

export interface PlanOptions {
  /** Few rows, few epochs: shows that it works, in a minute or two. */
  readonly quick: boolean;
  /** Seeds of each series. */
  readonly runs: number;
  /** Data sets to take instead of the experiment's own. */
  readonly data?: readonly string[];
}

export interface Experiment {
  readonly name: string;
  readonly title: string;
  readonly question: string;
  /** Seeds of each series, where the user does not say; default 5, quick 2. */
  readonly defaultRuns?: (quick: boolean) => number;
  /** Experiments whose lines serve where their keys are in this plan. */
  readonly reuses?: readonly string[];
  plan(options: PlanOptions): RunSpec[];
  /** Whether a run can be measured on such training rows; default: wherever its network can be built. */
  suits?(spec: RunSpec, train: DataSet): boolean;
  /** Default: train and measure (`lab.train`). */
  measure?(lab: Lab, spec: RunSpec): Promise<Measured>;
  charts(results: readonly Result[]): Report;
}

/**
 * In the order of the plan, whatever ended first: runs of the full plan before quick ones, seed after seed. Runs in no plan
 * come last. One seed of each plan tells the order of all, however large the seeds are.
 */
export function inPlanOrder(experiment: Experiment, results: readonly Result[]): Result[] {
  const data = [...new Set(results.map((result) => result.data))].sort();
  const places = new Map<string, readonly [plan: number, series: number]>();
  const plans = [false, true].flatMap((quick) => [
    { quick, runs: 1 },
    { quick, runs: 1, data },
  ]);
  for (const [plan, options] of plans.entries()) {
    for (const [i, { series }] of experiment.plan(options).entries()) {
      if (!places.has(series)) places.set(series, [plan, i]);
    }
  }
  const place = ({ spec, seed }: Result) => {
    const [plan, series] = places.get(spec.series) ?? [plans.length, 0];
    return [plan, plan === plans.length ? 0 : seed, series] as const;
  };
  return results
    .map((result) => ({ result, at: place(result) }))
    .sort(({ at: a }, { at: b }) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2])
    .map(({ result }) => result);
}
