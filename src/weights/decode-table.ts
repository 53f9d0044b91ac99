/** SPEC.md, section 4, as a table, for building the stream from another library's operations. */
import { distributions, type ElementwiseName } from './distributions.ts';

export interface DecodeTable {
  /** Number of bits that determine a weight; weights take their bits from the lowest on. */
  readonly bits: number;
  /** Number of weights per word. */
  readonly places: number;
  /** At p * 2^bits + b: the integer weight at place `p` whose bits are `b`. */
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
