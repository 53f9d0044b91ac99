/** Random layers whose units see a window of an image. */
import { imageSize } from '../../core/window.ts';
import type { FieldSpec } from '../../weights/fields.ts';
import { op } from '../declare.ts';
import { expectShape, matrix } from '../value.ts';

export const fieldOps = {
  /** z (M, units) = x times a random matrix whose rows are 0 outside a window of the image that a row of x holds. */
  randomFields: op<{ readonly weights: FieldSpec; readonly units: number }>()('field', ['x'], {
    z: ({ x, weights, units }) => {
      const [m] = matrix(x);
      expectShape(x, [m, imageSize(weights.image)]);
      return [m, units];
    },
  }),
  randomFieldsTransposed: op<{ readonly weights: FieldSpec }>()('fieldGradient', ['dz'], {
    dx: ({ dz, weights }) => [matrix(dz)[0], imageSize(weights.image)],
  }),
} as const;
