/** Runs that differ in the seed alone, as one row: mean and standard deviation. */
import { deviation, mean } from '../common/output.ts';
import type { Result } from './spec.ts';

export interface Figure {
  readonly mean: number;
  /** Of the sample (n - 1); 0 for one run. */
  readonly deviation: number;
  readonly runs: number;
}

export interface Summary {
  readonly series: string;
  readonly data: string;
  readonly network: string;
  readonly runs: number;
  readonly testAccuracy: Figure;
  readonly testAccuracyF16?: Figure;
  readonly trainedParameters: number;
  readonly modelBytes: number;
  readonly modelBytesF16?: number;
  readonly predictMs: Figure;
  readonly trainSeconds: Figure;
  readonly trainCpuSeconds: Figure;
  readonly peakRssBytes: number;
}

export const figure = (values: readonly number[]): Figure => ({
  mean: mean(values),
  deviation: deviation(values),
  runs: values.length,
});

/** By series, in the order in which they come first. */
export function bySeries(results: readonly Result[]): Map<string, Result[]> {
  const groups = new Map<string, Result[]>();
  for (const result of results) {
    const group = groups.get(result.spec.series) ?? [];
    groups.set(result.spec.series, group);
    group.push(result);
  }
  return groups;
}

export function summarise(results: readonly Result[]): Summary[] {
  return [...bySeries(results)].map(([series, runs]) => {
    const [first] = runs as [Result];
    const half = runs.flatMap(({ testAccuracyF16 }) => testAccuracyF16 ?? []);
    return {
      series,
      data: first.data,
      network: first.network,
      runs: runs.length,
      testAccuracy: figure(runs.map((run) => run.testAccuracy)),
      ...(half.length === runs.length && { testAccuracyF16: figure(half), modelBytesF16: first.modelBytesF16! }),
      trainedParameters: first.trainedParameters,
      modelBytes: first.modelBytes,
      predictMs: figure(runs.map((run) => run.predictMs)),
      trainSeconds: figure(runs.map((run) => run.trainSeconds)),
      trainCpuSeconds: figure(runs.map((run) => run.trainCpuSeconds)),
      peakRssBytes: Math.max(...runs.map((run) => run.peakRssBytes)),
    };
  });
}
