import { type SignalPool, signalPools } from '../src/core/signal-pools.ts';
import type { KernelSpec } from '../src/weights/kernel-spec.ts';
import { type Dispatch, fold } from './dispatch.ts';
import source from './random_kernels.wgsl';

export interface RandomKernelsArgs<B> {
  readonly m: number;
  readonly n: number;
  readonly weights: Pick<KernelSpec, 'distribution' | 'taps' | 'length' | 'channels'>;
  readonly pools: readonly SignalPool[];
  /** (m, length, channels) f32. */
  readonly x: B;
  /** `kernelWords` of the n units. */
  readonly kernels: B;
  /** (n) f32. */
  readonly b: B;
  /** (m, pools, n) f32, written. */
  readonly y: B;
}

/** Rows that share the weights of a unit. */
const ROWS = 4;

/** Random kernels of n units along m signals, each pooled to one number for each of `pools`. */
export const randomKernels = <B>({ m, n, weights, pools, x, kernels, b, y }: RandomKernelsArgs<B>): Dispatch<B> => {
  const { distribution, taps, length, channels } = weights;
  const places = signalPools.map((pool) => [pool.toUpperCase(), pools.indexOf(pool)]);
  return {
    source,
    weights: distribution,
    constants: { ROWS: m === 1 ? 1 : ROWS, POOLS: pools.length, ...Object.fromEntries(places) },
    params: { m, n, taps, length, channels },
    buffers: { x, kernels, b, y },
    grid: [...fold(n, 1), Math.ceil(m / (m === 1 ? 1 : ROWS))],
  };
};
