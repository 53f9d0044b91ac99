/** The form of a lowering: the dispatches that compute a node on the GPU. */
import type { Dispatch } from '../../../kernels/dispatch.ts';
import type { Family, Links, NodeOf, Op, OpsOf } from '../../graph/ops.ts';
import { elements, isValue, size, type Value } from '../../graph/value.ts';
import type { WeightSpec } from '../../weights/distributions.ts';
import type { Choice } from '../choose/choose.ts';
import type { Problem } from '../choose/forward-kernels.ts';

/** The operand of a binding in a planned dispatch, to which a run assigns memory. */
export type Operand =
  /** A value with its own memory: given, a parameter, a state, or an output. */
  | { readonly kind: 'value'; readonly value: Value }
  /** A temporary: a slot of `Plan.slots`, shared by values whose lifetimes do not overlap. */
  | { readonly kind: 'slot'; readonly slot: number }
  /** Unit keys of a random matrix: an entry of `Plan.keys`. */
  | { readonly kind: 'keys'; readonly keys: number }
  /** The numbers that change from step to step. */
  | { readonly kind: 'schedule' };

export type Matrix = Pick<WeightSpec, 'seed' | 'tensor'>;
export type MakeWords = () => Uint32Array<ArrayBuffer>;

/** The context of a lowering. */
export interface LoweringSite {
  operand(value: Value): Operand;
  /** Keys of the units of a random matrix, or the words that replace them; nodes with the same matrix share them. */
  keysOf(weights: Matrix, units: number, words?: MakeWords): Operand;
  /** An epilogue to fuse into this node's kernel. */
  readonly fused?: NodeOf<'epilogue'>;
  /** Scratch memory of this step, with the sizes of `scratchBytes`. */
  readonly scratch: readonly Operand[];
  readonly choice: Choice;
}

/**
 * How a node becomes dispatches. A kernel's arguments have the names of its node's fields; the lowering adds the sizes.
 */
export interface Lowering<O extends Op> {
  /** Whether its kernel can fuse the following epilogue: one with only a bias, or also one with a scale. */
  readonly fuses?: 'bias' | 'scale';
  /** Size in bytes of each scratch buffer of the step. */
  scratchBytes?(node: NodeOf<O>, choice: Choice): number[];
  lower(node: NodeOf<O>, site: LoweringSite): Dispatch<Operand>[];
}

/** The lowerings of a family: all of them. */
export type LoweringTable<F extends Family> = { readonly [O in OpsOf<F>]: Lowering<O> };

/** The lowerings of the families that a graph uses. */
export type Lowerings = { readonly [O in Op]?: Lowering<O> };

type Maybe<N> = { [K in keyof N]: undefined extends N[K] ? K : never }[keyof N];
type Operands<N> = { [K in keyof N]: Exclude<N[K], undefined> extends Value ? Operand : N[K] };

/** A node with operands in place of its values, without the fields that are undefined. */
type Bound<N> = Operands<Omit<N, keyof Links | Maybe<N>>> & {
  [K in Maybe<N>]?: Exclude<N[K], undefined> extends Value ? Operand : Exclude<N[K], undefined>;
};

/** The fields of a node, with operands for its values. */
export function bind<N extends Links>(
  { op, family, reads, makes, ...fields }: N,
  operand: (value: Value) => Operand,
): Bound<N> {
  const bound = Object.entries(fields)
    .filter(([, field]) => field !== undefined)
    .map(([name, field]) => [name, isValue(field) ? operand(field) : field]);
  return Object.fromEntries(bound);
}

/** Sizes of a matrix under the names that kernels use. */
export const sizesOf = (value: Value) => ({ m: size(value, 0), n: size(value, 1) });

/** Sizes of an epilogue: each column is a unit, or a channel. */
export const epilogueSizes = ({ z, b }: Pick<NodeOf<'epilogue'>, 'z' | 'b'>) => ({
  m: elements(z) / elements(b),
  n: elements(b),
});

/** Sizes and weights of a random product. */
export const problemOf = ({ x, z, weights }: NodeOf<'randomMatmul'>): Problem => ({
  ...sizesOf(z),
  k: size(x, 1),
  weights: weights.distribution,
});
