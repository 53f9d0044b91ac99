/**
 * `orthogonal` (SPEC.md, section 4.5): the random matrix H D2 H D1 H D0, with H the Walsh-Hadamard matrix and D0, D1,
 * D2 diagonals of random signs. This is the CPU twin, in float64: all numbers are integers and exact.
 */
import { type Seed, streamWord, unitKeys } from './stream.ts';

/** The largest fan-in for which every entry is exact in f32. */
export const MAX_ORTHOGONAL_FAN_IN = 65536;

/** log2 of the block size P, the smallest power of two that is at least 128 and at least the fan-in. */
export function orthogonalLogP(fanIn: number): number {
  if (!(fanIn >= 1 && fanIn <= MAX_ORTHOGONAL_FAN_IN)) {
    throw new RangeError(`orthogonal: expected a fan-in from 1 to ${MAX_ORTHOGONAL_FAN_IN}, got ${fanIn}`);
  }
  return Math.max(7, Math.ceil(Math.log2(fanIn)));
}

/** Number of index bits that each pass of a transform covers, highest bits first: 12 is 6 + 6, 13 is 5 + 4 + 4. */
export function orthogonalPasses(logP: number): number[] {
  const passes = Math.ceil(logP / 6);
  return Array.from({ length: passes }, (_, i) => Math.ceil((logP - i) / passes));
}

/** Diagonal d (0, 1, 2) of the block with this key: P numbers, each 1 or -1. */
export function orthogonalSigns(key: readonly [number, number], d: 0 | 1 | 2, logP: number): Float64Array {
  const rotate = d === 1 ? 0 : orthogonalPasses(logP)[0]!;
  const size = 2 ** logP;
  const signs = new Float64Array(size);
  for (let t = 0; t < size; t++) {
    const at = ((t << rotate) & (size - 1)) | (t >> (logP - rotate));
    signs[t] = 1 - 2 * ((streamWord(key[0], key[1], 2048 * d + (at >> 5)) >>> (at & 31)) & 1);
  }
  return signs;
}

/** Multiplies v in place by the P x P Walsh-Hadamard matrix (natural order, entries 1 and -1). */
export function walshHadamard(v: Float64Array): void {
  for (let half = 1; half < v.length; half *= 2) {
    for (let start = 0; start < v.length; start += 2 * half) {
      for (let i = start; i < start + half; i++) {
        const [a, b] = [v[i]!, v[i + half]!];
        v[i] = a + b;
        v[i + half] = a - b;
      }
    }
  }
}

/** The three diagonals of a block. */
export function orthogonalDiagonals(seed: Seed, tensor: number, block: number, logP: number): Float64Array[] {
  const [key0, key1] = unitKeys(seed, tensor, 1, block);
  return ([0, 1, 2] as const).map((d) => orthogonalSigns([key0!, key1!], d, logP));
}

/** Row i of the block with these diagonals, P integers: D0 H D1 H D2 H times a unit vector. */
export function orthogonalRow(diagonals: readonly Float64Array[], i: number): Float64Array {
  const v = new Float64Array(diagonals[0]!.length);
  v[i] = 1;
  for (const signs of diagonals.slice().reverse()) {
    walshHadamard(v);
    for (let t = 0; t < v.length; t++) v[t]! *= signs[t]!;
  }
  return v;
}
