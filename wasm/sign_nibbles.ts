/**
 * z (n) += x (k) times the signs of `binary`: one row. For every four inputs a table holds their 16 signed sums as
 * integers of 21 bits, in three digits of 7 bits. A nibble of a word looks up its sum by `swizzle`, one byte per unit,
 * 16 units at once. Sums of integers are exact. Only the tables are rounded, to 2^-20 of the largest sum of four inputs
 * in a block of 2048: an error of 1e-6 of |x| (root mean square, 4096 inputs) for inputs of similar size, the same as
 * f32 sums, and 1e-5 if one input outweighs all others.
 * Tried, and slower at one row: f32 tables of 256 sums, looked up one unit at a time.
 */
import { TABLES } from './memory';
import { WEYL, words } from './stream';

/** Words per block: as many as the u16 sums of digits can hold. The tables take 16 times as many bytes as inputs. */
const BLOCK: i32 = 64;
const HALF: f32 = 1048575; // 2^20 - 1
const BIAS: i32 = 1 << 20;

/** Looks up table entries by indices from 0 to 15. */
// @ts-ignore: decorator
@inline
function lookUp(table: v128, index: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? i8x16.relaxed_swizzle(table, index) : i8x16.swizzle(table, index);
}

/** Largest sum of four magnitudes. */
function largestSum(x: usize, groups: i32): f32 {
  let largest: f32 = 0;
  for (let i = 0; i < groups; i++, x += 16) {
    const v = f32x4.abs(v128.load(x));
    const pairs = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
    largest = max(largest, f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1));
  }
  return largest;
}

// @ts-ignore: decorator
@inline
function digit(a: v128, b: v128, c: v128, d: v128, shift: i32): v128 {
  const mask = i32x4.splat(127);
  return i8x16.narrow_i16x8_u(
    i16x8.narrow_i32x4_s(v128.and(i32x4.shr_u(a, shift), mask), v128.and(i32x4.shr_u(b, shift), mask)),
    i16x8.narrow_i32x4_s(v128.and(i32x4.shr_u(c, shift), mask), v128.and(i32x4.shr_u(d, shift), mask)),
  );
}

// @ts-ignore: decorator
@inline
function rounded(sums: v128): v128 {
  return i32x4.add(i32x4.trunc_sat_f32x4_s(f32x4.nearest(sums)), i32x4.splat(BIAS));
}

/**
 * Entry i: the sum with input b negated if bit b of i is set. Low nibble of a byte first, their digits side by side.
 */
function tableSums(x: usize, groups: i32, factor: f32): void {
  const one = f32x4.splat(factor);
  const first = f32x4(1, -1, 1, -1);
  const second = f32x4(1, 1, -1, -1);
  for (let i = 0; i < groups; i++, x += 16) {
    const low = f32x4.add(f32x4.mul(v128.load32_splat(x), first), f32x4.mul(v128.load32_splat(x, 4), second));
    const c = v128.load32_splat(x, 8);
    const d = v128.load32_splat(x, 12);
    const plus = f32x4.add(c, d);
    const minus = f32x4.sub(c, d);
    const e0 = rounded(f32x4.mul(one, f32x4.add(low, plus)));
    const e1 = rounded(f32x4.mul(one, f32x4.sub(low, minus)));
    const e2 = rounded(f32x4.mul(one, f32x4.add(low, minus)));
    const e3 = rounded(f32x4.mul(one, f32x4.sub(low, plus)));
    const to = TABLES + <usize>(i >> 1) * 96 + (<usize>(i & 1) << 4);
    v128.store(to, digit(e0, e1, e2, e3, 0));
    v128.store(to, digit(e0, e1, e2, e3, 7), 32);
    v128.store(to, digit(e0, e1, e2, e3, 14), 64);
  }
}

/**
 * u16 sums of one digit for units 0 ... 7 (or 8 ... 15) in order, from sums of 16-bit lanes and of their upper bytes.
 */
// @ts-ignore: decorator
@inline
function lowUnits(lanes: v128, upper: v128): v128 {
  return v128.shuffle<i16>(i16x8.sub(lanes, i16x8.shl(upper, 8)), upper, 0, 8, 1, 9, 2, 10, 3, 11);
}
// @ts-ignore: decorator
@inline
function highUnits(lanes: v128, upper: v128): v128 {
  return v128.shuffle<i16>(i16x8.sub(lanes, i16x8.shl(upper, 8)), upper, 4, 12, 5, 13, 6, 14, 7, 15);
}

// @ts-ignore: decorator
@inline
function addTo(z: usize, d0: v128, d1: v128, d2: v128, bias: v128, unit: v128): void {
  const sum = i32x4.add(i32x4.add(d0, i32x4.shl(d1, 7)), i32x4.sub(i32x4.shl(d2, 14), bias));
  v128.store(z, f32x4.add(v128.load(z), f32x4.mul(f32x4.convert_i32x4_s(sum), unit)));
}

function addBlock(first: i32, count: i32, key0: usize, key1: usize, n: i32, z: usize, unit: f32): void {
  const nibble = i8x16.splat(15);
  const byte = i16x8.splat(255);
  const bias = i32x4.splat((count << 3) * BIAS);
  const step = f32x4.splat(unit);
  for (let u: usize = 0; u < <usize>n << 2; u += 64) {
    const p0 = key0 + u;
    const p1 = key1 + u;
    let s0 = i32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let t0 = s0;
    let t1 = s0;
    let t2 = s0;
    let counter = i32x4.splat(first * WEYL);
    let t = TABLES;
    for (let j = 0; j < count; j++) {
      const h0 = words(i32x4.add(v128.load(p0), counter), v128.load(p1));
      const h1 = words(i32x4.add(v128.load(p0, 16), counter), v128.load(p1, 16));
      const h2 = words(i32x4.add(v128.load(p0, 32), counter), v128.load(p1, 32));
      const h3 = words(i32x4.add(v128.load(p0, 48), counter), v128.load(p1, 48));
      counter = i32x4.add(counter, i32x4.splat(WEYL));
      // Bytes 0 and 2 of eight units, bytes 1 and 3; then one byte of sixteen.
      const even0 = i8x16.narrow_i16x8_u(v128.and(h0, byte), v128.and(h1, byte));
      const even1 = i8x16.narrow_i16x8_u(v128.and(h2, byte), v128.and(h3, byte));
      const odd0 = i8x16.narrow_i16x8_u(i16x8.shr_u(h0, 8), i16x8.shr_u(h1, 8));
      const odd1 = i8x16.narrow_i16x8_u(i16x8.shr_u(h2, 8), i16x8.shr_u(h3, 8));
      for (let b = 0; b < 4; b++, t += 96) {
        const a = b & 1 ? odd0 : even0;
        const c = b & 1 ? odd1 : even1;
        const bytes =
          b & 2
            ? i8x16.narrow_i16x8_u(i16x8.shr_u(a, 8), i16x8.shr_u(c, 8))
            : i8x16.narrow_i16x8_u(v128.and(a, byte), v128.and(c, byte));
        const low = v128.and(bytes, nibble);
        const high = v128.and(i16x8.shr_u(bytes, 4), nibble);
        let s = i8x16.add(lookUp(v128.load(t), low), lookUp(v128.load(t, 16), high));
        s0 = i16x8.add(s0, s);
        t0 = i16x8.add(t0, i16x8.shr_u(s, 8));
        s = i8x16.add(lookUp(v128.load(t, 32), low), lookUp(v128.load(t, 48), high));
        s1 = i16x8.add(s1, s);
        t1 = i16x8.add(t1, i16x8.shr_u(s, 8));
        s = i8x16.add(lookUp(v128.load(t, 64), low), lookUp(v128.load(t, 80), high));
        s2 = i16x8.add(s2, s);
        t2 = i16x8.add(t2, i16x8.shr_u(s, 8));
      }
    }
    const to = z + u;
    let a = lowUnits(s0, t0);
    let b = lowUnits(s1, t1);
    let c = lowUnits(s2, t2);
    addTo(to, i32x4.extend_low_i16x8_u(a), i32x4.extend_low_i16x8_u(b), i32x4.extend_low_i16x8_u(c), bias, step);
    addTo(to + 16, i32x4.extend_high_i16x8_u(a), i32x4.extend_high_i16x8_u(b), i32x4.extend_high_i16x8_u(c), bias, step);
    a = highUnits(s0, t0);
    b = highUnits(s1, t1);
    c = highUnits(s2, t2);
    addTo(to + 32, i32x4.extend_low_i16x8_u(a), i32x4.extend_low_i16x8_u(b), i32x4.extend_low_i16x8_u(c), bias, step);
    addTo(to + 48, i32x4.extend_high_i16x8_u(a), i32x4.extend_high_i16x8_u(b), i32x4.extend_high_i16x8_u(c), bias, step);
  }
}

/** x: k f32, padded with zeros to a multiple of 32. key0, key1, z: n words each, n a multiple of 16. */
export function signNibbles(x: usize, k: i32, key0: usize, key1: usize, n: i32, z: usize): void {
  const count = (k + 31) >> 5;
  for (let first = 0; first < count; first += BLOCK, x += BLOCK << 7) {
    const size = min(BLOCK, count - first);
    const largest = largestSum(x, size << 3);
    if (largest == 0) continue;
    tableSums(x, size << 3, HALF / largest);
    addBlock(first, size, key0, key1, n, z, largest / HALF);
  }
}
