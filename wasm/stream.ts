/** Words of the stream (src/weights/SPEC.md, section 3), four units at a time. The twin of src/weights/stream.ts. */

export const WEYL: i32 = 0x9e3779b9;
export const MULTIPLIER: i32 = 0x735a2d97;

/** Words of four units at `counter` = key0 + j * WEYL; `key1`: the second halves of their keys. */
// @ts-ignore: decorator
@inline
export function words(counter: v128, key1: v128): v128 {
  return wordsBy(counter, key1, v128.or(key1, i32x4.splat(1)), i32x4.splat(MULTIPLIER));
}

/** The same for loops that have registers for both factors: `odd` is key1 | 1, `multiplier` MULTIPLIER in each lane. */
// @ts-ignore: decorator
@inline
export function wordsBy(counter: v128, key1: v128, odd: v128, multiplier: v128): v128 {
  let h = v128.xor(counter, i32x4.shr_u(counter, 16));
  h = i32x4.mul(h, odd);
  h = v128.xor(h, i32x4.shr_u(h, 15));
  h = i32x4.add(h, key1);
  h = i32x4.mul(h, multiplier);
  return v128.xor(h, i32x4.shr_u(h, 15));
}

/** One word of one unit. */
// @ts-ignore: decorator
@inline
export function word(key0: u32, key1: u32, j: u32): u32 {
  let h: u32 = key0 + j * <u32>WEYL;
  h ^= h >> 16;
  h *= key1 | 1;
  h ^= h >> 15;
  h += key1;
  h *= MULTIPLIER;
  return h ^ (h >> 15);
}
