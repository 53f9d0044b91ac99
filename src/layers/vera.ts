/** Dense layers with a VeRA adapter: a fixed stored matrix, and two trained vectors between two random matrices. */
import { type ActivationName, activationNames } from '../core/activations.ts';
import { expectOptions } from '../core/options.ts';
import { product } from '../core/shape.ts';
import { applyFrom, zeros } from '../graph/graph.ts';
import { blockOps } from '../graph/ops/blocks.ts';
import { denseOps } from '../graph/ops/dense.ts';
import type { Value } from '../graph/value.ts';
import { type DistributionName, distributionNames, expectMatrix } from '../weights/distributions.ts';
import { expectCount, expectOneOf, type LayerKinds } from './kind.ts';
import type { VeraSpec } from './specs.ts';

const apply = applyFrom({ ...denseOps, ...blockOps });

export interface VeraOptions {
  /** Columns between A and B. */
  rank: number;
  /**
   * Distribution of A and B; default `normal`. `orthogonal` ones follow from their sizes: layers of different fan-in
   * share nothing.
   */
  weights?: DistributionName;
  /** Default `frozen`. */
  base?: 'frozen' | 'trained';
}

/** What `withVera` takes. */
export const veraOptions = { rank: 'any', weights: 'any', base: 'any' } as const;

/** A dense layer with a VeRA adapter. `withVera` makes them of the dense layers of a trained model. */
export function vera(options: VeraOptions & { units: number; activation?: ActivationName }): VeraSpec {
  expectOptions('vera', options, { ...veraOptions, units: 'any', activation: 'any' });
  const { units, rank, weights = 'normal', activation = 'identity', base = 'frozen' } = options;
  expectCount('vera', 'units', units);
  expectCount('vera', 'rank', rank);
  expectOneOf('vera', 'weights', weights, distributionNames);
  expectOneOf('vera', 'activation', activation, activationNames);
  expectOneOf('vera', 'base', base, ['frozen', 'trained']);
  return { kind: 'vera', units, rank, weights, activation, base };
}

/** W and c. Parameters named `frozen.*` are never trained. */
export const baseNames = ({ base }: Pick<VeraOptions, 'base'>): [string, string] =>
  base === 'trained' ? ['weight', 'bias'] : ['frozen.weight', 'frozen.bias'];

/** A and B, apart from the matrices that are numbered by their layer. */
const [TENSOR_A, TENSOR_B] = [0xe0000000, 0xe0000001];

/** What src/convolution.ts adds to the kinds of layers. */
export const veraKinds = {
  vera: {
    make: vera,
    output({ units, rank, weights }, input) {
      expectMatrix(weights, product(input), rank);
      expectMatrix(weights, rank, units);
      return [units];
    },
    parameters(spec, input) {
      const { units, rank } = spec;
      const [weight, bias] = baseNames(spec);
      return [
        [weight, 'random', product(input), units],
        [bias, 0, units],
        ['d', 0.1, rank],
        ['b', 0, units],
      ];
    },
    obsolete: ['frozen.zeros', 'frozen.zero'],
    regenerated: ({ units, rank }, input) => rank * (product(input) + units),
    add({ graph, spec, seed, x, parameters: [weight, bias, d, b] }) {
      const { units, rank, weights: distribution, activation } = spec;
      const random = (x: Value, tensor: number, units: number) =>
        apply(graph, 'randomMatmul', { x, weights: { seed, tensor, distribution }, units }).z;
      const scaled = (z: Value, u: Value | undefined, b: Value) =>
        apply(graph, 'epilogue', { z, u, b, activation: 'identity' }).y;
      const low = scaled(random(x, TENSOR_A, rank), d, zeros(graph, [rank]));
      const high = random(low, TENSOR_B, units);
      const { c: stored } = apply(graph, 'matmul', { a: x, b: weight! });
      const { c: z } = apply(graph, 'add', { a: stored, b: scaled(high, b, bias!) });
      if (activation === 'identity') return { y: z };
      return { y: apply(graph, 'epilogue', { z, b: zeros(graph, [1]), activation, channels: 1 }).y };
    },
  },
} satisfies LayerKinds;
