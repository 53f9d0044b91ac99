/** One dense layer with bias and ReLU, forward: y = relu(u * (x r) + b). Stored weights hold u * r. */
import { epilogue } from '../../src/reference/epilogue.ts';
import { randomMatmul } from '../../src/reference/random_matmul.ts';
import {
  type DistributionName,
  type ElementwiseName,
  integerWeights,
  type WeightSpec,
  weightScale,
} from '../../src/weights/distributions.ts';
import type { Variant } from '../engines/engine.ts';
import { uniform } from '../random.ts';
import type { Tolerance } from '../verify.ts';

export interface ForwardTask {
  readonly kind: 'forward';
  /** Rows, inputs, units. */
  readonly m: number;
  readonly k: number;
  readonly n: number;
  /**
   * Runs only our engine, with every applicable kernel (src/gpu/choose/forward-kernels.ts) instead of the planned one.
   */
  readonly kernels?: boolean;
}

export interface ForwardData {
  /** (m, k), of mean square 1. */
  readonly x: Float32Array<ArrayBuffer>;
  /** Scale and bias of each unit (n). */
  readonly u: Float32Array<ArrayBuffer>;
  readonly b: Float32Array<ArrayBuffer>;
  /** (k, n) weights u * r, in the layout of a dense layer. */
  weights(): Float32Array<ArrayBuffer>;
  /** (k, n) integers of r, and the scale that turns them into weights. */
  integers(distribution: DistributionName): { readonly integers: Int8Array; readonly scale: number };
}

export const LAYERS = [
  [784, 1024],
  [1024, 1024],
  [4096, 4096],
] as const;
export const BATCHES = [1, 8, 64, 256] as const;

/** All shapes, or with `quick` the few most informative ones. */
export function forwardTasks(quick: boolean): ForwardTask[] {
  if (quick) {
    return [
      { kind: 'forward', m: 1, k: 784, n: 1024 },
      { kind: 'forward', m: 64, k: 784, n: 1024 },
      { kind: 'forward', m: 1, k: 4096, n: 4096 },
    ];
  }
  return LAYERS.flatMap(([k, n]) => BATCHES.map((m): ForwardTask => ({ kind: 'forward', m, k, n })));
}

export const weightSpec = (distribution: DistributionName): WeightSpec => ({ seed: 7, tensor: 0, distribution });

export function forwardData({ m, k, n }: ForwardTask): ForwardData {
  const u = uniform(n, 2, [0.5, 1.5]);
  const integers = (distribution: ElementwiseName) => ({
    integers: integerWeights({ seed: 7, tensor: 0, distribution }, [0, k], [0, n]),
    scale: weightScale(distribution, k),
  });
  return {
    x: uniform(m * k, 1, [-Math.sqrt(3), Math.sqrt(3)]),
    u,
    b: uniform(n, 3, [-0.5, 0.5]),
    integers,
    weights() {
      const { integers: w, scale } = integers('normal');
      return Float32Array.from(w, (value, i) => u[i % n]! * scale * value);
    },
  };
}

/** The layer's outputs in float64. */
export function forwardReference({ m, k, n }: ForwardTask, { distribution }: Variant, data: ForwardData): Float64Array {
  const z = randomMatmul({ m, k, n, weights: weightSpec(distribution), x: data.x });
  return epilogue({ m, n, z, u: data.u, b: data.b, activation: 'relu' });
}

export const forwardTolerance = ({ k }: ForwardTask): Tolerance => ({
  absolute: 16 * Math.sqrt(k) * 2 ** -24,
  relative: 2 ** -20,
  reason: 'f32 sums of k products in any order: errors walk at random, 16 times their deviation',
});

export const forwardMacs = ({ m, k, n }: ForwardTask): number => m * k * n;

/** Minimum number of bytes that a call moves: weights, inputs, outputs, bias. */
export const forwardBytes = ({ m, k, n }: ForwardTask, { weightBytes }: Variant): number =>
  weightBytes + 4 * (m * k + m * n + n);
