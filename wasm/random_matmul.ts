/**
 * Several rows times a random matrix and times its transpose, every sum in f32, in the order of the inputs. Eight
 * columns of integers are regenerated into a panel, then multiplied with all rows (matmul).
 */
import { INTEGERS, inRegister, makeIntegers, NORMAL, setCounters, tableMagnitudes } from './integers';
import { multiplyPanel } from './matmul';
import { DEPTH, PANEL, WEIGHTS } from './memory';
import { SIGNS, signWord, signWords } from './signs';
import { word } from './stream';

// @ts-ignore: decorator
@inline
function weightOf(byte: u32, k: u32): f32 {
  return load<f32>((byte << 2) + ((k & 1) << 10), WEIGHTS);
}

/** Fills the panel: units `unit` to `unit` + 7, inputs from `first` (a multiple of 32) on, weights drawn from bytes. */
function bytePanel(key0: usize, key1: usize, kind: i32, unit: i32, first: i32, depth: i32): void {
  const keys = <usize>unit << 2;
  const count = (depth + 3) >> 2;
  setCounters(first >> 2, count);
  makeIntegers(count, key0 + keys, key1 + keys, kind, INTEGERS);
  const c128 = inRegister(i8x16.splat(-128));
  let to = PANEL;
  for (let p = INTEGERS; p < INTEGERS + (<usize>count << 5); p += 32, to += 128) {
    storeTwoInputs(to, v128.xor(v128.load(p), c128));
    storeTwoInputs(to + 32, v128.xor(v128.load(p, 16), c128));
  }
}

/** Stores units 0 to 3 and 4 to 7 of an input and of the second input after it, from the bytes of each lane in turn. */
// @ts-ignore: decorator
@inline
function storeTwoInputs(to: usize, integers: v128): void {
  v128.store(to, f32x4.convert_i32x4_s(i32x4.shr_s(i32x4.shl(integers, 24), 24)));
  v128.store(to, f32x4.convert_i32x4_s(i32x4.shr_s(i32x4.shl(integers, 16), 24)), 16);
  v128.store(to, f32x4.convert_i32x4_s(i32x4.shr_s(i32x4.shl(integers, 8), 24)), 64);
  v128.store(to, f32x4.convert_i32x4_s(i32x4.shr_s(integers, 24)), 80);
}

/** The same for signs: 1, or -1 where the bit is set. */
function signPanel(key0: usize, key1: usize, kind: i32, unit: i32, first: i32, depth: i32): void {
  const keys = <usize>unit << 2;
  const k0 = v128.load(key0 + keys);
  const k1 = v128.load(key1 + keys);
  const l0 = v128.load(key0 + keys, 16);
  const l1 = v128.load(key1 + keys, 16);
  const sign = i32x4.splat(0x80000000);
  const one = f32x4.splat(1);
  let to = PANEL;
  for (let i = 0; i < depth; i += 32) {
    let a = signWords(k0, k1, (first + i) >> 5, kind);
    let b = signWords(l0, l1, (first + i) >> 5, kind);
    for (let bit = 0; bit < 32; bit++, to += 32) {
      v128.store(to, v128.or(one, v128.and(i32x4.shl(a, 31), sign)));
      v128.store(to, v128.or(one, v128.and(i32x4.shl(b, 31), sign)), 16);
      a = i32x4.shr_u(a, 1);
      b = i32x4.shr_u(b, 1);
    }
  }
}

/** Fills the panel: inputs `input` (a multiple of 8) to `input` + 7, units from `first` on. */
function transposedPanel(key0: usize, key1: usize, kind: i32, input: i32, first: i32, depth: i32): void {
  let to = PANEL;
  for (let i = 0; i < depth; i++, to += 32) {
    const k0 = load<u32>(key0 + (<usize>(first + i) << 2));
    const k1 = load<u32>(key1 + (<usize>(first + i) << 2));
    if (kind >= SIGNS) {
      const bits = i32x4.splat(signWord(k0, k1, input >> 5, kind) >> (input & 31));
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
 * acc += x (packed, k deep) times the integers. acc: (4, 8) f32 for each block of four rows and every eight units.
 * key0, key1: n words each, padded to a multiple of 8. kind: as in integers.ts or signs.ts.
 */
export function randomMatmul(x: usize, blocks: i32, k: i32, key0: usize, key1: usize, kind: i32, n: i32, acc: usize): void {
  const stride = ((n + 7) >> 3) << 7;
  if (kind == NORMAL) tableMagnitudes();
  for (let unit = 0; unit < n; unit += 8) {
    for (let first = 0; first < k; first += DEPTH) {
      const depth = min(DEPTH, k - first);
      if (kind >= SIGNS) signPanel(key0, key1, kind, unit, first, depth);
      else bytePanel(key0, key1, kind, unit, first, depth);
      multiplyPanel(x, blocks, k, first, depth, acc + (<usize>unit << 4), stride);
    }
  }
}

/**
 * acc += dz (packed, n deep) times the integers. acc: (4, 8) f32 for each block of four rows and every eight inputs.
 */
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

/** out (k, n) f32 = factor * the integers, transposed: filters as a matrix. Keys as above. */
export function randomFilters(key0: usize, key1: usize, kind: i32, k: i32, n: i32, factor: f32, out: usize): void {
  if (kind == NORMAL) tableMagnitudes();
  for (let unit = 0; unit < n; unit += 8) {
    const columns = min(8, n - unit);
    for (let first = 0; first < k; first += DEPTH) {
      const depth = min(DEPTH, k - first);
      if (kind >= SIGNS) signPanel(key0, key1, kind, unit, first, depth);
      else bytePanel(key0, key1, kind, unit, first, depth);
      for (let i = 0; i < depth; i++) {
        const to = out + ((<usize>(first + i) * n + unit) << 2);
        for (let c: usize = 0; c < <usize>columns; c++) {
          store<f32>(to + (c << 2), factor * load<f32>(PANEL + (<usize>i << 5) + (c << 2)));
        }
      }
    }
  }
}
