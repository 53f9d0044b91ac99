/** The words of the stream (src/weights/SPEC.md, section 3), four units at a time. The twin of src/weights/stream.ts. */

export const WEYL: i32 = 0x9e3779b9;

/** Words at `counter` = key0 + j * WEYL of four units; `key1` is theirs. */
// @ts-ignore: decorator
@inline
export function words(counter: v128, key1: v128): v128 {
  let h = v128.xor(counter, i32x4.shr_u(counter, 16));
  h = i32x4.mul(h, v128.or(key1, i32x4.splat(1)));
  h = v128.xor(h, i32x4.shr_u(h, 15));
  h = i32x4.add(h, key1);
  h = i32x4.mul(h, i32x4.splat(0x735a2d97));
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
  h *= 0x735a2d97;
  return h ^ (h >> 15);
}
