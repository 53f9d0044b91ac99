/**
 * z (n) += x (k) times the random (n, k) integers of a distribution drawn from bytes: one row. Up to 512 inputs make a block; each
 * input becomes an integer of 30 bits and a sign, scaled by the power of two that the largest of its block allows, in two halves of
 * 16 bits, for 16-bit dot products. Those are exact; an input is rounded by 2^-30 of the largest of its block at most, which is less
 * than f32 sums lose. Four inputs that are 0 cost nothing.
 * A block runs in three loops over eight units: words, then the integers of their bytes, then sums. One loop would need
 * more registers than x86 has, and sums that are kept in memory wait for one another. Integers stand as bytes of 128 more than they
 * are: so they need no sign where they become 16 bits wide, and the sums start at -128 times those of the inputs.
 *
 * This file is compiled twice (relaxed.ts). With relaxed SIMD a look-up is one instruction of x86 instead of three, and a choice by the
 * highest bit one instead of three; what those do beyond the range that WebAssembly lays down, relaxed.ts tries first.
 * Tried beside it and slower on x86: the 256 products of each input tabled as f32 and looked up one by one, the
 * same with 32-bit integers, magnitudes by eight look-ups instead of five, and bytes sorted by loads that lie one byte apart.
 */
import { TABLES, WEIGHTS } from './memory';
import { MULTIPLIER, WEYL, wordsBy } from './stream';

export const NORMAL: i32 = 0;
export const UNIFORM: i32 = 1;

/** Words of a block: 4 x 127 x 2^15 x 128 is below 2^31. */
const BLOCK: i32 = 128;
/** What the bytes of even inputs mean, then of odd ones: five vectors each. */
const MAGNITUDES: usize = TABLES;
const SPARE: usize = TABLES + 192;
/** -128 times the sum of a block's inputs, upper halves and lower halves. */
const BIAS: usize = TABLES + 208;
/**
 * What of four inputs a block keeps, 24 bytes: the counter of their word, then upper and lower halves of inputs 0 and 2, of 1 and 3,
 * and where their integers stand.
 */
const INPUTS: usize = TABLES + 256;
const INPUT: usize = 24;
/** Bytes of even inputs (units 0 to 3 low, 4 to 7 high), then of odd ones: 32 a word; and room for one more. */
const BYTES: usize = TABLES + 4096;

/** The vector, loaded: V8 keeps one that it has loaded in a register, and makes a constant anew in each turn of a loop. */
// @ts-ignore: decorator
@inline
function inRegister(value: v128): v128 {
  v128.store(SPARE, value);
  return v128.load(SPARE);
}

/**
 * With b = 128 + index, a magnitude below index 96 is (b + entry + 1) >> 1 less 128, where the entry belongs to a pair of indices:
 * 48 bytes. From 96 on the entry is 0, and what the magnitude then lacks is in 32 bytes.
 */
function tableMagnitudes(): void {
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

/** Puts the words from `first` to `last` - 1 whose inputs are not all 0 into the block, at most BLOCK of them, numbered. The first that is left. */
function collect(x: usize, first: i32, last: i32, filled: usize): i32 {
  let n = 0;
  for (; first < last && n < BLOCK; first++) {
    if (!v128.any_true(i32x4.shl(v128.load(x + (<usize>first << 4)), 1))) continue; // -0 is 0
    store<i32>(INPUTS + <usize>n * INPUT, first);
    n++;
  }
  store<i32>(filled, n);
  return first;
}

/** The largest magnitude of the block's inputs; NaN where one is NaN. */
function largest(x: usize, end: usize): f32 {
  let most = f32x4.splat(0);
  for (let p = INPUTS; p < end; p += INPUT) most = f32x4.max(most, f32x4.abs(v128.load(x + (<usize>load<i32>(p) << 4))));
  const pairs = f32x4.max(most, v128.shuffle<f32>(most, most, 2, 3, 0, 1));
  return max(f32x4.extract_lane(pairs, 0), f32x4.extract_lane(pairs, 1));
}

/** `keptFirst`: the word whose integers stand first in what is kept, or -1: the words of the block stand side by side. */
function splitInputs(x: usize, end: usize, factor: f32, keptFirst: i32): void {
  const scale = f32x4.splat(factor);
  let uppers = i32x4.splat(0);
  let lowers = uppers;
  for (let p = INPUTS; p < end; p += INPUT) {
    const j = load<i32>(p);
    const q = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(scale, v128.load(x + (<usize>j << 4)))));
    const upper = i32x4.shr_s(q, 15);
    const lower = v128.and(q, i32x4.splat(32767));
    uppers = i32x4.add(uppers, upper);
    lowers = i32x4.add(lowers, lower);
    store<i32>(p, j * WEYL);
    store<usize>(p, keptFirst < 0 ? ((p - INPUTS) / INPUT) << 5 : <usize>(j - keptFirst) << 5, 20);
    store<i32>(p, (i32x4.extract_lane(upper, 0) & 0xffff) | (i32x4.extract_lane(upper, 2) << 16), 4);
    store<i32>(p, i32x4.extract_lane(lower, 0) | (i32x4.extract_lane(lower, 2) << 16), 8);
    store<i32>(p, (i32x4.extract_lane(upper, 1) & 0xffff) | (i32x4.extract_lane(upper, 3) << 16), 12);
    store<i32>(p, i32x4.extract_lane(lower, 1) | (i32x4.extract_lane(lower, 3) << 16), 16);
  }
  store<i32>(BIAS, -128 * lanes(uppers));
  store<i32>(BIAS, -128 * lanes(lowers), 4);
}

function lanes(v: v128): i32 {
  return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
}

/** Bytes of the block's words, of eight units. */
function makeBytes(end: usize, key0: usize, key1: usize, to: usize): void {
  const a0 = v128.load(key0);
  const b0 = v128.load(key0, 16);
  const a1 = v128.load(key1);
  const b1 = v128.load(key1, 16);
  const oddA = inRegister(v128.or(a1, i32x4.splat(1)));
  const oddB = inRegister(v128.or(b1, i32x4.splat(1)));
  const multiplier = inRegister(i32x4.splat(MULTIPLIER));
  const low = inRegister(i16x8.splat(255));
  for (let p = INPUTS; p < end; p += INPUT, to += 32) {
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

/** The integers of eight units from `to` on, 32 bytes a word of the block, `end` where those end. */
function makeIntegers(inputsEnd: usize, key0: usize, key1: usize, kind: i32, to: usize, end: usize): void {
  makeBytes(inputsEnd, key0, key1, to);
  if (kind == NORMAL) {
    decodeNormal(to, end, MAGNITUDES);
    decodeNormal(to + 16, end, MAGNITUDES + 80);
  } else {
    decodePlain(to, end, kind);
  }
}

/** z of eight units += their integers times the inputs of the block, times `unit`. */
function addSums(base: usize, end: usize, unit: f32, z: usize): void {
  let upperA = v128.load32_splat(BIAS);
  let lowerA = v128.load32_splat(BIAS, 4);
  let upperB = upperA;
  let lowerB = lowerA;
  const byte = inRegister(i16x8.splat(255));
  for (let p = INPUTS; p < end; p += INPUT) {
    const from = base + load<usize>(p, 20);
    let upper = v128.load32_splat(p, 4);
    let lower = v128.load32_splat(p, 8);
    let both = v128.load(from);
    let a = v128.and(both, byte);
    let b = i16x8.shr_u(both, 8);
    upperA = i32x4.add(upperA, i32x4.dot_i16x8_s(a, upper));
    lowerA = i32x4.add(lowerA, i32x4.dot_i16x8_s(a, lower));
    upperB = i32x4.add(upperB, i32x4.dot_i16x8_s(b, upper));
    lowerB = i32x4.add(lowerB, i32x4.dot_i16x8_s(b, lower));
    upper = v128.load32_splat(p, 12);
    lower = v128.load32_splat(p, 16);
    both = v128.load(from, 16);
    a = v128.and(both, byte);
    b = i16x8.shr_u(both, 8);
    upperA = i32x4.add(upperA, i32x4.dot_i16x8_s(a, upper));
    lowerA = i32x4.add(lowerA, i32x4.dot_i16x8_s(a, lower));
    upperB = i32x4.add(upperB, i32x4.dot_i16x8_s(b, upper));
    lowerB = i32x4.add(lowerB, i32x4.dot_i16x8_s(b, lower));
  }
  addTo(z, upperA, lowerA, unit);
  addTo(z + 16, upperB, lowerB, unit);
}

// @ts-ignore: decorator
@inline
function addTo(z: usize, upper: v128, lower: v128, unit: f32): void {
  const sum = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(upper), f32x4.splat(32768)), f32x4.convert_i32x4_s(lower));
  v128.store(z, f32x4.add(v128.load(z), f32x4.mul(sum, f32x4.splat(unit))));
}

/**
 * x: k f32, padded with zeros to a multiple of 4. key0, key1, z: n words each, n a multiple of 8. kind: NORMAL (whose weights
 * stand in WEIGHTS), UNIFORM, else `sparse`. kept: where keepIntegers put theirs, or 0. An input that is not finite makes every sum NaN.
 */
export function randomMatmulRow(
  x: usize,
  k: i32,
  key0: usize,
  key1: usize,
  kind: i32,
  n: i32,
  z: usize,
  kept: usize,
): void {
  if (kind == NORMAL && !kept) tableMagnitudes();
  const count = (k + 3) >> 2;
  const unitsEnd = <usize>n << 2;
  let first = 0;
  while (first < count) {
    const start = first;
    // What is kept lies block by block; else inputs that are 0 leave room for later ones.
    const last = kept ? min(start + BLOCK, count) : count;
    first = collect(x, start, last, SPARE);
    const filled = <usize>load<i32>(SPARE);
    const block = kept;
    const stride = <usize>(last - start) << 5;
    if (kept) kept += stride * (unitsEnd >> 5);
    if (filled == 0) continue;
    const end = INPUTS + filled * INPUT;
    // 2^29 is the largest input's leading bit. Inputs below 2^-97 are rounded to 2^-127.
    const exponent = max<i32>((reinterpret<i32>(largest(x, end)) >> 23) & 255, 30);
    if (exponent == 255) {
      for (let u: usize = 0; u < <usize>n; u++) store<f32>(z + (u << 2), NaN);
      return;
    }
    splitInputs(x, end, reinterpret<f32>((283 - exponent) << 23), block ? start : -1);
    const unit = reinterpret<f32>((exponent - 29) << 23);
    for (let u: usize = 0; u < unitsEnd; u += 32) {
      if (!block) makeIntegers(end, key0 + u, key1 + u, kind, BYTES, BYTES + (filled << 5));
      addSums(block ? block + (u >> 5) * stride : BYTES, end, unit, z + u);
    }
  }
}

/** The integers for randomMatmulRow, a byte each: (k rounded up to a multiple of 4) * n, and 64 bytes of room. n: a multiple of 8. */
export function keepIntegers(k: i32, key0: usize, key1: usize, kind: i32, n: i32, to: usize): void {
  if (kind == NORMAL) tableMagnitudes();
  const count = (k + 3) >> 2;
  for (let first = 0; first < count; first += BLOCK) {
    const size = <usize>min(BLOCK, count - first);
    for (let i: usize = 0; i < size; i++) store<i32>(INPUTS + i * INPUT, (first + <i32>i) * WEYL);
    for (let u: usize = 0; u < <usize>n << 2; u += 32, to += size << 5) {
      makeIntegers(INPUTS + size * INPUT, key0 + u, key1 + u, kind, to, to + (size << 5));
    }
  }
}
