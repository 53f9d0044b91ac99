/** Accuracy against the bytes of the model file, and what no other network beats in both. */
import { bytes, count } from '../common/output.ts';
import { byData, frontChart } from './charts.ts';
import type { Experiment, PlanOptions } from './experiment.ts';
import { compare } from './paper.ts';
import type { Report } from './sections.ts';
import type { Result, RunSpec } from './spec.ts';
import { type Figure, type Summary, summarise } from './summary.ts';
import { accuracyCell, summaryTable } from './tables.ts';

/** Those of `paper` with these weights are taken from its file. */
const networks = (quick: boolean): string[] => [
  ...(quick ? [8, 32] : [8, 16, 32, 64, 128, 512]).map((units) => `dense ${units} relu, dense classes`),
  ...(quick ? [128, 512] : [32, 128, 512, 1024, 2048]).map((units) => `half ${units} normal, dense classes`),
  ...(quick ? [128] : [128, 512, 2048]).flatMap((units) => [
    `half ${units} binary, dense classes`,
    `random ${units} normal, dense classes`,
  ]),
  ...(quick ? [] : [128, 512, 2048]).flatMap((units) =>
    ['mexican-hat', 'patch'].map((weights) => `half ${units} ${weights}, dense classes`),
  ),
  ...(quick
    ? [[256, 4]]
    : [
        [256, 4],
        [512, 8],
        [1024, 16],
      ]
  ).map(([units, rank]) => `half ${units} normal rank ${rank}, dense classes`),
];

const plan = (options: PlanOptions): RunSpec[] => compare(options, networks(options.quick));

interface Point {
  readonly data: string;
  readonly network: string;
  readonly file: 'F32' | 'F16';
  readonly bytes: number;
  readonly accuracy: Figure;
  readonly runs: number;
}

/** Each network as both of its files. */
const points = (summary: readonly Summary[]): Point[] =>
  summary.flatMap(({ data, network, runs, modelBytes, testAccuracy, modelBytesF16, testAccuracyF16 }) => [
    { data, network, runs, file: 'F32' as const, bytes: modelBytes, accuracy: testAccuracy },
    ...(modelBytesF16 && testAccuracyF16
      ? [{ data, network, runs, file: 'F16' as const, bytes: modelBytesF16, accuracy: testAccuracyF16 }]
      : []),
  ]);

/** From small to large, each more accurate in the mean than all smaller ones. */
export function paretoFront<T extends { readonly bytes: number; readonly accuracy: Figure }>(all: readonly T[]): T[] {
  let best = Number.NEGATIVE_INFINITY;
  return [...all]
    .sort((a, b) => a.bytes - b.bytes || b.accuracy.mean - a.accuracy.mean)
    .filter(({ accuracy }) => {
      const better = accuracy.mean > best;
      best = Math.max(best, accuracy.mean);
      return better;
    });
}

function charts(results: readonly Result[]): Report {
  const summary = summarise(results);
  const all = points(summary);
  const fronts = byData(all).map(([data, own]) => [data, own, paretoFront(own)] as const);
  return {
    findings: fronts.map(([data, , front]) => {
      const [first, last] = [front[0]!, front.at(-1)!];
      return (
        `${data}: nothing smaller is as accurate as ${front.length} files, from ${first.network} (${first.file}, ${bytes(first.bytes)}, ` +
        `${accuracyCell(first.accuracy)}) to ${last.network} (${last.file}, ${bytes(last.bytes)}, ${accuracyCell(last.accuracy)}).`
      );
    }),
    sections: [
      {
        title: 'Accuracy against the bytes of the model file',
        text: 'The grey line joins the files that no smaller file matches (Pareto front); error bars are one standard deviation.',
        charts: fronts.map(([data, own, front]) => frontChart(data, own, front)),
      },
      ...fronts.map(([data, , front]) => ({
        title: `The front on ${data}`,
        table: {
          head: ['network', 'file', 'bytes', 'runs', 'test accuracy'],
          rows: front.map((point) => [
            point.network,
            point.file,
            count(point.bytes),
            point.runs,
            accuracyCell(point.accuracy),
          ]),
        },
      })),
      { title: 'All networks', table: summaryTable(summary) },
    ],
  };
}

export const frontier: Experiment = {
  name: 'frontier',
  title: 'Accuracy against the bytes of the model',
  question: 'What accuracy can a model file of so many bytes have?',
  reuses: ['paper'],
  plan,
  charts,
};
