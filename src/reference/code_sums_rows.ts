import { codeSums } from './code_sums.ts';

/**
 * sums (ceil(m / 4), 4 * ceil(k / 64), 256, 4): those of code_sums with four rows side by side. Rows past m repeat the
 * last one.
 */
export function codeSumsRows({ m, k, x }: { m: number; k: number; x: ArrayLike<number> }): Float64Array {
  const sums = codeSums({ m, k, x });
  const size = sums.length / m;
  return Float64Array.from({ length: 4 * Math.ceil(m / 4) * size }, (_, i) => {
    const row = 4 * Math.floor(i / (4 * size)) + (i % 4);
    return sums[Math.min(row, m - 1) * size + (Math.floor(i / 4) % size)]!;
  });
}
