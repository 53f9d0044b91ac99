/**
 * z (n) += x (k) times the random (n, k) integers of a distribution drawn from bytes: one row. Up to 512 inputs make a block; each
 * input becomes an integer of 30 bits and a sign, scaled by the power of two that the largest of its block allows, in two halves of
 * 16 bits, for 16-bit dot products. Those are exact; an input is rounded by 2^-30 of the largest of its block at most, which is less
 * than f32 sums lose. Four inputs that are 0 cost nothing.
 * A block runs in three loops over eight units: words, then the integers of their bytes, then sums. One loop would need
 * more registers than x86 has, and sums that are kept in memory wait for one another.
 * Tried beside it and slower on x86: the 256 products of each input tabled as f32 and looked up one by one, the
 * same with 32-bit integers, and magnitudes by eight swizzles instead of five.
 */
import { TABLES, WEIGHTS } from './memory';
import { WEYL, words } from './stream';

export const NORMAL: i32 = 0;
export const UNIFORM: i32 = 1;

/** Words of a block: 4 x 127 x 2^15 x 128 is below 2^31. */
const BLOCK: i32 = 128;
/** Magnitudes of even inputs, then of odd ones: five vectors each. */
const MAGNITUDES: usize = TABLES;
const SPARE: usize = TABLES + 192;
/** What of an input a block keeps: 20 bytes a word, the counter, then upper and lower halves of inputs 0 and 2, of 1 and 3. */
const INPUTS: usize = TABLES + 256;
const INPUT: usize = 20;
/** Bytes of even inputs (units 0 to 3 low, 4 to 7 high), then of odd ones: 32 a word; and room for one more. */
const BYTES: usize = TABLES + 4096;

/** The vector, loaded: V8 keeps one that it has loaded in a register, and makes a constant anew in each turn of a loop. */
// @ts-ignore: decorator
@inline
function kept(value: v128): v128 {
  v128.store(SPARE, value);
  return v128.load(SPARE);
}

/**
 * 48 bytes for the pairs of magnitudes below index 96, where the second is the first or one more: a byte u such that
 * (u + 1) >> 1 is the first and (u + 2) >> 1 the second. Then 32, one for each index from 96 on, less its lowest bit.
 */
function tableMagnitudes(): void {
  for (let odd: usize = 0; odd < 2; odd++) {
    const from = WEIGHTS + (odd << 10);
    const to = MAGNITUDES + odd * 80;
    for (let i: usize = 0; i < 96; i += 2) {
      const both = <i32>load<f32>(from + (i << 2)) + <i32>load<f32>(from + (i << 2), 4);
      store<u8>(to + (i >> 1), max(both - 1, 0));
    }
    for (let i: usize = 96; i < 128; i++) store<u8>(to + i - 48, <i32>load<f32>(from + (i << 2)) - <i32>(i & 1));
  }
}

/** Puts the words from `first` on whose inputs are not all 0 into the block, at most BLOCK of them, numbered. The first that is left. */
function collect(x: usize, first: i32, count: i32, filled: usize): i32 {
  let n = 0;
  for (; first < count && n < BLOCK; first++) {
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

function splitInputs(x: usize, end: usize, factor: f32): void {
  const scale = f32x4.splat(factor);
  for (let p = INPUTS; p < end; p += INPUT) {
    const j = load<i32>(p);
    const q = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(scale, v128.load(x + (<usize>j << 4)))));
    const upper = i32x4.shr_s(q, 15);
    const lower = v128.and(q, i32x4.splat(32767));
    store<i32>(p, j * WEYL);
    store<i32>(p, (i32x4.extract_lane(upper, 0) & 0xffff) | (i32x4.extract_lane(upper, 2) << 16), 4);
    store<i32>(p, i32x4.extract_lane(lower, 0) | (i32x4.extract_lane(lower, 2) << 16), 8);
    store<i32>(p, (i32x4.extract_lane(upper, 1) & 0xffff) | (i32x4.extract_lane(upper, 3) << 16), 12);
    store<i32>(p, i32x4.extract_lane(lower, 1) | (i32x4.extract_lane(lower, 3) << 16), 16);
  }
}

/** Bytes of the block's words, of eight units. */
function makeBytes(end: usize, key0: usize, key1: usize): void {
  const a0 = v128.load(key0);
  const b0 = v128.load(key0, 16);
  const a1 = v128.load(key1);
  const b1 = v128.load(key1, 16);
  const low = kept(i16x8.splat(255));
  const high = kept(i16x8.splat(-256));
  let to = BYTES;
  for (let p = INPUTS; p < end; p += INPUT, to += 32) {
    const counter = v128.load32_splat(p);
    const a = words(i32x4.add(a0, counter), a1);
    const b = words(i32x4.add(b0, counter), b1);
    v128.store(to, v128.or(v128.and(a, low), i16x8.shl(b, 8)));
    v128.store(to, v128.or(i16x8.shr_u(a, 8), v128.and(b, high)), 16);
  }
}

/** Sixteen bytes' magnitude: `pair` is its index halved, `tail` its index less 96, `lowest` its lowest bit. */
// @ts-ignore: decorator
@inline
function magnitude(
  pair: v128, tail: v128, lowest: v128, c16: v128, c32: v128, t0: v128, t1: v128, t2: v128, t3: v128, t4: v128,
): v128 {
  // A swizzle answers 0 for what is beyond its 16 bytes.
  const p0 = i8x16.swizzle(t0, pair);
  const p1 = i8x16.swizzle(t1, v128.xor(pair, c16));
  const p2 = i8x16.swizzle(t2, v128.xor(pair, c32));
  const body = i8x16.avgr_u(v128.or(v128.or(p0, p1), p2), lowest);
  return i8x16.add(body, v128.or(i8x16.swizzle(t3, tail), i8x16.swizzle(t4, v128.xor(tail, c16))));
}

// @ts-ignore: decorator
@inline
function withSign(magnitude: v128, byte: v128, zero: v128): v128 {
  const sign = i8x16.lt_s(byte, zero);
  return i8x16.sub(v128.xor(magnitude, sign), sign);
}

/** Bytes of even (or odd) inputs, 32 apart, become the integers of `normal`. Two at a time. */
function decodeNormal(from: usize, end: usize, magnitudes: usize): void {
  const t0 = v128.load(magnitudes);
  const t1 = v128.load(magnitudes, 16);
  const t2 = v128.load(magnitudes, 32);
  const t3 = v128.load(magnitudes, 48);
  const t4 = v128.load(magnitudes, 64);
  const zero = kept(i8x16.splat(0));
  const one = kept(i8x16.splat(1));
  const c16 = kept(i8x16.splat(16));
  const c32 = kept(i8x16.splat(32));
  const c63 = kept(i8x16.splat(63));
  const c96 = kept(i8x16.splat(96));
  const c127 = kept(i8x16.splat(127));
  for (; from < end; from += 64) {
    const a = v128.load(from);
    let pair = v128.and(i16x8.shr_u(a, 1), c63);
    let tail = v128.and(v128.xor(a, c96), c127);
    v128.store(from, withSign(magnitude(pair, tail, v128.and(a, one), c16, c32, t0, t1, t2, t3, t4), a, zero));
    const b = v128.load(from, 32);
    pair = v128.and(i16x8.shr_u(b, 1), c63);
    tail = v128.and(v128.xor(b, c96), c127);
    v128.store(from, withSign(magnitude(pair, tail, v128.and(b, one), c16, c32, t0, t1, t2, t3, t4), b, zero), 32);
  }
}

/** Bytes of even and odd inputs become the integers of `uniform` or `sparse`. */
function decodePlain(end: usize, kind: i32): void {
  const one = kept(i8x16.splat(1));
  if (kind == UNIFORM) {
    for (let p = BYTES; p < end; p += 16) v128.store(p, v128.or(v128.load(p), one));
    return;
  }
  const c127 = kept(i8x16.splat(127));
  const c84 = kept(i8x16.splat(84));
  const zero = kept(i8x16.splat(0));
  for (let p = BYTES; p < end; p += 16) {
    const byte = v128.load(p);
    const some = i8x16.gt_s(v128.and(byte, c127), c84);
    v128.store(p, v128.and(some, v128.or(i8x16.lt_s(byte, zero), one)));
  }
}

/** z of eight units += the integers times the inputs of the block, times `unit`. */
function addSums(end: usize, unit: f32, z: usize): void {
  let upperA = i32x4.splat(0);
  let lowerA = upperA;
  let upperB = upperA;
  let lowerB = upperA;
  let from = BYTES;
  for (let p = INPUTS; p < end; p += INPUT, from += 32) {
    let upper = v128.load32_splat(p, 4);
    let lower = v128.load32_splat(p, 8);
    let integers = v128.load(from);
    let a = i16x8.shr_s(i16x8.shl(integers, 8), 8);
    let b = i16x8.shr_s(integers, 8);
    upperA = i32x4.add(upperA, i32x4.dot_i16x8_s(a, upper));
    lowerA = i32x4.add(lowerA, i32x4.dot_i16x8_s(a, lower));
    upperB = i32x4.add(upperB, i32x4.dot_i16x8_s(b, upper));
    lowerB = i32x4.add(lowerB, i32x4.dot_i16x8_s(b, lower));
    upper = v128.load32_splat(p, 12);
    lower = v128.load32_splat(p, 16);
    integers = v128.load(from, 16);
    a = i16x8.shr_s(i16x8.shl(integers, 8), 8);
    b = i16x8.shr_s(integers, 8);
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
 * stand in WEIGHTS), UNIFORM, else `sparse`. An input that is not finite makes every sum NaN.
 */
export function randomMatmulRow(x: usize, k: i32, key0: usize, key1: usize, kind: i32, n: i32, z: usize): void {
  if (kind == NORMAL) tableMagnitudes();
  const count = (k + 3) >> 2;
  let first = 0;
  while (first < count) {
    first = collect(x, first, count, SPARE);
    const filled = <usize>load<i32>(SPARE);
    if (filled == 0) break;
    const end = INPUTS + filled * INPUT;
    const bytesEnd = BYTES + (filled << 5);
    // 2^29 is the largest input's leading bit. Inputs below 2^-97 are rounded to 2^-127.
    const exponent = max<i32>((reinterpret<i32>(largest(x, end)) >> 23) & 255, 30);
    if (exponent == 255) {
      for (let u: usize = 0; u < <usize>n; u++) store<f32>(z + (u << 2), NaN);
      return;
    }
    splitInputs(x, end, reinterpret<f32>((283 - exponent) << 23));
    const unit = reinterpret<f32>((exponent - 29) << 23);
    for (let u: usize = 0; u < <usize>n << 2; u += 32) {
      makeBytes(end, key0 + u, key1 + u);
      if (kind == NORMAL) {
        decodeNormal(BYTES, bytesEnd, MAGNITUDES);
        decodeNormal(BYTES + 16, bytesEnd, MAGNITUDES + 80);
      } else {
        decodePlain(bytesEnd, kind);
      }
      addSums(end, unit, z + u);
    }
  }
}
