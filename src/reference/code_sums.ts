import { distributions } from '../weights/distributions.ts';

/** sums (m, 4 * ceil(k / 64), 256): every 16 inputs of a row times the signs of each code word, added. */
export function codeSums({ m, k, x }: { m: number; k: number; x: ArrayLike<number> }): Float64Array {
  const groups = 4 * Math.ceil(k / 64);
  const sums = new Float64Array(m * groups * 256);
  for (let row = 0; row < m; row++) {
    for (let input = 0; input < k; input++) {
      const at = (row * groups + Math.floor(input / 16)) * 256;
      for (let byte = 0; byte < 256; byte++) {
        sums[at + byte]! += distributions.codeword.decode(byte, input % 16) * x[row * k + input]!;
      }
    }
  }
  return sums;
}
