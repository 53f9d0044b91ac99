import type { SignalPool } from '../core/signal-pools.ts';
import type { KernelSpec } from '../weights/kernel-spec.ts';
import { kernelIntegers, kernelOf } from '../weights/random-kernels.ts';

/** The result of a unit's kernel at each position of one signal (length, channels), scale included. */
export function kernelProducts(weights: KernelSpec, unit: number, signal: ArrayLike<number>): Float64Array {
  const { taps, length } = weights;
  const { dilation, left, positions, channels, scale } = kernelOf(weights, unit);
  const integers = kernelIntegers(weights, unit);
  return new Float64Array(positions).map((_, i) => {
    let sum = 0;
    for (const [c, channel] of channels.entries()) {
      for (let tap = 0; tap < taps; tap++) {
        const at = i + tap * dilation - left;
        if (at >= 0 && at < length) sum += integers[c * taps + tap]! * signal[at * weights.channels + channel]!;
      }
    }
    return scale * sum;
  });
}

const pooled: { readonly [P in SignalPool]: (z: Float64Array, b: number) => number } = {
  ppv: (z, b) => z.filter((value) => value > -b).length / z.length,
  max: (z, b) => Math.max(...z) + b,
  mean(z, b) {
    const positive = z.filter((value) => value > -b);
    return positive.reduce((sum, value) => sum + value + b, 0) / (positive.length || 1);
  },
  stretch(z, b) {
    let [run, longest] = [0, 0];
    for (const value of z) {
      run = value > -b ? run + 1 : 0;
      longest = Math.max(longest, run);
    }
    return longest / z.length;
  },
};

/** y (m, pools, n): n random kernels along m signals, each pooled to one number for each of `pools`. */
export function randomKernels({
  m,
  n,
  weights,
  pools,
  x,
  b,
}: {
  m: number;
  n: number;
  weights: KernelSpec;
  pools: readonly SignalPool[];
  x: Float32Array | Float64Array;
  b: ArrayLike<number>;
}): Float64Array {
  const size = weights.length * weights.channels;
  const y = new Float64Array(m * pools.length * n);
  for (let row = 0; row < m; row++) {
    for (let unit = 0; unit < n; unit++) {
      const z = kernelProducts(weights, unit, x.subarray(row * size, (row + 1) * size));
      for (const [p, pool] of pools.entries()) y[(row * pools.length + p) * n + unit] = pooled[pool](z, b[unit]!);
    }
  }
  return y;
}
