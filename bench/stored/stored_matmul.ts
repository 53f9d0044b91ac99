import type { Dispatch } from '../../kernels/dispatch.ts';
import { type ActivationName, activationCode } from '../../src/core/activations.ts';
import { ShapeError } from '../../src/core/errors.ts';
import source from './stored_matmul.wgsl';

/** Formats of stored weights, in bits. */
export const formats = { f32: 32, f16: 16, int8: 8, '1-bit': 1 } as const;
export type Format = keyof typeof formats;

export interface StoredMatmulArgs<B> {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly format: Format;
  /** (m, k) f32. */
  readonly x: B;
  /** `packWeights`. */
  readonly words: B;
  /** (n) f32 each. */
  readonly u: B;
  readonly b: B;
  readonly activation: ActivationName;
  /** (m, n) f32, written. */
  readonly y: B;
}

/** Parameters and bindings of both kernels. Throws `ShapeError` if k is not a multiple of 4. */
export function storedMatmulDispatch<B>(args: StoredMatmulArgs<B>): Omit<Dispatch<B>, 'source' | 'grid'> {
  const { m, k, n, format, activation, ...buffers } = args;
  if (k % 4) throw new ShapeError(`storedMatmul: expected k to be a multiple of 4, got ${k}`);
  return { constants: { BITS: formats[format], ACTIVATION: activationCode(activation) }, params: { m, k, n }, buffers };
}

/** y = g(u * (x w) + b) for several rows. */
export const storedMatmul = <B>(args: StoredMatmulArgs<B>): Dispatch<B> => ({
  source,
  ...storedMatmulDispatch(args),
  grid: [Math.ceil(args.n / 128), Math.ceil(args.m / 8), 1],
});

/** The 16 bits of the nearest f16, ties to even. Throws `RangeError` outside the normal range of f16. */
export function halfBits(value: number): number {
  if (value === 0) return Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  let exponent = Math.floor(Math.log2(size));
  const scaled = (size / 2 ** exponent) * 1024;
  let mantissa = Math.round(scaled);
  if (scaled % 1 === 0.5) mantissa = 2 * Math.round(scaled / 2);
  if (mantissa === 2048) {
    mantissa = 1024;
    exponent++;
  }
  if (exponent < -14 || exponent > 15) throw new RangeError(`halfBits: expected a normal f16, got ${value}`);
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | (mantissa - 1024);
}

/**
 * Integer weights (k, n) as words (ceil(k * bits / 32), n), the first input in the lowest bits. 1-bit: w is -1 or 1.
 */
export function packWeights(format: Format, weights: Int8Array, k: number, n: number): Uint32Array<ArrayBuffer> {
  const bits = formats[format];
  const perWord = 32 / bits;
  const words = new Uint32Array(Math.ceil(k / perWord) * n);
  if (format === 'f32') return new Uint32Array(Float32Array.from(weights).buffer);
  const code = (w: number) => (format === '1-bit' ? (w < 0 ? 1 : 0) : format === 'int8' ? w & 0xff : halfBits(w));
  const codes = Array.from({ length: 256 }, (_, i) => code((i << 24) >> 24));
  for (let i = 0; i < weights.length; i++) {
    const input = Math.floor(i / n);
    words[Math.floor(input / perWord) * n + (i % n)]! |= codes[weights[i]! & 0xff]! << (bits * (input % perWord));
  }
  return words;
}
