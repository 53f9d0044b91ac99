/** Arguments that both kernels of random receptive fields share. */
import type { Value } from '../../graph/value.ts';
import { type FieldSpec, fieldWords } from '../../weights/fields.ts';
import { type LoweringSite, type Operand, sizesOf } from './lowering.ts';

/** Sizes, and the windows of the units. `z` is (rows, units). */
export function fieldArgs(z: Value, weights: FieldSpec, { keysOf }: Pick<LoweringSite, 'keysOf'>) {
  const { m, n } = sizesOf(z);
  const fields: Operand = keysOf(weights, n, () => fieldWords(weights, n));
  return { m, n, image: weights.image, weights: weights.distribution, fields };
}
