/** z (m, n): the sum over the parts of `sums`, (parts, m, n). */
export function sumParts(args: { parts: number; m: number; n: number; sums: ArrayLike<number> }): Float64Array {
  const { parts, m, n, sums } = args;
  return Float64Array.from({ length: m * n }, (_, i) => {
    let sum = 0;
    for (let part = 0; part < parts; part++) sum += sums[part * m * n + i]!;
    return sum;
  });
}
