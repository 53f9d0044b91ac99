/** Layers as plain specifications, and the nodes that they add to a graph: the dense ones. Others: src/convolution.ts. */
import { type ActivationName, activationNames } from '../core/activations.ts';
import { ShapeError } from '../core/errors.ts';
import { product } from '../core/shape.ts';
import { epilogue, type Graph, matmul, randomMatmul, type Value } from '../graph/graph.ts';
import { type DistributionName, distributionNames, integerWeights, weightScale } from '../weights/distributions.ts';
import type { Seed } from '../weights/stream.ts';
import type { HalfFieldsSpec } from './fields.ts';
import type {
  ConvSpec,
  DropoutSpec,
  FlattenSpec,
  GlobalPoolSpec,
  HalfConvSpec,
  PoolSpec,
  ResidualSpec,
} from './images.ts';
import type { VeraSpec } from './vera.ts';

/**
 * A half layer (Alpaydin, arXiv:2506.04352): y = g(u * (r . x) + b) with fixed random r, regenerated and never stored.
 * Trained are u and b, two numbers a unit; with `trained: false` nothing is (a random layer). With a `rank` r = factor e, e
 * (units, rank) random and the factor (fan-in, rank) trained too (HalfNet, arXiv:2606.04583).
 */
export interface HalfSpec {
  readonly kind: 'half';
  readonly units: number;
  readonly weights: DistributionName;
  readonly activation: ActivationName;
  readonly trained: boolean;
  readonly rank?: number;
}

/** A fully trained layer: y = g(x W + b), W (fan-in, units). */
export interface DenseSpec {
  readonly kind: 'dense';
  readonly units: number;
  readonly activation: ActivationName;
}

export type LayerSpec =
  | HalfSpec
  | HalfFieldsSpec
  | DenseSpec
  | HalfConvSpec
  | ConvSpec
  | PoolSpec
  | GlobalPoolSpec
  | FlattenSpec
  | DropoutSpec
  | ResidualSpec
  | VeraSpec;

/** Throws `ShapeError` where the value is none of the names. */
export function expectOneOf(what: string, option: string, value: unknown, names: readonly unknown[]): void {
  if (!names.includes(value)) {
    throw new ShapeError(`${what}: expected ${option} to be one of ${names.join(', ')}; got '${value}'`);
  }
}

/** Throws `ShapeError` where a number is no integer of at least `least`. */
export function expectCount(what: string, option: string, value: unknown, least = 1): void {
  if (!Number.isSafeInteger(value) || (value as number) < least) {
    throw new ShapeError(
      `${what}: expected ${option} to be ${least ? 'a positive integer' : 'an integer of 0 or more'}, got ${value}`,
    );
  }
}

export interface HalfOptions {
  units: number;
  /** Distribution of the random weights; default `normal`. */
  weights?: DistributionName;
  /** Default `relu`. */
  activation?: ActivationName;
}

/**
 * A half layer: `units` scales and biases are trained, the weights are not. With a `rank` their covariance is learned: they are
 * drawn from N(0, L L') with a trained factor L (fan-in, rank).
 */
export function halfDense({
  units,
  weights = 'normal',
  activation = 'relu',
  rank,
}: HalfOptions & { rank?: number }): HalfSpec {
  expectCount('halfDense', 'units', units);
  expectOneOf('halfDense', 'weights', weights, distributionNames);
  expectOneOf('halfDense', 'activation', activation, activationNames);
  if (rank !== undefined) expectCount('halfDense', 'rank', rank);
  return { kind: 'half', units, weights, activation, trained: true, ...(rank !== undefined && { rank }) };
}

/** A random layer: like `halfDense`, with the scales and biases of its calibrated start kept as they are. */
export function randomDense({ units, weights, activation }: HalfOptions): HalfSpec {
  return { ...halfDense({ units, ...(weights && { weights }), ...(activation && { activation }) }), trained: false };
}

/** A fully trained layer. */
export function dense({ units, activation = 'identity' }: { units: number; activation?: ActivationName }): DenseSpec {
  expectCount('dense', 'units', units);
  expectOneOf('dense', 'activation', activation, activationNames);
  return { kind: 'dense', units, activation };
}

/** Sizes of one input or output of a layer, without the rows. */
export type Shape = readonly number[];

/** A layer where it stands in its model. */
export interface Placed<S extends LayerSpec = LayerSpec> {
  readonly spec: S;
  /** Its number: layers are counted as they stand, those within another right behind it. Random matrices have it too. */
  readonly index: number;
  readonly input: Shape;
  readonly output: Shape;
}

/** What a layer adds its nodes to. */
export interface Site<S extends LayerSpec> extends Placed<S> {
  readonly graph: Graph;
  readonly seed: Seed;
  readonly phase: Phase;
  readonly x: Value;
  readonly parameters: readonly Value[];
  /** The layers within it, added behind a value. */
  inner(x: Value): Value;
}

/** Whether a graph is to predict, to train, or to evaluate while it trains: with the nodes of training, which then do nothing. */
export type Phase = 'predict' | 'train' | 'evaluate';

/** What a layer added: its output; of a half layer also the product in front of its scale and bias. */
export interface Added {
  readonly y: Value;
  readonly z?: Value;
}

/** What a model asks of a kind of layer. */
export interface LayerKind<S extends LayerSpec> {
  /** The layer with these fields, from a model file: nothing is known of them. Throws `ShapeError`. */
  make(fields: never): S;
  /** Throws `ShapeError` where the input does not fit. */
  output(spec: S, input: Shape): Shape;
  /** In the order of the model file. u starts as 1, d as 0.1, b as 0, others (fan-in, ...) from the stream; `frozen.*` are not trained. */
  parameters?(spec: S, input: Shape): (readonly [name: string, ...shape: number[]])[];
  /** Random weights that are regenerated. */
  regenerated?(spec: S, input: Shape): number;
  add(site: Site<S>): Added;
}

export type LayerKinds = { [K in LayerSpec['kind']]?: LayerKind<Extract<LayerSpec, { kind: K }>> };

/** Every kind of layer that is loaded. */
export const layerKinds: LayerKinds = {
  half: {
    make({ trained, ...options }: Parameters<typeof halfDense>[0] & { trained: boolean }) {
      expectOneOf('half', 'trained', trained, [true, false]);
      return (trained ? halfDense : randomDense)(options);
    },
    output: ({ units }) => [units],
    parameters: ({ units, rank }, input) => [
      ...(rank ? [['factor', product(input), rank] as const] : []),
      ['u', units],
      ['b', units],
    ],
    regenerated: ({ units, rank }, input) => units * (rank ?? product(input)),
    add({ graph, spec, index, seed, x, parameters }) {
      const [b, u, factor] = parameters.slice().reverse();
      const weights = { seed, tensor: index, distribution: spec.weights };
      const z = randomMatmul(graph, factor ? matmul(graph, x, factor) : x, weights, spec.units);
      return { z, y: epilogue(graph, z, u, b!, spec.activation) };
    },
  },
  dense: {
    make: dense,
    output: ({ units }) => [units],
    parameters: ({ units }, input) => [
      ['weight', product(input), units],
      ['b', units],
    ],
    add({ graph, spec, x, parameters: [weight, b] }) {
      const z = matmul(graph, x, weight!);
      return { z, y: epilogue(graph, z, undefined, b!, spec.activation) };
    },
  },
};

/** The kind of a layer. Throws `ShapeError` where it is not loaded. */
export function kindOf(spec: LayerSpec): LayerKind<LayerSpec> {
  const kind = Object.hasOwn(layerKinds, spec.kind) && layerKinds[spec.kind];
  if (!kind) throw new ShapeError(`layers: expected a known kind of layer, got '${spec.kind}'`);
  return kind as LayerKind<LayerSpec>;
}

/** A parameter of a layer: its name in the model, shape, and whether training changes it. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly trained: boolean;
}

/** Parameters of a layer, in the order of the model file. */
export const layerParameters = ({ spec, index, input }: Placed): ParameterSpec[] =>
  (kindOf(spec).parameters?.(spec, input) ?? []).map(([name, ...shape]) => ({
    name: `layers.${index}.${name}`,
    shape,
    trained: !name.startsWith('frozen') && (!('trained' in spec) || spec.trained),
  }));

/** Random matrices that start trained ones are numbered from here, apart from those of half layers. */
const START_TENSORS = 0x80000000;

/**
 * A parameter of layer `index` before training. u = 1, b = 0, d = 0.1 (`calibrate` then fits those of half layers to the data). Others:
 * weights of the stream's `uniform` distribution, variance 1 / fan-in (twice that in front of the relu family, He et al. 2015).
 */
export function initialParameter(
  { spec, index }: Placed,
  { name, shape }: ParameterSpec,
  seed: Seed,
): Float32Array<ArrayBuffer> {
  const [fanIn, columns] = shape as [number, number];
  if (columns === undefined) return new Float32Array(fanIn).fill({ u: 1, d: 0.1 }[name.at(-1)!] ?? 0);
  const relu = 'activation' in spec && ['relu', 'leakyRelu', 'gelu'].includes(spec.activation);
  const scale = weightScale('uniform', fanIn) * (relu ? Math.SQRT2 : 1);
  const weights = { seed, tensor: START_TENSORS + index, distribution: 'uniform' } as const;
  return Float32Array.from(integerWeights(weights, [0, fanIn], [0, columns]), (integer) => scale * integer);
}
