import type { WeightSpec } from '../weights/distributions.ts';
import { randomMatrix } from './random_matmul.ts';

/** dx (m, k) = dz (m, n) times the transpose of the random (k, n) matrix. */
export function randomMatmulTransposed(args: {
  m: number;
  k: number;
  n: number;
  weights: WeightSpec;
  dz: ArrayLike<number>;
}): Float64Array {
  const { m, k, n, weights, dz } = args;
  const r = randomMatrix(weights, k, n);
  const dx = new Float64Array(m * k);
  for (let row = 0; row < m; row++) {
    for (let i = 0; i < k; i++) {
      for (let unit = 0; unit < n; unit++) dx[row * k + i]! += dz[row * n + unit]! * r[i * n + unit]!;
    }
  }
  return dx;
}
