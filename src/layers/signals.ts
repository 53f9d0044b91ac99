/** Random kernels along signals: a layer of fixed random convolutions, each pooled to one number. */
import { ShapeError } from '../core/errors.ts';
import { expectOptions } from '../core/options.ts';
import { product } from '../core/shape.ts';
import { type SignalPool, signalPools } from '../core/signal-pools.ts';
import { applyFrom } from '../graph/graph.ts';
import { signalOps } from '../graph/ops/signals.ts';
import { type ElementwiseName, elementwiseNames } from '../weights/distributions.ts';
import { checkKernels, type KernelSpec } from '../weights/kernel-spec.ts';
import { MOST_CHANNELS } from '../weights/random-kernels.ts';
import type { Seed } from '../weights/stream.ts';
import { expectCount, expectOneOf, type LayerKinds } from './kind.ts';
import type { RandomKernelsSpec, Shape } from './specs.ts';

const apply = applyFrom(signalOps);

/** The host finds the place of each kernel. */
const MOST_KERNELS = 2 ** 20;

export interface RandomKernelsOptions {
  /** Kernels, at most 1,048,576: each gives one feature for each of `pools`. */
  units: number;
  /** Weights of a kernel along the signal; default 9. */
  taps?: number;
  /** Distribution of the weights, before each kernel is made to sum to 0; default `binary`. */
  weights?: ElementwiseName;
  /** What is taken of each result; default only `ppv`, the proportion of positive values. */
  pools?: readonly SignalPool[];
}

/**
 * Random convolutions along a signal (length) or (length, channels), after ROCKET (Dempster, Petitjean, Webb, 2020):
 * each unit has a random kernel of mean 0 with a dilation, padding and choice of channels of its own, all drawn from the
 * seed (src/weights/SPEC.md, 4.7), and gives one number for each pool. Nothing of it is trained: `fitSignals`
 * sets its biases to quantiles of its results on training signals, `fit` leaves them at 0. Throws `OptionError` and
 * `ShapeError`.
 */
export function randomKernels1d(options: RandomKernelsOptions): RandomKernelsSpec {
  expectOptions('randomKernels1d', options, {
    units: 'number',
    taps: 'number',
    weights: 'any',
    pools: 'any',
  });
  const { units, taps = 9, weights = 'binary', pools = ['ppv'] } = options;
  expectCount('randomKernels1d', 'units', units);
  if (units > MOST_KERNELS) {
    throw new ShapeError(`randomKernels1d: expected at most ${MOST_KERNELS} units, got ${units}. Use several layers.`);
  }
  expectOneOf('randomKernels1d', 'weights', weights, elementwiseNames);
  const asked = Array.isArray(pools) ? pools : [pools];
  for (const pool of asked) expectOneOf('randomKernels1d', 'pools', pool, signalPools);
  const ordered = signalPools.filter((pool) => asked.includes(pool));
  if (ordered.length === 0) throw new ShapeError('randomKernels1d: expected at least one pool, got none');
  checkKernels({ taps, length: 1, channels: 1 });
  return { kind: 'randomKernels', units, taps, weights, pools: ordered, trained: false };
}

/** The signal that an input of this shape is. Throws `ShapeError` where it is none. */
function signalOf(taps: number, input: Shape) {
  const [length, channels = 1] = input as [number, number?];
  if (input.length > 2) {
    throw new ShapeError(
      `expected a signal (length) or (length, channels) under random kernels, got (${input.join(', ')})`,
    );
  }
  checkKernels({ taps, length, channels });
  return { taps, length, channels };
}

/** The bank of kernels of a layer at its place in a model. */
export const bankOf = (
  spec: RandomKernelsSpec,
  { input, seed, index }: { input: Shape; seed: Seed; index: number },
): KernelSpec => ({ seed, tensor: index, distribution: spec.weights, ...signalOf(spec.taps, input) });

/** What src/signals.ts adds to the kinds of layers. */
export const signalKinds = {
  randomKernels: {
    make({ trained, ...options }: RandomKernelsOptions & { trained: boolean }) {
      expectOneOf('randomKernels', 'trained', trained, [false]);
      return randomKernels1d(options);
    },
    output({ units, pools, taps }, input) {
      signalOf(taps, input);
      return [pools.length * units];
    },
    parameters: ({ units }) => [['b', 0, units]],
    regenerated: ({ units, taps }, input) => units * taps * Math.min(input[1] ?? 1, MOST_CHANNELS),
    cost: ({ units, taps }, input) => ({
      numbers: 4 * product(input),
      multiplyAdds: units * taps * input[0]! * Math.min(input[1] ?? 1, MOST_CHANNELS),
    }),
    add({ graph, spec, index, seed, input, x, parameters: [b] }) {
      const weights = bankOf(spec, { input, seed, index });
      const { y } = apply(graph, 'randomKernels', { x, b: b!, weights, units: spec.units, pools: spec.pools });
      return { y };
    },
  },
} satisfies LayerKinds;
