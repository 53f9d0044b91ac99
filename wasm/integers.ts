/**
 * The integers of distributions drawn from bytes, sixteen at a time, as bytes of 128 more than they are: a reader needs no sign where it
 * makes them 16 bits wide. Two loops, words and then what their bytes mean: one would need more registers than x86 has.
 *
 * Compiled with relaxed SIMD too (relaxed.ts): a look-up, and a choice by the highest bit, is then one instruction of
 * x86 instead of several; what those do beyond the range that WebAssembly lays down, relaxed.ts tries first.
 * Tried beside it and slower on x86: magnitudes by eight look-ups instead of five, and bytes sorted by loads that lie one byte apart.
 */
import { TABLES, WEIGHTS } from './memory';
import { MULTIPLIER, WEYL, wordsBy } from './stream';

export const NORMAL: i32 = 0;
export const UNIFORM: i32 = 1;

/** What the bytes of even inputs mean, then of odd ones: five vectors each. */
const MAGNITUDES: usize = TABLES;
const SPARE: usize = TABLES + 192;
/** The counters of the words to make, `COUNTER` bytes from one to the next; the row kernel keeps more beside them. At most WORDS. */
export const COUNTERS: usize = TABLES + 256;
export const COUNTER: usize = 24;
export const WORDS: i32 = 128;
/** Room for the integers of WORDS words, and one more. */
export const INTEGERS: usize = TABLES + 4096;

/** The vector, loaded: V8 keeps one that it has loaded in a register, and makes a constant anew in each turn of a loop. */
// @ts-ignore: decorator
@inline
export function inRegister(value: v128): v128 {
  v128.store(SPARE, value);
  return v128.load(SPARE);
}

/**
 * For `normal`, whose weights stand in WEIGHTS.
 * With b = 128 + index, a magnitude below index 96 is (b + entry + 1) >> 1 less 128, where the entry belongs to a pair of indices:
 * 48 bytes. From 96 on the entry is 0, and what the magnitude then lacks is in 32 bytes.
 */
export function tableMagnitudes(): void {
  for (let odd: usize = 0; odd < 2; odd++) {
    const from = WEIGHTS + (odd << 10);
    const to = MAGNITUDES + odd * 80;
    for (let i: usize = 0; i < 96; i += 2) {
      const both = <i32>load<f32>(from + (i << 2)) + <i32>load<f32>(from + (i << 2), 4);
      store<u8>(to + (i >> 1), both + 127 - <i32>i);
    }
    for (let i: usize = 96; i < 128; i++) {
      const rest = <i32>load<f32>(from + (i << 2)) + 128 - ((<i32>i + 129) >> 1);
      store<u8>(to + 48 + (ASC_FEATURE_RELAXED_SIMD ? (i - 96) ^ 15 : i - 96), rest);
    }
    if (ASC_FEATURE_RELAXED_SIMD) {
      // Look-ups there answer for a table's range and for all below it (or above): what is not meant is taken out again.
      for (let i: usize = 0; i < 32; i++) store<u8>(to + i, load<u8>(to + i) ^ load<u8>(to + i, 16));
      for (let i: usize = 48; i < 64; i++) store<u8>(to + i, load<u8>(to + i, 16) ^ load<u8>(to + i), 16);
    }
  }
}

/** Bytes of the words, of eight units. */
function makeBytes(end: usize, key0: usize, key1: usize, to: usize): void {
  const a0 = v128.load(key0);
  const b0 = v128.load(key0, 16);
  const a1 = v128.load(key1);
  const b1 = v128.load(key1, 16);
  const oddA = inRegister(v128.or(a1, i32x4.splat(1)));
  const oddB = inRegister(v128.or(b1, i32x4.splat(1)));
  const multiplier = inRegister(i32x4.splat(MULTIPLIER));
  const low = inRegister(i16x8.splat(255));
  for (let p = COUNTERS; p < end; p += COUNTER, to += 32) {
    const counter = v128.load32_splat(p);
    const a = wordsBy(i32x4.add(a0, counter), a1, oddA, multiplier);
    const b = wordsBy(i32x4.add(b0, counter), b1, oddB, multiplier);
    if (ASC_FEATURE_RELAXED_SIMD) {
      v128.store(to, i8x16.relaxed_laneselect(a, i16x8.shl(b, 8), low));
      v128.store(to, i8x16.relaxed_laneselect(i16x8.shr_u(a, 8), b, low), 16);
    } else {
      v128.store(to, v128.or(v128.and(a, low), i16x8.shl(b, 8)));
      v128.store(to, v128.or(i16x8.shr_u(a, 8), v128.andnot(b, low)), 16);
    }
  }
}

/** 128 more than the integers of sixteen bytes. A `swizzle` answers 0 for what is beyond its 16 bytes. */
// @ts-ignore: decorator
@inline
function integers(
  byte: v128, zero: v128, c127: v128, c128: v128, c144: v128, c160: v128, c224: v128, c240: v128,
  t0: v128, t1: v128, t2: v128, t3: v128, t4: v128,
): v128 {
  const b = v128.or(byte, c128);
  const pair = i8x16.avgr_u(b, c127); // 128 more than the index of the pair
  const p0 = i8x16.swizzle(t0, v128.xor(pair, c128));
  const p1 = i8x16.swizzle(t1, v128.xor(pair, c144));
  const p2 = i8x16.swizzle(t2, v128.xor(pair, c160));
  const rest = v128.or(i8x16.swizzle(t3, v128.xor(b, c224)), i8x16.swizzle(t4, v128.xor(b, c240)));
  const magnitude = i8x16.add(i8x16.avgr_u(v128.or(v128.or(p0, p1), p2), b), rest);
  const sign = i8x16.lt_s(byte, zero);
  return i8x16.sub(v128.xor(magnitude, sign), sign);
}

/**
 * The same where a look-up answers 0 if the highest bit of its index is set and else heeds the lowest four alone: the index of the pair
 * plus 112, 96 or 80 is below 128 for the first 16, 32 or 48 pairs, 223 less the index from index 96 on, 239 less it from 112 on.
 */
// @ts-ignore: decorator
@inline
function integersRelaxed(
  byte: v128, c31: v128, c63: v128, c95: v128, c111: v128, c128: v128,
  t0: v128, t1: v128, t2: v128, t3: v128, t4: v128,
): v128 {
  const b = v128.or(byte, c128);
  const p0 = i8x16.relaxed_swizzle(t0, i8x16.avgr_u(b, c95));
  const p1 = i8x16.relaxed_swizzle(t1, i8x16.avgr_u(b, c63));
  const p2 = i8x16.relaxed_swizzle(t2, i8x16.avgr_u(b, c31));
  const rest = v128.xor(
    i8x16.relaxed_swizzle(t3, i8x16.sub(c95, b)),
    i8x16.relaxed_swizzle(t4, i8x16.sub(c111, b)),
  );
  const magnitude = i8x16.add(i8x16.avgr_u(v128.xor(v128.xor(p0, p1), p2), b), rest);
  return i8x16.relaxed_laneselect(i8x16.neg(magnitude), magnitude, byte);
}

/** Bytes of even (or odd) inputs, 32 apart, become the integers of `normal`. Two at a time. */
function decodeNormal(from: usize, end: usize, magnitudes: usize): void {
  const t0 = v128.load(magnitudes);
  const t1 = v128.load(magnitudes, 16);
  const t2 = v128.load(magnitudes, 32);
  const t3 = v128.load(magnitudes, 48);
  const t4 = v128.load(magnitudes, 64);
  const c128 = inRegister(i8x16.splat(-128));
  if (ASC_FEATURE_RELAXED_SIMD) {
    const c31 = inRegister(i8x16.splat(31));
    const c63 = inRegister(i8x16.splat(63));
    const c95 = inRegister(i8x16.splat(95));
    const c111 = inRegister(i8x16.splat(111));
    for (; from < end; from += 64) {
      v128.store(from, integersRelaxed(v128.load(from), c31, c63, c95, c111, c128, t0, t1, t2, t3, t4));
      v128.store(from, integersRelaxed(v128.load(from, 32), c31, c63, c95, c111, c128, t0, t1, t2, t3, t4), 32);
    }
  } else {
    const zero = inRegister(i8x16.splat(0));
    const c127 = inRegister(i8x16.splat(127));
    const c144 = inRegister(i8x16.splat(-112));
    const c160 = inRegister(i8x16.splat(-96));
    const c224 = inRegister(i8x16.splat(-32));
    const c240 = inRegister(i8x16.splat(-16));
    for (; from < end; from += 64) {
      const a = v128.load(from);
      v128.store(from, integers(a, zero, c127, c128, c144, c160, c224, c240, t0, t1, t2, t3, t4));
      const b = v128.load(from, 32);
      v128.store(from, integers(b, zero, c127, c128, c144, c160, c224, c240, t0, t1, t2, t3, t4), 32);
    }
  }
}

/** Bytes of even and odd inputs become the integers of `uniform` or `sparse`. */
function decodePlain(from: usize, end: usize, kind: i32): void {
  const one = inRegister(i8x16.splat(1));
  const c128 = inRegister(i8x16.splat(-128));
  if (kind == UNIFORM) {
    for (let p = from; p < end; p += 16) v128.store(p, v128.xor(v128.or(v128.load(p), one), c128));
    return;
  }
  const c127 = inRegister(i8x16.splat(127));
  const c84 = inRegister(i8x16.splat(84));
  const zero = inRegister(i8x16.splat(0));
  for (let p = from; p < end; p += 16) {
    const byte = v128.load(p);
    const some = i8x16.gt_s(v128.and(byte, c127), c84);
    v128.store(p, v128.xor(v128.and(some, v128.or(i8x16.lt_s(byte, zero), one)), c128));
  }
}

/**
 * The integers of eight units for `count` words from `to` on, 32 bytes a word: of inputs 0 and 2 of units 0 and 4, of 1 and 5, ..., then of
 * inputs 1 and 3. What stands behind them is lost where the words are odd in number: 32 bytes. kind: NORMAL, for which
 * tableMagnitudes has run, UNIFORM, else `sparse`.
 */
export function makeIntegers(count: usize, key0: usize, key1: usize, kind: i32, to: usize): void {
  const end = to + (count << 5);
  makeBytes(COUNTERS + count * COUNTER, key0, key1, to);
  if (kind == NORMAL) {
    decodeNormal(to, end, MAGNITUDES);
    decodeNormal(to + 16, end, MAGNITUDES + 80);
  } else {
    decodePlain(to, end, kind);
  }
}

/** Sets the counters of `count` words from `first` on. */
export function setCounters(first: i32, count: i32): void {
  for (let i = 0; i < count; i++) store<i32>(COUNTERS + <usize>i * COUNTER, (first + i) * WEYL);
}
