/** The form of a lowering: the call that computes a node on the CPU. */
import type { Family, Node, NodeOf, Op, OpsOf } from '../../graph/ops.ts';
import type { StepNumbers } from '../../graph/optimizers.ts';
import { size, type Value } from '../../graph/value.ts';
import type { Machine } from '../machine.ts';
import type { Pool, SharedProduct } from '../pool.ts';
import type { CpuChoice, RandomProduct } from '../random_matmul.ts';

/** A node ready to run, bound to its addresses. */
export type Step = (numbers: StepNumbers) => void | Promise<void>;

/** Which threads cache a product's weights: this one caches all units, the others only the units that they compute. */
export interface CachePlan {
  readonly here: boolean;
  readonly there: boolean;
}

export interface LoweringOptions extends CpuChoice {
  /** Shares random products with other threads. */
  readonly pool?: Pool;
  /** The products whose weights are cached. */
  readonly caches?: ReadonlyMap<Node, CachePlan>;
}

/** The context of a lowering. */
export interface LoweringSite {
  readonly machine: Machine;
  readonly options: LoweringOptions;
  /** Address of a value. */
  place(value: Value): number;
  /** Registers what other threads hold for this node, to dispose of it with the program. */
  share(product: SharedProduct): void;
}

/** How a node becomes a step. */
export type Lowering<O extends Op> = (node: NodeOf<O>, site: LoweringSite) => Step;

/** The lowerings of a family: all of them. */
export type LoweringTable<F extends Family> = { readonly [O in OpsOf<F>]: Lowering<O> };

/** The lowerings of the families that a graph uses. */
export type Lowerings = { readonly [O in Op]?: Lowering<O> };

/** Sizes and weights of a random product. */
export const productOf = ({ x, z, weights }: NodeOf<'randomMatmul'>): RandomProduct => ({
  m: size(z, 0),
  k: size(x, 1),
  n: size(z, 1),
  weights,
});

/** A call whose arguments are the same at every step. */
export const bound =
  <A extends readonly number[]>(call: (...args: A) => void | Promise<void>, ...args: A): Step =>
  () =>
    call(...args);
