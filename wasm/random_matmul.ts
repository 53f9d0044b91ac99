/**
 * Several rows times a random matrix and times its transpose, every sum in f32, in the order of the inputs: eight columns of
 * integers are regenerated into a panel, then all rows are multiplied with it (matmul).
 */
import { multiplyPanel } from './matmul';
import { DEPTH, PANEL, WEIGHTS } from './memory';
import { WEYL, word, words } from './stream';

/** Which bits of a word make a weight. */
const SIGNS: i32 = 1;

// @ts-ignore: decorator
@inline
function weightOf(byte: u32, k: u32): f32 {
  return load<f32>((byte << 2) + ((k & 1) << 10), WEIGHTS);
}

/** Panel of units `unit` to `unit` + 7, inputs from `first` on (a multiple of 32), weights of bytes. */
function bytePanel(key0: usize, key1: usize, unit: i32, first: i32, depth: i32): void {
  const keys = <usize>unit << 2;
  const k0 = v128.load(key0 + keys);
  const k1 = v128.load(key1 + keys);
  const l0 = v128.load(key0 + keys, 16);
  const l1 = v128.load(key1 + keys, 16);
  let counter = i32x4.splat((first >> 2) * WEYL);
  let to = PANEL;
  for (let i = 0; i < depth; i += 4, to += 128) {
    let a = words(i32x4.add(k0, counter), k1);
    let b = words(i32x4.add(l0, counter), l1);
    counter = i32x4.add(counter, i32x4.splat(WEYL));
    storeWeights(to, i32x4.extract_lane(a, 0));
    storeWeights(to + 4, i32x4.extract_lane(a, 1));
    storeWeights(to + 8, i32x4.extract_lane(a, 2));
    storeWeights(to + 12, i32x4.extract_lane(a, 3));
    storeWeights(to + 16, i32x4.extract_lane(b, 0));
    storeWeights(to + 20, i32x4.extract_lane(b, 1));
    storeWeights(to + 24, i32x4.extract_lane(b, 2));
    storeWeights(to + 28, i32x4.extract_lane(b, 3));
  }
}

/** The four weights of a word, down a column of the panel. */
// @ts-ignore: decorator
@inline
function storeWeights(to: usize, h: u32): void {
  store<f32>(to, load<f32>((h << 2) & 0x3fc, WEIGHTS));
  store<f32>(to, load<f32>((h >> 6) & 0x3fc, WEIGHTS + 1024), 32);
  store<f32>(to, load<f32>((h >> 14) & 0x3fc, WEIGHTS), 64);
  store<f32>(to, load<f32>((h >> 22) & 0x3fc, WEIGHTS + 1024), 96);
}

/** The same for signs: 1, or -1 where the bit is set. */
function signPanel(key0: usize, key1: usize, unit: i32, first: i32, depth: i32): void {
  const keys = <usize>unit << 2;
  const k0 = v128.load(key0 + keys);
  const k1 = v128.load(key1 + keys);
  const l0 = v128.load(key0 + keys, 16);
  const l1 = v128.load(key1 + keys, 16);
  const sign = i32x4.splat(0x80000000);
  const one = f32x4.splat(1);
  let to = PANEL;
  for (let i = 0; i < depth; i += 32) {
    const counter = i32x4.splat(((first + i) >> 5) * WEYL);
    let a = words(i32x4.add(k0, counter), k1);
    let b = words(i32x4.add(l0, counter), l1);
    for (let bit = 0; bit < 32; bit++, to += 32) {
      v128.store(to, v128.or(one, v128.and(i32x4.shl(a, 31), sign)));
      v128.store(to, v128.or(one, v128.and(i32x4.shl(b, 31), sign)), 16);
      a = i32x4.shr_u(a, 1);
      b = i32x4.shr_u(b, 1);
    }
  }
}

/** Panel of inputs `input` to `input` + 7 (a multiple of 8), units from `first` on. */
function transposedPanel(key0: usize, key1: usize, kind: i32, input: i32, first: i32, depth: i32): void {
  let to = PANEL;
  for (let i = 0; i < depth; i++, to += 32) {
    const k0 = load<u32>(key0 + (<usize>(first + i) << 2));
    const k1 = load<u32>(key1 + (<usize>(first + i) << 2));
    if (kind == SIGNS) {
      const bits = i32x4.splat(word(k0, k1, input >> 5) >> (input & 31));
      const one = f32x4.splat(1);
      const sign = i32x4.splat(0x80000000);
      v128.store(to, v128.or(one, v128.and(i32x4.mul(bits, i32x4(1 << 31, 1 << 30, 1 << 29, 1 << 28)), sign)));
      v128.store(to, v128.or(one, v128.and(i32x4.mul(bits, i32x4(1 << 27, 1 << 26, 1 << 25, 1 << 24)), sign)), 16);
    } else {
      const a = word(k0, k1, input >> 2);
      const b = word(k0, k1, (input >> 2) + 1);
      for (let byte: u32 = 0; byte < 4; byte++) {
        store<f32>(to + (<usize>byte << 2), weightOf((a >> (byte << 3)) & 255, byte));
        store<f32>(to + (<usize>byte << 2), weightOf((b >> (byte << 3)) & 255, byte), 16);
      }
    }
  }
}

/**
 * acc: for each block of four rows and each eight units (4, 8) f32, += x (packed, k deep) times the integers.
 * key0, key1: n words each, padded to a multiple of 8. kind: 0 bytes, 1 signs.
 */
export function randomMatmul(x: usize, blocks: i32, k: i32, key0: usize, key1: usize, kind: i32, n: i32, acc: usize): void {
  const stride = ((n + 7) >> 3) << 7;
  for (let unit = 0; unit < n; unit += 8) {
    for (let first = 0; first < k; first += DEPTH) {
      const depth = min(DEPTH, k - first);
      if (kind == SIGNS) signPanel(key0, key1, unit, first, depth);
      else bytePanel(key0, key1, unit, first, depth);
      multiplyPanel(x, blocks, k, first, depth, acc + (<usize>unit << 4), stride);
    }
  }
}

/** acc: for each block of four rows and each eight inputs (4, 8) f32, += dz (packed, n deep) times the integers. */
export function randomMatmulTransposed(
  dz: usize,
  blocks: i32,
  n: i32,
  key0: usize,
  key1: usize,
  kind: i32,
  k: i32,
  acc: usize,
): void {
  const stride = ((k + 7) >> 3) << 7;
  for (let input = 0; input < k; input += 8) {
    for (let first = 0; first < n; first += DEPTH) {
      const depth = min(DEPTH, n - first);
      transposedPanel(key0, key1, kind, input, first, depth);
      multiplyPanel(dz, blocks, n, first, depth, acc + (<usize>input << 4), stride);
    }
  }
}

/** out (k, n) f32 = scale * the integers, transposed: filters as a matrix. Keys as above. */
export function randomFilters(key0: usize, key1: usize, kind: i32, k: i32, n: i32, factor: f32, out: usize): void {
  for (let unit = 0; unit < n; unit += 8) {
    const columns = min(8, n - unit);
    for (let first = 0; first < k; first += DEPTH) {
      const depth = min(DEPTH, k - first);
      if (kind == SIGNS) signPanel(key0, key1, unit, first, depth);
      else bytePanel(key0, key1, unit, first, depth);
      for (let i = 0; i < depth; i++) {
        const to = out + ((<usize>(first + i) * n + unit) << 2);
        for (let c: usize = 0; c < <usize>columns; c++) {
          store<f32>(to + (c << 2), factor * load<f32>(PANEL + (<usize>i << 5) + (c << 2)));
        }
      }
    }
  }
}
