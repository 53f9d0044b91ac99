/** Which layers to make half, and what each costs and saves. */
import { bytes, count, percent, seconds } from '../common/output.ts';
import { byData, compared } from './charts.ts';
import type { Experiment, PlanOptions } from './experiment.ts';
import type { Report, Table } from './sections.ts';
import { type Result, type RunSpec, runSpec } from './spec.ts';
import { bySeries, figure, type Summary, summarise } from './summary.ts';
import { accuracyCell, points } from './tables.ts';

/** What is half, and the network: 784-256-256-10. */
const dense: readonly (readonly [what: string, network: string])[] = [
  ['none', 'dense 256 relu, dense 256 relu, dense classes'],
  ['first', 'half 256 normal, dense 256 relu, dense classes'],
  ['second', 'dense 256 relu, half 256 normal, dense classes'],
  ['both', 'half 256 normal, half 256 normal, dense classes'],
];

/** Two convolutions followed by a dense layer. */
const images: typeof dense = [
  ['none', 'conv 8 5x5 same relu, pool 2, conv 16 3x3 same relu, pool 2, dense 64 relu, dense classes'],
  ['first convolution', 'half-conv 8 5x5 same, pool 2, conv 16 3x3 same relu, pool 2, dense 64 relu, dense classes'],
  ['both convolutions', 'half-conv 8 5x5 same, pool 2, half-conv 16 3x3 same, pool 2, dense 64 relu, dense classes'],
  ['behind them', 'conv 8 5x5 same relu, pool 2, conv 16 3x3 same relu, pool 2, half 64 normal, dense classes'],
  ['all', 'half-conv 8 5x5 same, pool 2, half-conv 16 3x3 same, pool 2, half 64 normal, dense classes'],
];

function plan({ quick, runs, data = ['mnist', 'fashion-mnist'] }: PlanOptions): RunSpec[] {
  const rows = quick ? { trainRows: 4000, testRows: 1000, epochs: 2 } : { epochs: 6 };
  const convolutions = { trainRows: 10_000, epochs: 4 };
  return Array.from({ length: runs }, (_, seed) =>
    data.flatMap((name) => [
      ...dense.map(([half, network]) => runSpec({ data: name, network, seed, ...rows, extra: { half } })),
      ...(quick ? [] : images).map(([half, network]) =>
        runSpec({ data: name, network, seed, ...convolutions, extra: { half } }),
      ),
    ]),
  ).flat();
}

/** Which layers are half: the plan's own name for it. */
const whatIsHalf = ({ spec }: Result): string => String(spec.extra?.half);

const isImages = ({ network }: Pick<Result, 'network'>) => /\bconv|half-conv/.test(network);

/** One row for each choice of half layers. */
function placementTable(results: readonly Result[]): Table {
  const groups = [...bySeries(results).values()];
  const against = (data: string) => groups.find(([first]) => first!.data === data && whatIsHalf(first!) === 'none');
  return {
    head: ['data', 'half', 'runs', 'test accuracy', 'against none', 'trained', 'model file', 'training', 'predict'],
    rows: groups.map((runs) => {
      const first = runs[0]!;
      const [row] = summarise(runs) as [Summary];
      const full = against(first.data);
      const difference = full && row.testAccuracy.mean - figure(full.map((run) => run.testAccuracy)).mean;
      return [
        first.data,
        whatIsHalf(first),
        runs.length,
        accuracyCell(row.testAccuracy),
        difference === undefined ? '' : `${points(difference)} points`,
        count(row.trainedParameters),
        bytes(row.modelBytes),
        seconds(row.trainSeconds.mean),
        `${row.predictMs.mean.toFixed(2)} ms`,
      ];
    }),
  };
}

function findings(results: readonly Result[], title: string): string[] {
  return byData(results).flatMap(([data, runs]) => {
    const groups = [...bySeries(runs).values()];
    const full = groups.find(([first]) => whatIsHalf(first!) === 'none');
    if (!full) return [];
    const base = figure(full.map((run) => run.testAccuracy)).mean;
    const comparisons = groups
      .filter((own) => own !== full)
      .map((own) => {
        const share = (100 * own[0]!.trainedParameters) / full[0]!.trainedParameters;
        return `${whatIsHalf(own[0]!)} ${points(figure(own.map((run) => run.testAccuracy)).mean - base)} points with ${share.toFixed(0)}% of the trained numbers`;
      });
    return [`${data}, ${title} (full: ${percent(base)}): ${comparisons.join('; ')}.`];
  });
}

function charts(results: readonly Result[]): Report {
  const [flat, images] = [results.filter((run) => !isImages(run)), results.filter(isImages)];
  const shown = [
    { title: '784-256-256-10', runs: flat },
    { title: 'two convolutions and a dense layer, 10,000 training images', runs: images },
  ].filter(({ runs }) => runs.length);
  return {
    findings: shown.flatMap(({ title, runs }) => findings(runs, title)),
    sections: shown.map(({ title, runs }) => ({
      title: `Half layers in ${title}`,
      charts: compared(
        [...bySeries(runs).values()].map((own) => ({
          data: own[0]!.data,
          name: whatIsHalf(own[0]!),
          kind: 'test accuracy',
          accuracy: figure(own.map((run) => run.testAccuracy)),
        })),
      ),
      table: placementTable(runs),
    })),
  };
}

export const placement: Experiment = {
  name: 'placement',
  title: 'Which layers to make half',
  question: 'Where do half layers cost accuracy, and what do they save there?',
  plan,
  charts,
};
