/** What a node of a graph becomes on the CPU: a call, its places in memory bound. */
import type { Node, Value } from '../graph.ts';
import type { Machine } from './machine.ts';
import type { Pool, SharedProduct } from './pool.ts';
import type { CpuChoice } from './random_matmul.ts';

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

export interface StepOptions extends Omit<CpuChoice, 'keep'> {
  /** Shares random products with other threads. */
  readonly pool?: Pool;
  /** Bytes that are left for weights that are kept (`keepWeights` of the context). */
  readonly keepable?: { bytes: number };
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

export const bound =
  <A extends readonly number[]>(call: (...args: A) => void | Promise<void>, ...args: A): Step =>
  () =>
    call(...args);
