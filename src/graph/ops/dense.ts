/** Operations of dense layers, which every page loads. */
import { ShapeError } from '../../core/errors.ts';
import { expectMatrix, type WeightSpec } from '../../weights/distributions.ts';
import { type Activated, op } from '../declare.ts';
import { expectShape, matrix, type Value } from '../value.ts';

export const denseOps = {
  /** z (M, units) = x (M, K) times the transpose of the random (units, K) matrix of `weights`, scale included. */
  randomMatmul: op<{ readonly weights: WeightSpec; readonly units: number }>()('dense', ['x'], {
    z: ({ x, weights, units }) => {
      const [m, k] = matrix(x);
      expectMatrix(weights.distribution, k, units);
      return [m, units];
    },
  }),
  /** c (M, N) = op(a) op(b); op transposes where its flag is set. */
  matmul: op<{ readonly transposeA?: boolean; readonly transposeB?: boolean }>()('dense', ['a', 'b'], {
    c: ({ a, b, transposeA, transposeB }) => {
      const [m, k] = orient(matrix(a), transposeA);
      const [k2, n] = orient(matrix(b), transposeB);
      if (k === k2) return [m, n];
      const text = ({ name, shape }: Value, transposed = false) =>
        `'${name}' (${shape.join(', ')})${transposed ? ' transposed' : ''}`;
      throw new ShapeError(
        `expected inner sizes to agree, got ${k} of ${text(a, transposeA)} and ${k2} of ${text(b, transposeB)}`,
      );
    },
  }),
  /** y = g(u * z + b): u and b over the columns, or over the `channels` of each position; without u: g(z + b). */
  epilogue: op<Activated & { readonly channels?: number | undefined }>()('dense', ['z', 'u?', 'b'], {
    y: ({ z, u, b, channels }) => {
      const [m, n] = matrix(z);
      for (const value of u ? [u, b] : [b]) expectShape(value, [channels ?? n]);
      return [m, n];
    },
  }),
} as const;

const orient = ([rows, columns]: readonly [number, number], transposed = false) =>
  transposed ? ([columns, rows] as const) : ([rows, columns] as const);
