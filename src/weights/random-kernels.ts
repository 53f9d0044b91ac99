/**
 * Random kernels along signals (SPEC.md, 4.7): convolution filters of mean 0 with a random dilation, padding and choice
 * of channels each. Contains the CPU twin and the packed description from which kernels regenerate the weights.
 */
import { distributions, weightScale } from './distributions.ts';
import { checkKernels, type KernelSpec } from './kernel-spec.ts';
import { philox4x32, STREAM_VERSION, splitSeed, streamWord, unitKey, unitKeys } from './stream.ts';

/** Where a kernel lies. */
export interface Kernel {
  /** Samples from one tap to the next. */
  readonly dilation: number;
  /** Zeros before the signal; without padding 0. */
  readonly left: number;
  /** How many times the kernel is applied. */
  readonly positions: number;
  /** The channels that it sees, in the order of their weights. */
  readonly channels: readonly number[];
  /** Factor of the integers, f32. */
  readonly scale: number;
}

/** The most channels that a kernel sees. */
export const MOST_CHANNELS = 9;
/** 65536 * 2^(i / 16), rounded down: the steps of an octave. */
const OCTAVE = [
  65536, 68437, 71467, 74631, 77935, 81386, 84989, 88752, 92681, 96785, 101070, 105545, 110217, 115097, 120193, 125514,
];

/** floor(2^(t / 16)), a logarithmic scale of whole numbers. */
const step = (t: number): number => Math.floor((OCTAVE[t % 16]! * 2 ** Math.floor(t / 16)) / 65536);

/** floor(word * count / 2^32), exact for counts up to 2^21. */
const below = (count: number, word: number): number => Math.floor((word * count) / 2 ** 32);

/** A whole number from 1 to `most`, evenly on a logarithmic scale. */
function logarithmic(most: number, word: number): number {
  let steps = 16;
  while (step(steps) <= most) steps++;
  return step(below(steps, word));
}

/** Third counter word of Philox for the places of kernels (fields.ts lists the others). */
const PLACES = 5;

/** Where the kernel of a unit lies. Throws `ShapeError` for a bank that the specification does not define. */
export function kernelOf(spec: KernelSpec, unit: number): Kernel {
  checkKernels(spec);
  const { seed, tensor, distribution, taps, length, channels } = spec;
  const { low, high } = splitSeed(seed);
  const [key0, key1] = philox4x32([unit, tensor, PLACES, STREAM_VERSION], [low, high]);
  const word = (index: number) => streamWord(key0, key1, index);
  const dilation = logarithmic(Math.max(1, Math.floor((length - 1) / (taps - 1))), word(0));
  const span = (taps - 1) * dilation;
  const padded = unit % 2 === 0 || span >= length;
  const count = logarithmic(Math.min(channels, MOST_CHANNELS), word(1));
  const chosen: number[] = [];
  for (let i = 0; i < count; i++) {
    const last = channels - count + i;
    const drawn = below(last + 1, word(2 + i));
    chosen.push(chosen.includes(drawn) ? last : drawn);
  }
  return {
    dilation,
    left: padded ? Math.floor(span / 2) : 0,
    positions: padded ? length : length - span,
    channels: chosen,
    scale: weightScale(distribution, taps * taps * (taps - 1) * count),
  };
}

/** The integers of a unit's kernel: (channels that it sees, taps) row-major. Each row has the sum 0. */
export function kernelIntegers(spec: KernelSpec, unit: number): Int32Array<ArrayBuffer> {
  const { taps, seed, tensor, distribution } = spec;
  const { channels } = kernelOf(spec, unit);
  const [key0, key1] = unitKey(seed, tensor, unit);
  const { decode, weightsPerWord } = distributions[distribution];
  const integers = new Int32Array(channels.length * taps);
  for (let c = 0; c < channels.length; c++) {
    const drawn = Array.from({ length: taps }, (_, tap) => {
      const k = c * taps + tap;
      return decode(streamWord(key0, key1, Math.floor(k / weightsPerWord)), k);
    });
    const sum = drawn.reduce((a, b) => a + b, 0);
    for (const [tap, w] of drawn.entries()) integers[c * taps + tap] = taps * w - sum;
  }
  return integers;
}

/** Number of words that describe a unit to a kernel. */
export const KERNEL_WORDS = 16;
/** Which of them holds the bits of the scale. */
export const SCALE_WORD = 6;

/**
 * The `kernels: array<u32>` that shaders read, 16 words per unit: its key (2), dilation, zeros before the signal,
 * positions, number of channels, bits of the scale, and up to nine channels.
 */
export function kernelWords(spec: KernelSpec, units: number, from = 0): Uint32Array<ArrayBuffer> {
  const keys = unitKeys(spec.seed, spec.tensor, units, from);
  const words = new Uint32Array(KERNEL_WORDS * units);
  const floats = new Float32Array(words.buffer);
  for (let i = 0; i < units; i++) {
    const { dilation, left, positions, channels, scale } = kernelOf(spec, from + i);
    const at = KERNEL_WORDS * i;
    words.set([keys[2 * i]!, keys[2 * i + 1]!, dilation, left, positions, channels.length, 0, ...channels], at);
    floats[at + SCALE_WORD] = scale;
  }
  return words;
}
