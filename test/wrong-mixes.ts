/**
 * Random words as a function of what is addressed, and the ways to get that function wrong (SPEC.md, section 7). The
 * tests and Dieharder must see what is wrong with these, or their word on the real stream is worth nothing.
 */

/** Word `index` of a unit's stream, for any generator: ours or a wrong one. `seed` here is a safe integer. */
export type WordFunction = (seed: number, tensor: number, unit: number, index: number) => number;

/** Words of a unit in the wrong mixes, which need to know the width of the matrix. */
export const WRONG_MIX_WIDTH = 1024;

/** A good 32-bit hash (that of SPEC.md, section 3, without keys): the fault of the wrong mixes isn't here. */
export function mix(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x21f0aaad);
  h ^= h >>> 15;
  h = Math.imul(h, 0x735a2d97);
  return (h ^ (h >>> 15)) >>> 0;
}

/** `mix(counter ^ seed)`: the words of one seed are those of another in another order. */
export const counterXorSeed: WordFunction = (seed, tensor, unit, index) =>
  mix((Math.imul(unit, WRONG_MIX_WIDTH) + index + Math.imul(tensor, 0x1000000)) ^ seed);

/** `mix(mix(row + seed) + column)`: the next row of one seed is the same row of the next seed. */
export const nested: WordFunction = (seed, tensor, unit, index) =>
  mix((mix(unit + seed + Math.imul(tensor, 0x1000000)) + index) | 0);

export const wrongMixes = { 'counter-xor-seed': counterXorSeed, nested } as const;
