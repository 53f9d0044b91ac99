import { imageSize } from '../core/window.ts';
import { type FieldSpec, fieldWeights } from '../weights/fields.ts';
import { matmul } from './matmul.ts';

/** The (n, k) matrix of random receptive fields, scales included, row-major. The engine never stores it. */
export function fieldMatrix(weights: FieldSpec, n: number): Float64Array {
  const k = imageSize(weights.image);
  const { integers, scales } = fieldWeights(weights, [0, n]);
  return Float64Array.from(integers, (w, i) => scales[Math.floor(i / k)]! * w);
}

/** z (m, n) = x (m, image) times the transpose of the receptive fields. */
export const randomFields = ({
  m,
  n,
  weights,
  x,
}: {
  m: number;
  n: number;
  weights: FieldSpec;
  x: ArrayLike<number>;
}): Float64Array => matmul({ m, k: imageSize(weights.image), n, transposeB: true, a: x, b: fieldMatrix(weights, n) });
