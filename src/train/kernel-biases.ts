/**
 * The biases of random kernels, from data, as MiniRocket sets them (Dempster, Schmidt, Webb, 2021): each is a quantile of
 * the kernel's own results on training signals, so that every feature divides them. The same signals, seed and layer
 * give the same biases on every backend.
 */
import { halfBits, halfValue, LARGEST_HALF } from '../core/float16.ts';
import type { KernelSpec } from '../weights/kernel-spec.ts';
import { kernelIntegers, kernelOf } from '../weights/random-kernels.ts';
import { philox4x32, STREAM_VERSION, splitSeed, streamWord } from '../weights/stream.ts';

/** A unit looks at as many signals as together have this many results, at least at one. */
const RESULTS = 4096;

/** Third counter word of Philox for the signals that a unit looks at (weights/fields.ts lists others). */
const SIGNALS = 6;

/** Steps of 2^32 divided by the golden ratio: the quantiles of the units, spread as evenly as any number of them can be. */
const GOLDEN = 0x9e3779b9;

/**
 * Minus the quantile of each unit, (units); `x` holds signals (rows, length, channels). Rounded to half precision, so
 * that a model file with F16 numbers holds the same biases.
 */
export function kernelBiases(weights: KernelSpec, units: number, x: Float32Array): Float32Array<ArrayBuffer> {
  const size = weights.length * weights.channels;
  const rows = x.length / size;
  const { low, high } = splitSeed(weights.seed);
  return Float32Array.from({ length: units }, (_, unit) => {
    const kernel = kernelOf(weights, unit);
    const integers = kernelIntegers(weights, unit);
    const [key0, key1] = philox4x32([unit, weights.tensor, SIGNALS, STREAM_VERSION], [low, high]);
    const count = Math.min(rows, Math.ceil(RESULTS / kernel.positions));
    const results = new Float32Array(count * kernel.positions);
    for (let i = 0; i < count; i++) {
      const row = Math.floor((streamWord(key0, key1, i) * rows) / 2 ** 32);
      const at = results.subarray(i * kernel.positions, (i + 1) * kernel.positions);
      convolve(x.subarray(row * size, (row + 1) * size), weights, kernel, integers, at);
    }
    const place = ((Math.imul(unit + 1, GOLDEN) >>> 0) / 2 ** 32) * (results.length - 1);
    results.sort();
    const before = results[Math.floor(place)]!;
    const after = results[Math.min(Math.floor(place) + 1, results.length - 1)]!;
    const bias = -(before + (place % 1) * (after - before));
    return Math.abs(bias) > LARGEST_HALF ? bias : halfValue(halfBits(bias));
  });
}

/** Writes the kernel's result at each position, scale included. */
function convolve(
  signal: Float32Array,
  { taps, length, channels: stride }: KernelSpec,
  { dilation, left, channels, scale }: ReturnType<typeof kernelOf>,
  integers: Int32Array,
  results: Float32Array,
): void {
  for (const [c, channel] of channels.entries()) {
    for (let tap = 0; tap < taps; tap++) {
      const weight = scale * integers[c * taps + tap]!;
      const shift = tap * dilation - left;
      const end = Math.min(results.length, length - shift);
      for (let i = Math.max(0, -shift); i < end; i++) results[i]! += weight * signal[(i + shift) * stride + channel]!;
    }
  }
}
