/**
 * z (n) += x (k) times the random (n, k) integers of a distribution drawn from bytes: one row.
 *
 * Up to 512 inputs form a block. Each input becomes an integer of 30 bits and a sign, scaled by the power of two that
 * the largest input of the block allows, and is split into two 16-bit halves for 16-bit dot products. Those are exact.
 * Rounding an input changes it by at most 2^-30 of the largest in its block, less than f32 sums lose. Groups of four
 * zero inputs are skipped.
 * A block processes eight units at a time: first their integers, then the sums, which start at -128 times the sum of
 * the inputs. Tried, and slower on x86: tabling the 256 products of each input as f32 and looking them up one by one,
 * and the same with 32-bit integers.
 */
import { COUNTER, COUNTERS, inRegister, INTEGERS, makeIntegers, NORMAL, setCounters, tableMagnitudes, WORDS } from './integers';
import { TABLES } from './memory';
import { WEYL } from './stream';

/** Words per block: 4 x 127 x 2^15 x 128 is below 2^31. */
const BLOCK: i32 = WORDS;
const FILLED: usize = TABLES + 208;
/** -128 times the sum of a block's inputs, for the upper and the lower halves. */
const BIAS: usize = TABLES + 212;
/**
 * What a block stores for four inputs, in 24 bytes: the counter of their word, the upper and lower halves of inputs 0
 * and 2, then of inputs 1 and 3, and the address of their integers.
 */
const INPUTS: usize = COUNTERS;
const INPUT: usize = COUNTER;

/**
 * Collects at most BLOCK words, from `first` to `count` - 1, whose inputs are not all 0. Returns the first word that is
 * left over.
 */
function collect(x: usize, first: i32, count: i32): i32 {
  let n = 0;
  for (; first < count && n < BLOCK; first++) {
    if (!v128.any_true(i32x4.shl(v128.load(x + (<usize>first << 4)), 1))) continue; // -0 is 0
    store<i32>(INPUTS + <usize>n * INPUT, first);
    n++;
  }
  store<i32>(FILLED, n);
  return first;
}

/** The largest magnitude of the block's inputs; NaN if any of them is NaN. */
function largest(x: usize, end: usize): f32 {
  let most = f32x4.splat(0);
  for (let p = INPUTS; p < end; p += INPUT) most = f32x4.max(most, f32x4.abs(v128.load(x + (<usize>load<i32>(p) << 4))));
  const pairs = f32x4.max(most, v128.shuffle<f32>(most, most, 2, 3, 0, 1));
  return max(f32x4.extract_lane(pairs, 0), f32x4.extract_lane(pairs, 1));
}

/**
 * `size`: words per block of cached integers. `between`: bytes from the end of a block of eight units to the next
 * block. `size` is 0 if nothing is cached: then the words of this block are contiguous.
 */
function splitInputs(x: usize, end: usize, factor: f32, size: i32, between: usize): void {
  const scale = f32x4.splat(factor);
  let uppers = i32x4.splat(0);
  let lowers = uppers;
  let next = size;
  let skipped: usize = 0;
  for (let p = INPUTS; p < end; p += INPUT) {
    const j = load<i32>(p);
    const q = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(scale, v128.load(x + (<usize>j << 4)))));
    const upper = i32x4.shr_s(q, 15);
    const lower = v128.and(q, i32x4.splat(32767));
    uppers = i32x4.add(uppers, upper);
    lowers = i32x4.add(lowers, lower);
    store<i32>(p, j * WEYL);
    for (; size && next <= j; next += size) skipped += between;
    store<usize>(p, size ? (<usize>j << 5) + skipped : ((p - INPUTS) / INPUT) << 5, 20);
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

/** z += the integers of eight units times the inputs of the block, times `unit`. */
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

/** Words per block of cached integers. All blocks are the same size; the last one may not be full. */
function cachedWords(count: i32): i32 {
  const blocks = (count + BLOCK - 1) / BLOCK;
  return (count + blocks - 1) / blocks;
}

/**
 * x: k f32, padded with zeros to a multiple of 4. key0, key1, z: n words each, n a multiple of 8. kind: as in
 * integers.ts. cached: address of the integers that cacheIntegers stored for these units and those after them,
 * cachedUnits in all; 0 if none are cached. An input that is not finite makes every sum NaN.
 */
export function randomMatmulRow(
  x: usize,
  k: i32,
  key0: usize,
  key1: usize,
  kind: i32,
  n: i32,
  z: usize,
  cached: usize,
  cachedUnits: i32,
): void {
  if (kind == NORMAL && !cached) tableMagnitudes();
  const count = (k + 3) >> 2;
  const unitsEnd = <usize>n << 2;
  const words = cached ? cachedWords(count) : 0;
  const between = <usize>(words << 5) * ((<usize>cachedUnits >> 3) - 1);
  let first = 0;
  while (first < count) {
    first = collect(x, first, count);
    const filled = <usize>load<i32>(FILLED);
    if (filled == 0) continue;
    const end = INPUTS + filled * INPUT;
    // 2^29 is the largest input's leading bit. Inputs below 2^-97 are rounded to 2^-127.
    const exponent = max<i32>((reinterpret<i32>(largest(x, end)) >> 23) & 255, 30);
    if (exponent == 255) {
      for (let u: usize = 0; u < <usize>n; u++) store<f32>(z + (u << 2), NaN);
      return;
    }
    splitInputs(x, end, reinterpret<f32>((283 - exponent) << 23), words, between);
    const unit = reinterpret<f32>((exponent - 29) << 23);
    for (let u: usize = 0; u < unitsEnd; u += 32) {
      if (!cached) makeIntegers(filled, key0 + u, key1 + u, kind, INTEGERS);
      addSums(cached ? cached + u * words : INTEGERS, end, unit, z + u);
    }
  }
}

/**
 * Caches the integers for randomMatmulRow, one byte each, in blocks of inputs, eight units at a time. Within a block, a
 * unit's integers do not depend on the units after it. n: a multiple of 8. `to` needs room for all blocks at their full size,
 * and 32 more bytes.
 */
export function cacheIntegers(k: i32, key0: usize, key1: usize, kind: i32, n: i32, to: usize): void {
  if (kind == NORMAL) tableMagnitudes();
  const count = (k + 3) >> 2;
  const words = cachedWords(count);
  for (let first = 0; first < count; first += words) {
    const size = min(words, count - first);
    setCounters(first, size);
    for (let u: usize = 0; u < <usize>n << 2; u += 32, to += <usize>words << 5) {
      makeIntegers(size, key0 + u, key1 + u, kind, to);
    }
  }
}
