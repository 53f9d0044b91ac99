/** Networks made for a purpose: model files of at most 100,000 bytes, and HalfNet against the full network it is to replace. */
import { bytes, count, seconds } from '../common/output.ts';
import { compared, learningCurves } from './charts.ts';
import type { Experiment, PlanOptions } from './experiment.ts';
import type { Report, Table } from './sections.ts';
import { type Result, type RunSpec, runSpec } from './spec.ts';
import { bySeries, type Figure, figure, type Summary, summarise } from './summary.ts';
import { accuracyCell, points } from './tables.ts';

export interface Recipe {
  readonly name: string;
  readonly data: 'mnist' | 'fashion-mnist';
  readonly network: string;
  readonly epochs: number;
  readonly rate: number;
  readonly batch?: number;
  readonly shift?: number;
}

/** What HalfNet is compared with. */
const FULL = 'mnist-full';
const HALFNETS = ['mnist-halfnet', 'mnist-halfnet-two'] as const;

export const recipes: readonly Recipe[] = [
  {
    name: 'mnist-100k',
    data: 'mnist',
    network:
      'half-conv 8 5x5 same, pool 2, conv 24 3x3 same, pool 2, conv 32 3x3, dropout 0.2, half 256 rank 32, dense classes',
    shift: 1,
    epochs: 2,
    batch: 64,
    rate: 0.002,
  },
  {
    name: 'fashion-100k',
    data: 'fashion-mnist',
    network:
      'conv 16 3x3 same, pool 2, conv 24 3x3 same, pool 2, conv 32 3x3, dropout 0.25, half 256 rank 32, dense classes',
    epochs: 7,
    batch: 64,
    rate: 0.002,
  },
  {
    name: HALFNETS[0],
    data: 'mnist',
    network: 'half 1024 rank 190 gelu, dense classes',
    epochs: 5,
    rate: 0.002,
  },
  {
    name: HALFNETS[1],
    data: 'mnist',
    network: 'half 1024 rank 150 gelu, half 1024 rank 28 gelu, dense classes',
    epochs: 5,
    rate: 0.002,
  },
  { name: FULL, data: 'mnist', network: 'dense 1024 relu, dense classes', epochs: 5, rate: 0.002 },
];

/** A data set by its name has its own recipes, a folder all of them. */
const recipesFor = (data: string): readonly Recipe[] => {
  const own = recipes.filter((recipe) => recipe.data === data);
  return own.length ? own : recipes;
};

function plan({ quick, runs, data = ['mnist', 'fashion-mnist'] }: PlanOptions): RunSpec[] {
  const small = quick ? { trainRows: 2000, testRows: 1000, epochs: 1 } : {};
  return Array.from({ length: runs }, (_, seed) =>
    data.flatMap((set) =>
      recipesFor(set).map(({ name, data: _, ...how }) =>
        runSpec({ ...how, data: set, seed, ...small, extra: { recipe: name } }),
      ),
    ),
  ).flat();
}

const recipeOf = ({ spec }: Result): string => String(spec.extra?.recipe);

/** Accuracy of what a file holds: in F16 its numbers are rounded. */
const ofFile = (runs: readonly Result[]): Figure =>
  figure(runs.map(({ testAccuracyF16, testAccuracy }) => testAccuracyF16 ?? testAccuracy));

const fileBytes = (row: Summary): number => row.modelBytesF16 ?? row.modelBytes;

function recipesTable(groups: readonly Result[][]): Table {
  return {
    head: ['recipe', 'data', 'network', 'runs', 'test accuracy', 'of the F16 file', 'its bytes', 'trained', 'training'],
    rows: groups.map((runs) => {
      const [row] = summarise(runs) as [Summary];
      return [
        recipeOf(runs[0]!),
        row.data,
        row.network,
        runs.length,
        accuracyCell(row.testAccuracy),
        accuracyCell(ofFile(runs)),
        count(fileBytes(row)),
        count(row.trainedParameters),
        seconds(row.trainSeconds.mean),
      ];
    }),
  };
}

/** Each HalfNet against the full network, in words. */
function halfNetFindings(groups: readonly Result[][]): string[] {
  const of = (name: string) => groups.find(([first]) => recipeOf(first!) === name);
  const accuracy = (runs: readonly Result[]) => figure(runs.map(({ testAccuracy }) => testAccuracy));
  const full = of(FULL);
  if (!full) return [];
  const whole = accuracy(full);
  return HALFNETS.flatMap((name) => {
    const half = of(name);
    if (!half) return [];
    const own = accuracy(half);
    const share = (100 * half[0]!.trainedParameters) / full[0]!.trainedParameters;
    return [
      `HalfNet (${half[0]!.network}) has ${accuracyCell(own)} with ${count(half[0]!.trainedParameters)} trained numbers, the full network ` +
        `${accuracyCell(whole)} with ${count(full[0]!.trainedParameters)}: ${points(own.mean - whole.mean)} points with ${share.toFixed(1)}% of them.`,
    ];
  });
}

function charts(results: readonly Result[]): Report {
  const groups = [...bySeries(results).values()];
  const files = groups.filter(([first]) => /-100k$/.test(recipeOf(first!)));
  return {
    findings: [
      ...files.map((runs) => {
        const [row] = summarise(runs) as [Summary];
        return `${recipeOf(runs[0]!)}: ${accuracyCell(ofFile(runs))} over ${runs.length} runs, from a file of ${bytes(fileBytes(row))}.`;
      }),
      ...halfNetFindings(groups),
    ],
    sections: [
      {
        title: 'The recipes',
        charts: compared(
          groups.map((runs) => ({
            data: runs[0]!.data,
            name: recipeOf(runs[0]!),
            kind: 'test accuracy',
            accuracy: figure(runs.map(({ testAccuracy }) => testAccuracy)),
          })),
        ),
        table: recipesTable(groups),
      },
      { title: 'Learning curves', charts: learningCurves(results, recipeOf) },
    ],
  };
}

export const recipesExperiment: Experiment = {
  name: 'recipes',
  title: 'Recipes: 100 kB, and HalfNet',
  question: 'How accurate is a model file of 100,000 bytes, and HalfNet with a fifth of the trained numbers?',
  plan,
  charts,
};
