/** c (m, n) = op(a) op(b); a is stored (k, m) with transposeA, b (n, k) with transposeB. */
export function matmul(args: {
  m: number;
  k: number;
  n: number;
  transposeA?: boolean;
  transposeB?: boolean;
  a: ArrayLike<number>;
  b: ArrayLike<number>;
}): Float64Array {
  const { m, k, n, transposeA = false, transposeB = false, a, b } = args;
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      for (let l = 0; l < k; l++) {
        c[i * n + j]! += a[transposeA ? l * m + i : i * k + l]! * b[transposeB ? j * k + l : l * n + j]!;
      }
    }
  }
  return c;
}
