/**
 * z += x times the signs of `binary` or `codeword`, four rows at once, every sum in f32. For every eight inputs (16 for
 * `codeword`) a table holds their 256 signed sums, each a vector of four rows. A unit looks up one sum per byte of its
 * words. Rows are packed (pack_rows), and so is z: the four rows of a unit side by side.
 */
import { TABLES, WEIGHTS } from './memory';
import { CODES } from './signs';
import { WEYL, words } from './stream';

/** The 256 sums of eight inputs; a set bit negates its input. */
// @ts-ignore: decorator
@inline
function tableSums(x: usize, to: usize): void {
  let sum = v128.load(x);
  for (let i: usize = 16; i < 128; i += 16) sum = f32x4.add(sum, v128.load(x + i));
  v128.store(to, sum);
  for (let half: usize = 16; half < 4096; half <<= 1, x += 16) {
    const twice = f32x4.add(v128.load(x), v128.load(x));
    for (let i: usize = 0; i < half; i += 16) v128.store(to + half + i, f32x4.sub(v128.load(to + i), twice));
  }
}

/** The Walsh-Hadamard transform of four vectors that lie `step` bytes apart, in place. */
// @ts-ignore: decorator
@inline
function transform(at: usize, step: usize): void {
  const v0 = v128.load(at);
  const v1 = v128.load(at + step);
  const v2 = v128.load(at + 2 * step);
  const v3 = v128.load(at + 3 * step);
  const a = f32x4.add(v0, v1);
  const b = f32x4.sub(v0, v1);
  const c = f32x4.add(v2, v3);
  const d = f32x4.sub(v2, v3);
  v128.store(at, f32x4.add(a, c));
  v128.store(at + step, f32x4.add(b, d));
  v128.store(at + 2 * step, f32x4.sub(a, c));
  v128.store(at + 3 * step, f32x4.sub(b, d));
}

/**
 * The 256 sums of 16 inputs by code words, whose signs the host writes to WEIGHTS: for each of eight cosets its signs, a
 * transform of 16, and the negations in between.
 */
function tableCodes(x: usize, to: usize): void {
  for (let coset: usize = 0; coset < 8; coset++, to += 512) {
    const signs = load<u32>(coset << 7, WEIGHTS); // of the word of byte 32 * coset
    for (let i: u32 = 0; i < 16; i++) {
      const sign = i32x4.splat((signs >> i) << 31);
      v128.store(to + (<usize>i << 5), v128.xor(v128.load(x + (<usize>i << 4)), sign));
    }
    for (let i: usize = 0; i < 128; i += 32) transform(to + i, 128);
    for (let i: usize = 0; i < 512; i += 128) transform(to + i, 32);
    for (let i: usize = 0; i < 512; i += 32) v128.store(to + i, f32x4.neg(v128.load(to + i)), 16);
  }
}

// @ts-ignore: decorator
@inline
function addLookups(h: u32, z: usize): void {
  const a = f32x4.add(v128.load((h << 4) & 0xff0, TABLES), v128.load((h >> 4) & 0xff0, TABLES + 4096));
  const b = f32x4.add(v128.load((h >> 12) & 0xff0, TABLES + 8192), v128.load((h >> 20) & 0xff0, TABLES + 12288));
  v128.store(z, f32x4.add(v128.load(z), f32x4.add(a, b)));
}

/**
 * x: `blocks` of four rows, each (k, 4) f32, zero-padded to a multiple of the inputs of a word, 32 or 64. key0, key1: n
 * words each, n a multiple of 4. kind: as in signs.ts. z: (n, 4) f32 for each block. scratch: n words.
 */
export function signTables(
  x: usize,
  blocks: i32,
  k: i32,
  key0: usize,
  key1: usize,
  kind: i32,
  n: i32,
  z: usize,
  scratch: usize,
): void {
  const codes = kind == CODES;
  const count = codes ? (k + 63) >> 6 : (k + 31) >> 5;
  const bytes = <usize>n << 2;
  for (let j = 0; j < count; j++) {
    const counter = i32x4.splat(j * WEYL);
    for (let u: usize = 0; u < bytes; u += 16) {
      v128.store(scratch + u, words(i32x4.add(v128.load(key0 + u), counter), v128.load(key1 + u)));
    }
    for (let block: usize = 0; block < <usize>blocks; block++) {
      const from = x + ((block * count + j) << (codes ? 10 : 9));
      for (let b: usize = 0; b < 4; b++) {
        if (codes) tableCodes(from + (b << 8), TABLES + (b << 12));
        else tableSums(from + (b << 7), TABLES + (b << 12));
      }
      const to = z + block * (bytes << 2);
      for (let u: usize = 0; u < bytes; u += 8) {
        const two = load<u64>(scratch + u);
        addLookups(<u32>two, to + (u << 2));
        addLookups(<u32>(two >> 32), to + (u << 2) + 16);
      }
    }
  }
}
