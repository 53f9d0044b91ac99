/** The lowerings of each family, loaded when a graph has an operation of it. */
import { onDemand } from '../../core/on-demand.ts';
import { type Family, familiesOf, type Node } from '../../graph/ops.ts';
import { dense } from './dense.ts';
import type { Lowerings, LoweringTable } from './lowering.ts';

const families: { readonly [F in Family]: () => LoweringTable<F> | Promise<LoweringTable<F>> } = {
  dense: () => dense,
  training: async () => (await onDemand(import('./training.ts'))).training,
  image: async () => (await onDemand(import('./images.ts'))).image,
  imageGradient: async () => (await onDemand(import('./image-gradients.ts'))).imageGradient,
  field: async () => (await onDemand(import('./fields.ts'))).field,
  fieldGradient: async () => (await onDemand(import('./field-gradients.ts'))).fieldGradient,
  solve: async () => (await onDemand(import('./solve.ts'))).solve,
  signal: async () => (await onDemand(import('./signals.ts'))).signal,
};

/** The lowerings that these nodes need. */
export async function loweringsFor(nodes: readonly Node[]): Promise<Lowerings> {
  const tables = await Promise.all(familiesOf(nodes).map((family): unknown => families[family]()));
  return Object.assign({}, ...tables);
}
