/** What a model asks of each kind of layer, and the checks that the kinds share. */
import { ShapeError } from '../core/errors.ts';
import type { Graph } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import type { Seed } from '../weights/stream.ts';
import type { LayerKindName, LayerSpec, Shape, SpecOf } from './specs.ts';

/** A layer at its place in a model. */
export interface Placed<S extends LayerSpec = LayerSpec> {
  readonly spec: S;
  /** Its number. Layers are numbered in order, those inside another right after it. Its random matrix has the same number. */
  readonly index: number;
  readonly input: Shape;
  readonly output: Shape;
}

/**
 * Whether a graph predicts, trains, or evaluates during training: the last has the nodes of training, set to change nothing.
 */
export type Phase = 'predict' | 'train' | 'evaluate';

/** What a layer adds its nodes to. */
export interface Site<S extends LayerSpec> extends Placed<S> {
  readonly graph: Graph;
  readonly seed: Seed;
  readonly phase: Phase;
  readonly x: Value;
  readonly parameters: readonly Value[];
  /** Adds the layers inside it, from this value on. */
  inner(x: Value): Value;
}

/** What a layer added: its output y; a calibrated layer also the product z before its scale and bias. */
export interface Added {
  readonly y: Value;
  readonly z?: Value;
}

/** Value of a parameter before training: the same number everywhere, or weights of the stream's `uniform` distribution. */
export type Start = number | 'random';

/** A parameter as its layer names it, with its start and its shape. Training never changes those called `frozen.*`. */
export type LayerParameter = readonly [name: string, start: Start, ...shape: number[]];

/** What one row of a prediction takes at most, on whichever backend takes more: the limits on untrusted models count it. */
export interface Cost {
  /** Numbers in memory: outputs, images with their border, filters, tables of windows. */
  readonly numbers: number;
  /** Multiply-adds, or work that takes as long. */
  readonly multiplyAdds: number;
}

/** A kind of layer. Its notation is in tools/common/architecture.ts and src/model/layer-name.ts. */
export interface LayerKind<S extends LayerSpec> {
  /** The layer with these fields of a model file, which may hold anything. Throws `ShapeError`. */
  make(fields: never): S;
  /** Throws `ShapeError` where the input does not fit. */
  output(spec: S, input: Shape): Shape;
  /** In the order of the model file. */
  parameters?(spec: S, input: Shape): readonly LayerParameter[];
  /** Tensors that files of earlier releases also hold, and that nothing reads any more. */
  readonly obsolete?: readonly string[];
  /** Number of random weights that are regenerated. */
  regenerated?(spec: S, input: Shape): number;
  /** What one row takes beside its output, where that does not follow from the weights. */
  cost?(spec: S, input: Shape): Partial<Cost>;
  /** Whether training starts from u and b that fit its products z to the data (src/train/calibrate.ts). */
  readonly calibrated?: true;
  add(site: Site<S>): Added;
}

export type LayerKinds = { [K in LayerKindName]?: LayerKind<SpecOf<K>> };

/** Scale and bias of the units of a half layer, or of its channels. */
export const scaleAndBias = (units: number): LayerParameter[] => [
  ['u', 1, units],
  ['b', 0, units],
];

/** Throws `ShapeError` where the value is none of the names. */
export function expectOneOf(what: string, option: string, value: unknown, names: readonly unknown[]): void {
  if (!names.includes(value)) {
    throw new ShapeError(`${what}: expected ${option} to be one of ${names.join(', ')}; got '${String(value)}'`);
  }
}

/** Throws `ShapeError` where a number is no integer of at least `least`. */
export function expectCount(what: string, option: string, value: unknown, least = 1): void {
  if (!Number.isSafeInteger(value) || (value as number) < least) {
    throw new ShapeError(
      `${what}: expected ${option} to be ${least ? 'a positive integer' : 'an integer of 0 or more'}, got ${String(value)}`,
    );
  }
}
