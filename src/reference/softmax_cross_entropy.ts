/** loss (m, 2): cross-entropy in nats, and 1 for a hit; dlogits (m, n): gradient of the mean cross-entropy. */
export function softmaxCrossEntropy(args: {
  m: number;
  n: number;
  logits: ArrayLike<number>;
  labels: ArrayLike<number>;
}): { loss: Float64Array; dlogits: Float64Array } {
  const { m, n, logits, labels } = args;
  const loss = new Float64Array(2 * m);
  const dlogits = new Float64Array(m * n);
  for (let row = 0; row < m; row++) {
    const values = Array.from({ length: n }, (_, i) => logits[row * n + i]!);
    const largest = Math.max(...values);
    const sum = values.reduce((total, value) => total + Math.exp(value - largest), 0);
    const label = labels[row]!;
    loss[2 * row] = Math.log(sum) - (values[label]! - largest);
    loss[2 * row + 1] = values.indexOf(largest) === label ? 1 : 0;
    values.forEach((value, i) => {
      dlogits[row * n + i] = (Math.exp(value - largest) / sum - (i === label ? 1 : 0)) / m;
    });
  }
  return { loss, dlogits };
}
