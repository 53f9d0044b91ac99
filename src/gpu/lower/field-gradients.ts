/** Lowering of the gradient through random receptive fields. */
import { randomFieldsTransposed } from '../../../kernels/random_fields_transposed.ts';
import { fieldArgs } from './field-args.ts';
import type { LoweringTable } from './lowering.ts';

export const fieldGradient: LoweringTable<'fieldGradient'> = {
  randomFieldsTransposed: {
    lower({ dz, weights, dx }, site) {
      const { operand } = site;
      return [randomFieldsTransposed({ ...fieldArgs(dz, weights, site), dz: operand(dz), dx: operand(dx) })];
    },
  },
};
