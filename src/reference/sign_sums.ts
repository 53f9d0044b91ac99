/**
 * sums (m, 4 * ceil(k / 32), 256): the sum of every eight inputs of a row, each negated if its bit of the index is set.
 */
export function signSums({ m, k, x }: { m: number; k: number; x: ArrayLike<number> }): Float64Array {
  const groups = 4 * Math.ceil(k / 32);
  const sums = new Float64Array(m * groups * 256);
  for (let row = 0; row < m; row++) {
    for (let input = 0; input < k; input++) {
      const at = (row * groups + Math.floor(input / 8)) * 256;
      for (let signs = 0; signs < 256; signs++) {
        sums[at + signs]! += (signs >> (input % 8)) & 1 ? -x[row * k + input]! : x[row * k + input]!;
      }
    }
  }
  return sums;
}
