/**
 * The weight stream, version 1: the CPU twin of `shaders/stream.wgsl`. SPEC.md specifies it; the golden vectors in
 * `src/weights/golden/stream-v1.txt` freeze it.
 */
import { ShapeError } from '../core/errors.ts';

/** Version of the weight stream that this library reads and writes; stored in every model file. */
export const STREAM_VERSION = 1;

/** A 64-bit seed: a safe integer from 0 to 2^53 - 1, or a bigint from 0 to 2^64 - 1. */
export type Seed = number | bigint;

/** The seed as two u32 halves. Throws `RangeError` if it is not an integer in range. */
export function splitSeed(seed: Seed): { low: number; high: number } {
  const valid = typeof seed === 'bigint' ? seed >= 0n && seed < 1n << 64n : Number.isSafeInteger(seed) && seed >= 0;
  if (!valid) {
    throw new RangeError(`seed: expected an integer from 0 to 2^53 - 1 (or a bigint below 2^64), got ${String(seed)}`);
  }
  const big = BigInt(seed);
  return { low: Number(big & 0xffffffffn), high: Number(big >> 32n) };
}

export const PHILOX_MULTIPLIERS = [0xd2511f53, 0xcd9e8d57] as const;
export const PHILOX_WEYL = [0x9e3779b9, 0xbb67ae85] as const;

/** High 32 bits of the 64-bit product of two u32. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16); // below 2^32
  const cross = aLow * bHigh + (middle % 0x10000); // below 2^32
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000)) >>> 0;
}

/**
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC 2011): the strong hash
 * that derives every key of the stream.
 */
export function philox4x32(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(PHILOX_MULTIPLIERS[0], c0);
    const low0 = Math.imul(PHILOX_MULTIPLIERS[0], c0) >>> 0;
    const high1 = multiplyHigh(PHILOX_MULTIPLIERS[1], c2);
    const low1 = Math.imul(PHILOX_MULTIPLIERS[1], c2) >>> 0;
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + PHILOX_WEYL[0]) >>> 0;
    k1 = (k1 + PHILOX_WEYL[1]) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** The two-word key of one unit (SPEC.md, section 2). `tensor` and `unit` are u32. */
export function unitKey(seed: Seed, tensor: number, unit: number): [number, number] {
  checkIndex('tensor', tensor);
  checkIndex('unit', unit);
  const { low, high } = splitSeed(seed);
  const [first, second] = philox4x32([unit, tensor, 0, STREAM_VERSION], [low, high]);
  return [first, second];
}

/** The most units whose keys are made at once: they take 1 GiB. */
const MOST_UNITS = 2 ** 27;

/** Keys of units `from` to `from + count - 1`, two u32 per unit: the `keys: array<vec2u>` that kernels read. */
export function unitKeys(seed: Seed, tensor: number, count: number, from = 0): Uint32Array<ArrayBuffer> {
  checkIndex('tensor', tensor);
  checkIndex('first unit', from);
  checkIndex('last unit', from + Math.max(count, 1) - 1);
  if (count > MOST_UNITS)
    throw new ShapeError(`expected at most ${MOST_UNITS} units at a time, got ${count}. Split them.`);
  const { low, high } = splitSeed(seed);
  const keys = new Uint32Array(2 * count);
  for (let i = 0; i < count; i++) {
    const [first, second] = philox4x32([from + i, tensor, 0, STREAM_VERSION], [low, high]);
    keys[2 * i] = first;
    keys[2 * i + 1] = second;
  }
  return keys;
}

/** Constants of section 3: the factor of the word index, and the second multiplier. */
export const WORD_WEYL = 0x9e3779b9;
export const WORD_MULTIPLIER = 0x735a2d97;

/** Word `index` of the unit that owns the key (SPEC.md, section 3): a u32. */
export function streamWord(key0: number, key1: number, index: number): number {
  let h = (key0 + Math.imul(index, WORD_WEYL)) | 0;
  h ^= h >>> 16;
  h = Math.imul(h, key1 | 1);
  h = ((h ^ (h >>> 15)) + key1) | 0;
  h = Math.imul(h, WORD_MULTIPLIER);
  return (h ^ (h >>> 15)) >>> 0;
}

function checkIndex(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw new RangeError(`${name}: expected an integer from 0 to 2^32 - 1, got ${String(value)}`);
  }
}
