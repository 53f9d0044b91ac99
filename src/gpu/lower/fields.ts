/** Lowering of random receptive fields. */
import { randomFields } from '../../../kernels/random_fields.ts';
import { fieldArgs } from './field-args.ts';
import { bind, type LoweringTable } from './lowering.ts';

export const field: LoweringTable<'field'> = {
  randomFields: {
    fuses: 'scale',
    lower({ x, weights, z }, site) {
      const { operand, fused } = site;
      const tail = fused && { epilogue: bind(fused, operand) };
      return [randomFields({ ...fieldArgs(z, weights, site), x: operand(x), y: operand(fused?.y ?? z), ...tail })];
    },
  },
};
