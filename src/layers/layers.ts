/** Layers as plain specifications, and the nodes that they add to a graph. */
import { type ActivationName, activationNames } from '../activations.ts';
import { ShapeError } from '../errors.ts';
import { epilogue, type Graph, matmul, parameter, randomMatmul, type Value } from '../graph.ts';
import { type DistributionName, distributionNames, integerWeights, weightScale } from '../weights/distributions.ts';
import type { Seed } from '../weights/stream.ts';

/**
 * A half layer (Alpaydin, arXiv:2506.04352): y = g(u * (r . x) + b) with fixed random r, regenerated and never stored.
 * Trained are u and b, two numbers a unit; with `trained: false` nothing is (a random layer).
 */
export interface HalfSpec {
  readonly kind: 'half';
  readonly units: number;
  readonly weights: DistributionName;
  readonly activation: ActivationName;
  readonly trained: boolean;
}

/** A fully trained layer: y = g(x W + b), W (fan-in, units). */
export interface DenseSpec {
  readonly kind: 'dense';
  readonly units: number;
  readonly activation: ActivationName;
}

export type LayerSpec = HalfSpec | DenseSpec;

function checkLayer({ units, activation }: { units: number; activation: ActivationName }, kind: string): void {
  if (!Number.isSafeInteger(units) || units < 1) {
    throw new ShapeError(`${kind}: expected units to be a positive integer, got ${units}`);
  }
  if (!activationNames.includes(activation)) {
    throw new ShapeError(
      `${kind}: expected activation to be one of ${activationNames.join(', ')}; got '${activation}'`,
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

/** A half layer: `units` scales and biases are trained, the weights are not. */
export function halfDense({ units, weights = 'normal', activation = 'relu' }: HalfOptions): HalfSpec {
  checkLayer({ units, activation }, 'halfDense');
  if (!distributionNames.includes(weights)) {
    throw new ShapeError(`halfDense: expected weights to be one of ${distributionNames.join(', ')}; got '${weights}'`);
  }
  return { kind: 'half', units, weights, activation, trained: true };
}

/** A random layer: like `halfDense`, with the scales and biases of its calibrated start kept as they are. */
export function randomDense(options: HalfOptions): HalfSpec {
  return { ...halfDense(options), trained: false };
}

/** A fully trained layer. */
export function dense({ units, activation = 'identity' }: { units: number; activation?: ActivationName }): DenseSpec {
  checkLayer({ units, activation }, 'dense');
  return { kind: 'dense', units, activation };
}

/** A parameter of a layer: its name in the model, shape, and whether training changes it. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly trained: boolean;
}

/** Parameters of layer `index`, in the order of the model file. */
export function layerParameters(spec: LayerSpec, index: number, fanIn: number): ParameterSpec[] {
  const of = (name: string, shape: number[], trained: boolean) => ({ name: `layers.${index}.${name}`, shape, trained });
  return spec.kind === 'half'
    ? [of('u', [spec.units], spec.trained), of('b', [spec.units], spec.trained)]
    : [of('weight', [fanIn, spec.units], true), of('b', [spec.units], true)];
}

/** Random matrices that start dense layers are numbered from here, apart from those of half layers. */
const DENSE_TENSORS = 0x80000000;

/**
 * Parameters of layer `index` before training. Half: u = 1, b = 0 (`calibrate` then fits them to the data). Dense: weights
 * of the stream's `uniform` distribution, variance 1 / fan-in (twice that in front of the relu family, He et al. 2015), b = 0.
 */
export function initialParameters(
  spec: LayerSpec,
  index: number,
  fanIn: number,
  seed: Seed,
): Float32Array<ArrayBuffer>[] {
  const zeros = new Float32Array(spec.units);
  if (spec.kind === 'half') return [new Float32Array(spec.units).fill(1), zeros];
  const relu = spec.activation === 'relu' || spec.activation === 'leakyRelu' || spec.activation === 'gelu';
  const scale = weightScale('uniform', fanIn) * (relu ? Math.SQRT2 : 1);
  const integers = integerWeights(
    { seed, tensor: DENSE_TENSORS + index, distribution: 'uniform' },
    [0, fanIn],
    [0, spec.units],
  );
  const weight = Float32Array.from(integers, (integer) => scale * integer);
  return [weight, zeros];
}

/** Adds layer `index` to the graph. Returns its pre-epilogue product z and its output y. */
export function addLayer(graph: Graph, spec: LayerSpec, index: number, seed: Seed, x: Value): { z: Value; y: Value } {
  const fanIn = x.shape[1]!;
  const [first, b] = layerParameters(spec, index, fanIn).map((p) => parameter(graph, p.name, p.shape, p.trained));
  if (spec.kind === 'half') {
    const z = randomMatmul(graph, x, { seed, tensor: index, distribution: spec.weights }, spec.units);
    return { z, y: epilogue(graph, z, first!, b!, spec.activation) };
  }
  const z = matmul(graph, x, first!);
  return { z, y: epilogue(graph, z, undefined, b!, spec.activation) };
}
