/** The loss (m, 2) and the gradient (m, n) of each row times the weight of its class; hits stay as they are. */
export function classWeights(args: {
  m: number;
  n: number;
  loss: ArrayLike<number>;
  gradient: ArrayLike<number>;
  labels: ArrayLike<number>;
  weights: ArrayLike<number>;
}): { weightedLoss: Float64Array; weightedGradient: Float64Array } {
  const { m, n, loss, gradient, labels, weights } = args;
  const weightOf = (row: number) => weights[labels[row]!]!;
  return {
    weightedLoss: Float64Array.from({ length: 2 * m }, (_, i) =>
      i % 2 ? loss[i]! : weightOf(Math.floor(i / 2)) * loss[i]!,
    ),
    weightedGradient: Float64Array.from({ length: m * n }, (_, i) => weightOf(Math.floor(i / n)) * gradient[i]!),
  };
}
