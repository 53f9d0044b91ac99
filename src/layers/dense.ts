/** Half, random and dense layers over plain rows of numbers. */
import { type ActivationName, activationNames } from '../core/activations.ts';
import { expectOptions } from '../core/options.ts';
import { product } from '../core/shape.ts';
import { applyFrom } from '../graph/graph.ts';
import { denseOps } from '../graph/ops/dense.ts';
import { type DistributionName, distributionNames, expectMatrix, isElementwise } from '../weights/distributions.ts';
import { orthogonalLogP } from '../weights/orthogonal.ts';
import { type Cost, expectCount, expectOneOf, type LayerKinds, scaleAndBias } from './kind.ts';
import type { DenseSpec, HalfSpec } from './specs.ts';

const apply = applyFrom(denseOps);

export interface HalfOptions {
  units: number;
  /** Distribution of the random weights; default `normal`. */
  weights?: DistributionName;
  /** Default `relu`. */
  activation?: ActivationName;
}

const halfOptions = { units: 'any', weights: distributionNames, activation: activationNames } as const;

/**
 * A half layer: training changes `units` scales and biases, not the weights. With a `rank` it learns the covariance of the weights,
 * which are then drawn from N(0, L L') with a trained factor L (fan-in, rank).
 */
export function halfDense(options: HalfOptions & { rank?: number }): HalfSpec {
  expectOptions('halfDense', options, { ...halfOptions, rank: 'any' });
  const { units, weights = 'normal', activation = 'relu', rank } = options;
  expectCount('halfDense', 'units', units);
  if (rank !== undefined) expectCount('halfDense', 'rank', rank);
  return { kind: 'half', units, weights, activation, trained: true, ...(rank !== undefined && { rank }) };
}

/** A random layer: like `halfDense`, but its scales and biases stay at their calibrated start. */
export function randomDense(options: HalfOptions): HalfSpec {
  expectOptions('randomDense', options, halfOptions);
  return { ...halfDense(options), trained: false };
}

/** A fully trained layer. */
export function dense(options: { units: number; activation?: ActivationName }): DenseSpec {
  expectOptions('dense', options, { units: 'any', activation: activationNames });
  const { units, activation = 'identity' } = options;
  expectCount('dense', 'units', units);
  return { kind: 'dense', units, activation };
}

/** Three fast transforms for each block of units; with a rank, also the product with its factor. */
function orthogonalCost(inputs: number, rank: number | undefined, units: number): Cost {
  const logP = orthogonalLogP(rank ?? inputs);
  const numbers = Math.ceil(units / 2 ** logP) * 2 ** logP;
  return { numbers, multiplyAdds: 3 * logP * numbers + (rank ?? 0) * inputs };
}

/** These kinds are part of the library; others are added to src/layers/kinds.ts when they are used. */
export const denseKinds = {
  half: {
    make({ trained, ...options }: Parameters<typeof halfDense>[0] & { trained: boolean }) {
      expectOneOf('half', 'trained', trained, [true, false]);
      return (trained ? halfDense : randomDense)(options);
    },
    output({ units, rank, weights }, input) {
      expectMatrix(weights, rank ?? product(input), units);
      return [units];
    },
    cost: ({ units, rank, weights }, input) =>
      isElementwise(weights) ? {} : orthogonalCost(product(input), rank, units),
    parameters: ({ units, rank }, input) => [
      ...(rank ? [['factor', 'random', product(input), rank] as const] : []),
      ...scaleAndBias(units),
    ],
    calibrated: true,
    regenerated: ({ units, rank }, input) => units * (rank ?? product(input)),
    add({ graph, spec, index, seed, x, parameters }) {
      const [b, u, factor] = parameters.slice().reverse();
      const weights = { seed, tensor: index, distribution: spec.weights };
      const low = factor ? apply(graph, 'matmul', { a: x, b: factor }).c : x;
      const { z } = apply(graph, 'randomMatmul', { x: low, weights, units: spec.units });
      return { z, y: apply(graph, 'epilogue', { z, u, b: b!, activation: spec.activation }).y };
    },
  },
  dense: {
    make: dense,
    output: ({ units }) => [units],
    parameters: ({ units }, input) => [
      ['weight', 'random', product(input), units],
      ['b', 0, units],
    ],
    add({ graph, spec, x, parameters: [weight, b] }) {
      const { c: z } = apply(graph, 'matmul', { a: x, b: weight! });
      return { z, y: apply(graph, 'epilogue', { z, b: b!, activation: spec.activation }).y };
    },
  },
} satisfies LayerKinds;
