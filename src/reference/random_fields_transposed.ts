import { imageSize } from '../core/window.ts';
import type { FieldSpec } from '../weights/fields.ts';
import { matmul } from './matmul.ts';
import { fieldMatrix } from './random_fields.ts';

/** dx (m, image) = dz (m, n) times the receptive fields. */
export const randomFieldsTransposed = ({
  m,
  n,
  weights,
  dz,
}: {
  m: number;
  n: number;
  weights: FieldSpec;
  dz: ArrayLike<number>;
}): Float64Array => matmul({ m, k: n, n: imageSize(weights.image), a: dz, b: fieldMatrix(weights, n) });
