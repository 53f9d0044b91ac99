/** The kernel of a forward pass through receptive fields. */
import { randomFields } from '../../../kernels/random_fields.ts';
import type { Value } from '../../graph/graph.ts';
import { type FieldSpec, fieldWords } from '../../weights/fields.ts';
import { bind, type Launchers, type LaunchSite, type Operand, sizesOf } from '../plan.ts';

/** What both kernels are told: sizes, and the windows of the units. `z` is (rows, units). */
export function fieldArgs(z: Value, weights: FieldSpec, { keysOf }: Pick<LaunchSite, 'keysOf'>) {
  const { m, n } = sizesOf(z);
  const fields: Operand = keysOf(weights, n, () => fieldWords(weights, n));
  return { m, n, image: weights.image, weights: weights.distribution, fields };
}

export const fieldLaunchers = {
  randomFields: {
    fuses: 'scale',
    launch({ x, weights, z }, site) {
      const { operand, fused } = site;
      const tail = fused && { epilogue: bind(fused, operand) };
      return [randomFields({ ...fieldArgs(z, weights, site), x: operand(x), y: operand(fused?.y ?? z), ...tail })];
    },
  },
} satisfies Launchers;
