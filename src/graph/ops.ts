/**
 * Types of every operation of the graph. An operation is declared once, in a file of ops/: its plain fields, the values
 * it reads, the values it makes with their shapes, and its family. Node types and builders follow from the
 * declarations. So do the tables of each facet, which do not compile while an operation is missing: gradients
 * (gradients.ts), lowerings (gpu/lower, cpu/lower), twins (reference/graph.ts) and conformance cases
 * (conformance/groups.ts).
 */
import type { Declaration, Family, Reads } from './declare.ts';
import type { blockOps } from './ops/blocks.ts';
import type { denseOps } from './ops/dense.ts';
import type { fieldOps } from './ops/fields.ts';
import type { imageOps } from './ops/images.ts';
import type { signalOps } from './ops/signals.ts';
import type { solveOps } from './ops/solve.ts';
import type { trainingOps } from './ops/training.ts';
import type { Value } from './value.ts';

export type { Family } from './declare.ts';

type Ops = typeof denseOps &
  typeof trainingOps &
  typeof blockOps &
  typeof imageOps &
  typeof fieldOps &
  typeof solveOps &
  typeof signalOps;

export type Op = keyof Ops;

/** The operations of a family. */
export type OpsOf<G extends Family> = { [O in Op]: Ops[O]['family'] extends G ? O : never }[Op];

/** The values that it makes. A value is optional if its shape may be undefined. */
type Makes<M> = {
  readonly [N in keyof M as undefined extends ShapeOf<M[N]> ? never : N]: Value;
} & { readonly [N in keyof M as undefined extends ShapeOf<M[N]> ? N : never]?: Value | undefined };
type ShapeOf<Rule> = Rule extends (from: never) => infer S ? S : never;

type Flat<T> = { readonly [K in keyof T]: T[K] };
type Given<D> = D extends Declaration<infer F, Family, infer R, unknown> ? F & Reads<R> : never;
type Made<D> = D extends Declaration<unknown, Family, string, infer M> ? Makes<M> : never;

/** Arguments of an operation: its fields and the values it reads. */
export type ArgsOf<O extends Op> = Flat<Given<Ops[O]>>;

/** The names of the values that an operation reads. */
export type ReadBy<O extends Op> =
  Ops[O] extends Declaration<unknown, Family, infer R, unknown> ? keyof Reads<R> & string : never;

/** The values that an operation makes, by name. */
export type MadeBy<O extends Op> = Flat<Made<Ops[O]>>;

/** A node of the graph: fields, and values under the names of the declaration. */
export type NodeOf<O extends Op> = Flat<{ readonly op: O } & Links & Given<Ops[O]> & Made<Ops[O]>>;

/** What every node has, beside its fields. */
export interface Links {
  readonly op: Op;
  readonly family: Family;
  /** The values that the node reads; an update reads the parameter and the states that it changes. */
  readonly reads: readonly Value[];
  /** The values that it makes, in the order of the declaration; an update makes none. */
  readonly makes: readonly Value[];
}

export type Node = { [O in Op]: NodeOf<O> }[Op];

/** The families of these nodes, each once. */
export const familiesOf = (nodes: readonly Node[]): Family[] => [...new Set(nodes.map(({ family }) => family))];
