/** Which kernel the GPU table chooses for each shape of the bench, with the cycles of its product. */
import Table from 'cli-table3';
import type { Dispatch } from '../../kernels/dispatch.ts';
import { candidates } from '../../src/gpu/choose/choose.ts';
import { type ForwardKernel, type ForwardKernelName, forwardKernels } from '../../src/gpu/choose/forward-kernels.ts';
import { type DistributionName, distributionNames } from '../../src/weights/distributions.ts';
import { figure } from '../format.ts';
import { forwardTasks } from '../tasks/forward.ts';
import type { IsaRow } from './rows.ts';

const epilogue = { u: 'u', b: 'b', activation: 'relu' } as const;

/** The row of the product among the dispatches of a kernel: the last one that multiplies. */
function productOf(rows: readonly IsaRow[], chip: string, weights: string, dispatches: readonly Dispatch<string>[]) {
  const named = dispatches.filter(({ source }) => source.name !== 'sum_parts').at(-1)!;
  const constants = JSON.stringify(named.constants);
  return rows.find(
    (row) =>
      row.gpu === chip &&
      row.kernel === named.source.name &&
      row.weights === weights &&
      JSON.stringify(row.constants) === constants,
  );
}

/** The kernel that the GPU table chooses for a shape of the bench, and its cycles where the rows have them. */
export interface ChosenKernel {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly weights: DistributionName;
  readonly kernel: ForwardKernelName;
  readonly cyclesPerMac?: number | undefined;
}

/** What the GPU table chooses for every shape and distribution of the bench. */
export const chosenKernels = (rows: readonly IsaRow[], chip: string): ChosenKernel[] =>
  forwardTasks(false).flatMap(({ m, k, n }) =>
    distributionNames.map((weights) => {
      const kernel = candidates({ m, k, n, weights }, { software: false })[0]!;
      const args = { m, k, n, weights, x: 'x', keys: 'keys', epilogue, y: 'y' };
      const { launch }: ForwardKernel = forwardKernels[kernel];
      const row = productOf(rows, chip, weights, launch(args, ['a', 'b']));
      return { m, k, n, weights, kernel, cyclesPerMac: row && 'cyclesPerMac' in row ? row.cyclesPerMac : undefined };
    }),
  );

/** A line per shape; a cell holds the chosen kernel and its cycles per multiply-accumulate. Empty without cycles. */
export function choices(rows: readonly IsaRow[], chip: string): string {
  const chosen = chosenKernels(rows, chip);
  if (!chosen.some(({ cyclesPerMac }) => cyclesPerMac)) return '';
  const table = new Table({
    head: ['GPU table', ...distributionNames],
    style: { head: [], border: [], compact: true },
  });
  for (const { m, k, n } of forwardTasks(false)) {
    const cells = chosen
      .filter((one) => one.m === m && one.k === k && one.n === n)
      .map(({ kernel, cyclesPerMac }) => (cyclesPerMac ? `${kernel} ${figure(cyclesPerMac)}` : kernel));
    table.push([`${m} x ${k} x ${n}`, ...cells]);
  }
  return `\nwhat a GPU runs, with its cycles per multiply-accumulate, ${chip}\n${table}`;
}
