/**
 * Integer weights of the distributions drawn from bytes, sixteen at a time. Each is stored as a byte with 128 added, so
 * that a reader can widen it to 16 bits without sign extension. Two loops, first the words, then the weights that their
 * bytes mean: a single loop would need more registers than x86 has.
 *
 * Also compiled with relaxed SIMD (relaxed.ts). A table lookup, or a selection by the highest bit, then takes one x86
 * instruction instead of several. relaxed.ts first checks how these behave outside the range that WebAssembly defines.
 * Tried, and slower on x86: magnitudes by eight lookups instead of five; sorting the bytes by loads one byte apart.
 */
import { TABLES, WEIGHTS } from './memory';
import { MULTIPLIER, WEYL, wordsBy } from './stream';

// The numbers of src/cpu/random_matmul.ts: scripts/distributions.mjs compares them.
export const NORMAL: i32 = 0;
export const UNIFORM: i32 = 1;
export const SPARSE: i32 = 2;

/** Lookup tables for the bytes of even inputs, then of odd inputs: five vectors each. */
const MAGNITUDES: usize = TABLES;
const SPARE: usize = TABLES + 192;
/** Counters of the words to generate, at most WORDS, `COUNTER` bytes apart; the row kernel stores more in between. */
export const COUNTERS: usize = TABLES + 256;
export const COUNTER: usize = 24;
export const WORDS: i32 = 128;
/** Room for the integers of WORDS words and one more. */
export const INTEGERS: usize = TABLES + 4096;

/** Loads the vector from memory: V8 keeps a loaded vector in a register but rebuilds a constant in every iteration. */
// @ts-ignore: decorator
@inline
export function inRegister(value: v128): v128 {
  v128.store(SPARE, value);
  return v128.load(SPARE);
}

/**
 * Builds the lookup tables for `normal` from the weights in WEIGHTS.
 * With b = 128 + index, a magnitude below index 96 is ((b + entry + 1) >> 1) - 128, with one entry per pair of indices:
 * 48 bytes. From index 96 on the entry is 0, and 32 more bytes hold the difference to the magnitude.
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
      // Those lookups hit a table's own range and everything below it (or above it), so xor removes the unwanted part.
      for (let i: usize = 0; i < 32; i++) store<u8>(to + i, load<u8>(to + i) ^ load<u8>(to + i, 16));
      for (let i: usize = 48; i < 64; i++) store<u8>(to + i, load<u8>(to + i, 16) ^ load<u8>(to + i), 16);
    }
  }
}

/** Writes the bytes of the stream words of eight units. */
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

/** The integers of sixteen bytes, plus 128. A `swizzle` returns 0 for an index beyond its 16 bytes. */
// @ts-ignore: decorator
@inline
function integers(
  byte: v128, zero: v128, c127: v128, c128: v128, c144: v128, c160: v128, c224: v128, c240: v128,
  t0: v128, t1: v128, t2: v128, t3: v128, t4: v128,
): v128 {
  const b = v128.or(byte, c128);
  const pair = i8x16.avgr_u(b, c127); // index of the pair, plus 128
  const p0 = i8x16.swizzle(t0, v128.xor(pair, c128));
  const p1 = i8x16.swizzle(t1, v128.xor(pair, c144));
  const p2 = i8x16.swizzle(t2, v128.xor(pair, c160));
  const rest = v128.or(i8x16.swizzle(t3, v128.xor(b, c224)), i8x16.swizzle(t4, v128.xor(b, c240)));
  const magnitude = i8x16.add(i8x16.avgr_u(v128.or(v128.or(p0, p1), p2), b), rest);
  const sign = i8x16.lt_s(byte, zero);
  return i8x16.sub(v128.xor(magnitude, sign), sign);
}

/**
 * The same for lookups that return 0 if the highest bit of the index is set and otherwise use only the lowest four
 * bits: the pair's index plus 112, 96 or 80 is below 128 for the first 16, 32 or 48 pairs; 223 minus the index is below
 * 128 from index 96 on, 239 minus the index from 112 on.
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

/** Converts bytes of even (or odd) inputs, 32 apart, to the integers of `normal`, two vectors at a time. */
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

/** Converts bytes of even and odd inputs to the integers of UNIFORM or SPARSE. An unknown kind traps. */
function decodePlain(from: usize, end: usize, kind: i32): void {
  const one = inRegister(i8x16.splat(1));
  const c128 = inRegister(i8x16.splat(-128));
  if (kind == UNIFORM) {
    for (let p = from; p < end; p += 16) v128.store(p, v128.xor(v128.or(v128.load(p), one), c128));
    return;
  }
  if (kind != SPARSE) unreachable();
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
 * Writes the integers of eight units for `count` words to `to`, 32 bytes per word: inputs 0 and 2 of units 0 and 4, of
 * units 1 and 5, ..., then inputs 1 and 3. For an odd number of words it also overwrites the next 32 bytes.
 * kind: NORMAL (call tableMagnitudes first), UNIFORM or SPARSE.
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
