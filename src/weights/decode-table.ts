/** SPEC.md, section 4, as a table, for building the stream from another library's operations. */
import { distributions, type ElementwiseName } from './distributions.ts';

export interface DecodeTable {
  /** Number of bits that determine a weight: of `codeword` 8 for each 16 weights, else bits of its own. */
  readonly bits: number;
  /** Number of weights per word. */
  readonly places: number;
  /** Of each place in a word: how many bits of the word come before its own. */
  readonly shifts: readonly number[];
  /** Of each place in a word: the first entry of its 2^bits integers. */
  readonly rows: readonly number[];
  /** At rows[p] + b: the integer weight at place `p` whose bits are `b`. */
  readonly integers: readonly number[];
}

export function decodeTable(distribution: ElementwiseName): DecodeTable {
  const { weightsPerWord: places, decode } = distributions[distribution];
  const bits = distribution === 'codeword' ? 8 : 32 / places;
  const together = (bits * places) / 32; // weights that share their bits
  const count = together > 1 ? together : places;
  const forPlaces = (of: (place: number) => number) => Array.from({ length: places }, (_, place) => of(place));
  const shifts = forPlaces((place) => bits * Math.floor(place / together));
  const rows = forPlaces((place) => (place % count) << bits);
  const integers = Array.from({ length: count << bits }, (_, entry) => {
    const place = entry >> bits;
    return decode((entry - (place << bits)) << shifts[place]!, place);
  });
  return { bits, places, shifts, rows, integers };
}
