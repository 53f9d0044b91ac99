/**
 * z (n) += x (k) times the random (n, k) integers of a distribution drawn from bytes: one row, every sum in f32.
 * The 256 products that an input can make are tabled, for 8 inputs at a time; a unit adds 8 of them, found by the bytes of two
 * words. Eight inputs that are 0 cost nothing.
 * Tried beside it and slower on x86: 16 magnitudes at once by eight swizzles, then 16-bit dot products (and less exact).
 */
import { LOOKUPS, TABLES, WEIGHTS } from './memory';
import { WEYL, words } from './stream';

/** Units whose look-ups are prepared before they are summed. */
const CHUNK: i32 = 64;

// @ts-ignore: decorator
@inline
function tableProducts(x: usize): void {
  for (let b: usize = 0; b < 8; b++) {
    const value = v128.load32_splat(x + (b << 2));
    const from = WEIGHTS + ((b & 1) << 10);
    const to = TABLES + (b << 10);
    for (let i: usize = 0; i < 1024; i += 16) v128.store(to + i, f32x4.mul(value, v128.load(from + i)));
  }
}

/** Byte offsets into tables for four units and two words: eight u16 a unit, bytes 0, 2, 1, 3 of either word. */
// @ts-ignore: decorator
@inline
function storeLookups(first: v128, second: v128, to: usize): void {
  const mask = i16x8.splat(0x3fc);
  const e0 = v128.and(i16x8.shl(first, 2), mask);
  const o0 = v128.and(i16x8.shr_u(first, 6), mask);
  const e1 = v128.and(i16x8.shl(second, 2), mask);
  const o1 = v128.and(i16x8.shr_u(second, 6), mask);
  const l0 = v128.shuffle<i32>(e0, o0, 0, 4, 1, 5);
  const l1 = v128.shuffle<i32>(e1, o1, 0, 4, 1, 5);
  const h0 = v128.shuffle<i32>(e0, o0, 2, 6, 3, 7);
  const h1 = v128.shuffle<i32>(e1, o1, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<i64>(l0, l1, 0, 2));
  v128.store(to, v128.shuffle<i64>(l0, l1, 1, 3), 16);
  v128.store(to, v128.shuffle<i64>(h0, h1, 0, 2), 32);
  v128.store(to, v128.shuffle<i64>(h0, h1, 1, 3), 48);
}

// @ts-ignore: decorator
@inline
function addLookups(lookups: usize, z: usize): void {
  const a = load<u64>(lookups);
  const b = load<u64>(lookups, 8);
  let s = load<f32>(<u32>a & 0xffff, TABLES) + load<f32>(<u32>a >> 16, TABLES + 2048);
  let t = load<f32>(<u32>(a >> 32) & 0xffff, TABLES + 1024) + load<f32>(<usize>(a >> 48), TABLES + 3072);
  s += load<f32>(<u32>b & 0xffff, TABLES + 4096) + load<f32>(<u32>b >> 16, TABLES + 6144);
  t += load<f32>(<u32>(b >> 32) & 0xffff, TABLES + 5120) + load<f32>(<usize>(b >> 48), TABLES + 7168);
  store<f32>(z, load<f32>(z) + (s + t));
}

/** x: k f32, padded with zeros to a multiple of 8. key0, key1, z: n words each, n a multiple of 4. */
export function randomMatmulRow(x: usize, k: i32, key0: usize, key1: usize, n: i32, z: usize): void {
  for (let j = 0; j << 2 < k; j += 2) {
    const from = x + (<usize>j << 4);
    if (!v128.any_true(v128.or(v128.load(from), v128.load(from, 16)))) continue;
    tableProducts(from);
    const c0 = i32x4.splat(j * WEYL);
    const c1 = i32x4.splat((j + 1) * WEYL);
    for (let start = 0; start < n; start += CHUNK) {
      const end = min(n, start + CHUNK);
      let p = LOOKUPS;
      for (let u = start; u < end; u += 4, p += 64) {
        const k0 = v128.load(key0 + (<usize>u << 2));
        const k1 = v128.load(key1 + (<usize>u << 2));
        storeLookups(words(i32x4.add(k0, c0), k1), words(i32x4.add(k0, c1), k1), p);
      }
      p = LOOKUPS;
      for (let u = start; u < end; u += 4, p += 64) {
        const q = z + (<usize>u << 2);
        addLookups(p, q);
        addLookups(p + 16, q + 4);
        addLookups(p + 32, q + 8);
        addLookups(p + 48, q + 12);
      }
    }
  }
}
