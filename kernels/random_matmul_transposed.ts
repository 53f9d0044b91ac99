import { type ElementwiseName, weightScale } from '../src/weights/distributions.ts';
import type { Dispatch } from './dispatch.ts';
import source from './random_matmul_transposed.wgsl';

export interface RandomMatmulTransposedArgs<B> {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly weights: ElementwiseName;
  /** (m, n) f32. */
  readonly dz: B;
  /** (n) pairs of u32: `unitKeys`. */
  readonly keys: B;
  /** (m, k) f32, written. */
  readonly dx: B;
}

/**
 * dx = dz r: the gradient of the random product with respect to its input, with the same r (n, k) regenerated. An
 * invocation owns `rows` rows x `quads` quads of inputs; every choice gives the same bits.
 */
export const randomMatmulTransposed = <B>(
  args: RandomMatmulTransposedArgs<B>,
  rows: 8 | 16 = 16,
  quads: 1 | 2 = 2,
): Dispatch<B> => {
  const { m, k, n, weights, dz, keys, dx } = args;
  return {
    source,
    weights,
    constants: { ROWS: rows, QUADS: quads },
    params: { m, k, n, scale: weightScale(weights, k) },
    buffers: { dz, keys, dx },
    grid: [Math.ceil(k / (128 * quads)), Math.ceil(m / rows), 1],
  };
};
