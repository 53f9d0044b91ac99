/** The lowerings of each family, loaded when a graph has an operation of it. */
import { onDemand } from '../../core/on-demand.ts';
import { type Family, familiesOf, type Node } from '../../graph/ops.ts';
import type { Machine } from '../machine.ts';
import { dense } from './dense.ts';
import type { Lowerings, LoweringTable } from './lowering.ts';

const families: { readonly [F in Family]: () => LoweringTable<F> | Promise<LoweringTable<F>> } = {
  dense: () => dense,
  training: async () => (await onDemand(import('./training.ts'))).training,
  image: async () => (await onDemand(import('./images.ts'))).image,
  imageGradient: async () => (await onDemand(import('./images.ts'))).imageGradient,
  field: async () => (await onDemand(import('./fields.ts'))).field,
  fieldGradient: async () => (await onDemand(import('./fields.ts'))).fieldGradient,
  solve: async () => (await onDemand(import('./solve.ts'))).solve,
  signal: async () => (await onDemand(import('./signals.ts'))).signal,
};

/** The lowerings that these nodes need. The machine gets the kernels of wasm/lazy.ts for all but dense prediction. */
export async function loweringsFor(machine: Machine, nodes: readonly Node[]): Promise<Lowerings> {
  const names = familiesOf(nodes);
  const lazy = names.some((name) => name !== 'dense') && onDemand(import('../lazy-module.ts'));
  const tables = await Promise.all(names.map((family): unknown => families[family]()));
  if (lazy) await (await lazy).addLazyKernels(machine);
  return Object.assign({}, ...tables);
}
