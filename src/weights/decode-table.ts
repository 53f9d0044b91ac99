/** SPEC.md, section 4, as a table: for those who write the stream down in the operations of another library. */
import { distributions, type ElementwiseName } from './distributions.ts';

export interface DecodeTable {
  /** Bits of a word that make a weight, from the lowest on. */
  readonly bits: number;
  /** Weights that a word yields. */
  readonly places: number;
  /** The integer weight of place `p` whose bits are `b`, at p * 2^bits + b. */
  readonly integers: readonly number[];
}

export function decodeTable(distribution: ElementwiseName): DecodeTable {
  const { weightsPerWord: places, decode } = distributions[distribution];
  const bits = 32 / places;
  const integers = Array.from({ length: places << bits }, (_, entry) => {
    const place = entry >> bits;
    return decode((entry - (place << bits)) << (bits * place), place);
  });
  return { bits, places, integers };
}
