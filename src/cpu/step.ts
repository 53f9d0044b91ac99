/** What a node of a graph becomes on the CPU: a call, its places in memory bound. */
import type { Node, Value } from '../graph/graph.ts';
import type { Machine } from './machine.ts';
import type { Pool, SharedProduct } from './pool.ts';
import type { CpuChoice, RandomProduct } from './random_matmul.ts';

/** The numbers that change from step to step. */
export interface StepNumbers {
  readonly learningRate: number;
  /** Adam's bias corrections, 1 - beta^t. */
  readonly correction1: number;
  readonly correction2: number;
  /** Steps taken before, which masks of dropout follow. */
  readonly step: number;
}

export type Step = (numbers: StepNumbers) => void | Promise<void>;

/** Who keeps the weights of a product: this thread all of them, the others those of the units that they compute. */
export interface Keeping {
  readonly here: boolean;
  readonly there: boolean;
}

export interface StepOptions extends CpuChoice {
  /** Shares random products with other threads. */
  readonly pool?: Pool;
  /** Of products whose weights are kept. */
  readonly keeping?: ReadonlyMap<Node, Keeping>;
}

/** The step of a node, where `place` says its values lie; nothing for an operation of others. What is shared is told in `shared`. */
export type StepMaker = (
  machine: Machine,
  node: Node,
  place: (value: Value) => number,
  options: StepOptions,
  shared: SharedProduct[],
) => Step | undefined;

export const size = (value: Value, axis: 0 | 1): number => value.shape[axis] ?? 1;

export const productOf = ({ x, z, weights }: Extract<Node, { op: 'randomMatmul' }>): RandomProduct => ({
  m: size(z, 0),
  k: size(x, 1),
  n: size(z, 1),
  weights,
});

export const bound =
  <A extends readonly number[]>(call: (...args: A) => void | Promise<void>, ...args: A): Step =>
  () =>
    call(...args);
