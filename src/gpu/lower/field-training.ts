/** The kernels of receptive fields with that of their gradient. */
import { randomFieldsTransposed } from '../../../kernels/random_fields_transposed.ts';
import type { Launchers } from '../plan.ts';
import { fieldArgs, fieldLaunchers } from './fields.ts';

export const fieldTrainingLaunchers = {
  ...fieldLaunchers,
  randomFieldsTransposed: {
    launch({ dz, weights, dx }, site) {
      const { operand } = site;
      return [randomFieldsTransposed({ ...fieldArgs(dz, weights, site), dz: operand(dz), dx: operand(dx) })];
    },
  },
} satisfies Launchers;
