import { integerWeights, type WeightSpec, weightScale } from '../weights/distributions.ts';

/** The (k, n) random matrix, scale included, row-major. The engine never stores it. */
export function randomMatrix(weights: WeightSpec, k: number, n: number): Float64Array {
  const scale = weightScale(weights.distribution, k);
  return Float64Array.from(integerWeights(weights, [0, k], [0, n], k), (w) => scale * w);
}

/** z (m, n) = x (m, k) times the random (k, n) matrix. */
export function randomMatmul(args: {
  m: number;
  k: number;
  n: number;
  weights: WeightSpec;
  x: ArrayLike<number>;
}): Float64Array {
  const { m, k, n, weights, x } = args;
  const r = randomMatrix(weights, k, n);
  const z = new Float64Array(m * n);
  for (let row = 0; row < m; row++) {
    for (let i = 0; i < k; i++) {
      for (let unit = 0; unit < n; unit++) z[row * n + unit]! += x[row * k + i]! * r[i * n + unit]!;
    }
  }
  return z;
}
