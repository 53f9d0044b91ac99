/**
 * Words of 32 signs from the stream (src/weights/SPEC.md, 4.2 and 4.8): those of `binary`, and those of `codeword`, whose
 * every byte picks one of 256 words of 16 signs. The host writes these to WEIGHTS, one a u32.
 */
import { WEIGHTS } from './memory';
import { WEYL, word, words } from './stream';

// The numbers of src/cpu/random_matmul.ts.
export const SIGNS: i32 = 3;
export const CODES: i32 = 4;

// @ts-ignore: decorator
@inline
function codes(bytes: u32): u32 {
  return load<u32>((bytes & 255) << 2, WEIGHTS) | (load<u32>(((bytes >> 8) & 255) << 2, WEIGHTS) << 16);
}

/** Signs 32 * j to 32 * j + 31 of a unit. */
// @ts-ignore: decorator
@inline
export function signWord(key0: u32, key1: u32, j: i32, kind: i32): u32 {
  if (kind != CODES) return word(key0, key1, j);
  return codes(word(key0, key1, j >> 1) >> ((j & 1) << 4));
}

/** The same for four units. */
// @ts-ignore: decorator
@inline
export function signWords(key0: v128, key1: v128, j: i32, kind: i32): v128 {
  if (kind != CODES) return words(i32x4.add(key0, i32x4.splat(j * WEYL)), key1);
  const h = i32x4.shr_u(words(i32x4.add(key0, i32x4.splat((j >> 1) * WEYL)), key1), (j & 1) << 4);
  let made = i32x4.splat(codes(i32x4.extract_lane(h, 0)));
  made = i32x4.replace_lane(made, 1, codes(i32x4.extract_lane(h, 1)));
  made = i32x4.replace_lane(made, 2, codes(i32x4.extract_lane(h, 2)));
  return i32x4.replace_lane(made, 3, codes(i32x4.extract_lane(h, 3)));
}
