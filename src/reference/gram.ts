/** g (n, n) = x'x for x (m, n): its upper triangle, and zeros below it. */
export function gram({ m, n, x }: { m: number; n: number; x: ArrayLike<number> }): Float64Array {
  const g = new Float64Array(n * n);
  for (let row = 0; row < m; row++) {
    for (let i = 0; i < n; i++) {
      for (let j = i; j < n; j++) g[i * n + j]! += x[row * n + i]! * x[row * n + j]!;
    }
  }
  return g;
}
