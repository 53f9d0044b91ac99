/** loss (m, 2): the row's mean squared difference, and 0; dy (m, n): gradient of the mean over the rows. */
export function meanSquaredError(args: { m: number; n: number; y: ArrayLike<number>; targets: ArrayLike<number> }): {
  loss: Float64Array;
  dy: Float64Array;
} {
  const { m, n, y, targets } = args;
  const loss = new Float64Array(2 * m);
  const dy = new Float64Array(m * n);
  for (let i = 0; i < m * n; i++) {
    const d = y[i]! - targets[i]!;
    loss[2 * Math.floor(i / n)]! += (d * d) / n;
    dy[i] = (2 * d) / (m * n);
  }
  return { loss, dy };
}
