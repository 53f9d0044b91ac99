/**
 * Random words as a function of the address, and wrong ways to define that function (SPEC.md, section 7). The tests and
 * Dieharder must detect that these are wrong; otherwise their verdict on the real stream would mean nothing.
 */

/** Word `index` of a unit's stream, for our generator or a wrong one. Here `seed` is a safe integer. */
export type WordFunction = (seed: number, tensor: number, unit: number, index: number) => number;

/** Words per unit in the wrong mixes, which depend on the width of the matrix. */
export const WRONG_MIX_WIDTH = 1024;

/** A good 32-bit hash (that of SPEC.md, section 3, without keys). The wrong mixes fail for other reasons. */
export function mix(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x21f0aaad);
  h ^= h >>> 15;
  h = Math.imul(h, 0x735a2d97);
  return (h ^ (h >>> 15)) >>> 0;
}

/** `mix(counter ^ seed)`: every seed has the same words in a different order. */
export const counterXorSeed: WordFunction = (seed, tensor, unit, index) =>
  mix((Math.imul(unit, WRONG_MIX_WIDTH) + index + Math.imul(tensor, 0x1000000)) ^ seed);

/** `mix(mix(row + seed) + column)`: the next row of one seed equals the same row of the next seed. */
export const nested: WordFunction = (seed, tensor, unit, index) =>
  mix((mix(unit + seed + Math.imul(tensor, 0x1000000)) + index) | 0);

export const wrongMixes = { 'counter-xor-seed': counterXorSeed, nested } as const;
