/**
 * Derives the table of kernels (src/gpu/choose/kernel-table.ts) from times. The table is treated as a grid of cells:
 * weights, rows, units. A cell names kernels, best first: the fastest of all, then the fastest of those that need fewer
 * device features or add in order.
 */
import { ruled } from '../../src/gpu/choose/choose.ts';
import { type ForwardKernel, type ForwardKernelName, forwardKernels } from '../../src/gpu/choose/forward-kernels.ts';
import { gpu, type Rule, software } from '../../src/gpu/choose/kernel-table.ts';
import { type DistributionName, distributionNames } from '../../src/weights/distributions.ts';
import { quantile } from '../statistics.ts';

/** The sections of the table by kind of adapter. */
export const sections = { software, gpu };

/** Upper limits of the rows of a cell; the last cell also covers all larger numbers. */
export const CELL_ROWS = [1, 2, 4, 8, 16, 64, 256] as const;
/** Inputs and units of the measured layers. Layers with the same number of units share cells. */
export const CELL_LAYERS = [
  [784, 128],
  [784, 1024],
  [1024, 1024],
  [4096, 4096],
] as const;
const CELL_UNITS = [...new Set(CELL_LAYERS.map(([, units]) => units))];

/** A kernel on one shape: milliseconds per call in each round of the interleaved run. */
export interface Timed {
  readonly weights: DistributionName;
  readonly kernel: ForwardKernelName;
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly samples: readonly number[];
}

interface Cell {
  readonly weights: DistributionName;
  readonly m: number;
  readonly n: number;
  readonly kernels: readonly ForwardKernelName[];
}

export interface Change {
  readonly weights: DistributionName;
  readonly m: number;
  readonly n: number;
  readonly from: ForwardKernelName;
  readonly to: ForwardKernelName;
  /** Speed-up factor; undefined if the former kernel has no time. */
  readonly faster: number | undefined;
}

/** Smaller differences are ignored, however steady the samples. */
const MARGIN = 0.03;
/** Minimum number of rounds, over all layers of a cell, to draw a conclusion. */
const LEAST_ROUNDS = 3;

const kernelOf = (name: ForwardKernelName): ForwardKernel => forwardKernels[name];
const allKernels = Object.keys(forwardKernels) as ForwardKernelName[];
const served = (weights: DistributionName) => allKernels.filter((name) => kernelOf(name).weights.includes(weights));
/** Distributions with more than one kernel. */
const chosenWeights = distributionNames.filter((weights) => served(weights).length > 1);

/** The possible demands on a kernel, from none to all. */
const DEMANDS: readonly ((kernel: ForwardKernel) => boolean)[] = [
  () => true,
  ({ features }) => !features,
  ({ inOrder }) => inOrder,
  ({ inOrder, features }) => inOrder && !features,
];

/** For each demand, the first kernel that meets it. */
const firsts = (ranked: readonly ForwardKernelName[]) =>
  DEMANDS.map((meets) => ranked.find((name) => meets(kernelOf(name)))!);

/** The cells of a table: its choices at the measured rows and units. */
export const cellsOf = (rules: readonly Rule[]): Cell[] =>
  chosenWeights.flatMap((weights) =>
    CELL_ROWS.flatMap((m) =>
      CELL_UNITS.map((n) => {
        const all = served(weights);
        const named = ruled(rules, { m, n, k: 1, weights }).filter((name) => all.includes(name));
        return { weights, m, n, kernels: [...new Set(firsts([...named, ...all]))] };
      }),
    ),
  );

type Times = ReadonlyMap<ForwardKernelName, readonly Timed[]>;

/** Times of a cell's kernels, one per layer. Kernels that were not measured on all layers are left out. */
function timesOf({ weights, m, n }: Cell, timed: readonly Timed[]): Times {
  const here = timed.filter((one) => one.weights === weights && one.m === m && one.n === n);
  const layers = [...new Set(here.map(({ k }) => k))];
  const times = new Map<ForwardKernelName, readonly Timed[]>();
  for (const name of allKernels) {
    const own = layers.flatMap((k) => here.filter((one) => one.kernel === name && one.k === k));
    if (own.length > 0 && own.length === layers.length) times.set(name, own);
  }
  return times;
}

const least = ({ samples }: Timed) => Math.min(...samples);
/** Geometric mean over the layers of a cell. */
const mean = (times: readonly Timed[]) =>
  Math.exp(times.reduce((sum, one) => sum + Math.log(least(one)), 0) / times.length);

/** Whether `to` is faster than `from` by more than the spread: in three of four interleaved rounds, and at its best. */
function isFaster(to: readonly Timed[], from: readonly Timed[]): boolean {
  const ratios = to.flatMap(({ samples }, layer) => {
    const rounds = Math.min(samples.length, from[layer]!.samples.length);
    return samples.slice(0, rounds).map((ms, round) => from[layer]!.samples[round]! / ms);
  });
  const sorted = ratios.sort((a, b) => a - b);
  return sorted.length >= LEAST_ROUNDS && quantile(sorted, 0.25) > 1 + MARGIN && mean(from) > (1 + MARGIN) * mean(to);
}

/**
 * The cells after a measurement. A kernel replaces another only if it is faster by more than the spread. Cells without
 * measurements stay unchanged.
 */
export function retune(cells: readonly Cell[], timed: readonly Timed[]): { cells: Cell[]; changes: Change[] } {
  const changes = new Map<string, Change>();
  const next = cells.map((cell): Cell => {
    const times = timesOf(cell, timed);
    const present = firsts(cell.kernels);
    const chosen = DEMANDS.map((meets, demand) => {
      const from = present[demand]!;
      const held = times.get(from);
      if (!held && kernelOf(from).features) return from; // this device cannot run it
      const able = [...times].filter(([name]) => meets(kernelOf(name)));
      if (able.length === 0) return from;
      const [to, best] = able.reduce((a, b) => (mean(b[1]) < mean(a[1]) ? b : a));
      if (to === from || (held && !isFaster(best, held))) return from;
      const { weights, m, n } = cell;
      const key = [weights, m, n, from, to].join();
      if (!changes.has(key)) changes.set(key, { weights, m, n, from, to, faster: held && mean(held) / mean(best) });
      return to;
    });
    return { ...cell, kernels: [...new Set(firsts(chosen))] };
  });
  return { cells: next, changes: [...changes.values()] };
}

/** Rules that give every cell its kernels. Rules already implied by those for fewer rows or outputs are left out. */
export function rulesOf(cells: readonly Cell[]): Rule[] {
  const cell = (weights: DistributionName, row: number, size: number) =>
    cells.find((one) => one.weights === weights && one.m === CELL_ROWS[row] && one.n === CELL_UNITS[size])!;
  const same = (a: Cell, b: Cell) => a.kernels.join() === b.kernels.join();
  const sizes = CELL_UNITS.map((_, size) => size);
  /** The kernel list shared by all sizes, if there is one. */
  const flat = (weights: DistributionName, row: number) =>
    sizes.every((size) => same(cell(weights, row, size), cell(weights, row, 0)));
  /** Weights for which the rules for fewer rows are wrong. */
  const differ = (row: number) =>
    chosenWeights.filter(
      (weights) =>
        row === 0 ||
        !flat(weights, row) ||
        !flat(weights, row - 1) ||
        !same(cell(weights, row, 0), cell(weights, row - 1, 0)),
    );
  const rulesOfRow = (m: number, row: number): Rule[] => {
    const rows = row === 0 ? 1 : CELL_ROWS[row - 1]! + 1;
    return sizes
      .map((size): Rule[] => {
        const outputs = size === 0 ? 0 : Math.round(m * Math.sqrt(CELL_UNITS[size - 1]! * CELL_UNITS[size]!));
        const wanted = differ(row).filter(
          (weights) => size === 0 || !same(cell(weights, row, size), cell(weights, row, size - 1)),
        );
        const rule = (weights: DistributionName | 'any', of: Cell): Rule => [rows, outputs, weights, ...of.kernels];
        const one = wanted.map((weights) => rule(weights, cell(weights, row, size)));
        // Alternative: one rule for any weights, preceded by one for each distribution with other kernels.
        const grouped = wanted.map((common) => {
          const kept = cell(common, row, size);
          const others = chosenWeights.filter((weights) => !same(cell(weights, row, size), kept));
          return [...others.map((weights) => rule(weights, cell(weights, row, size))), rule('any', kept)];
        });
        return [one, ...grouped].reduce((a, b) => (b.length < a.length ? b : a));
      })
      .reverse()
      .flat();
  };
  return CELL_ROWS.map(rulesOfRow).reverse().flat();
}
