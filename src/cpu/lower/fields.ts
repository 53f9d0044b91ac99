/** Lowerings of random receptive fields, and of their gradient. */
import { size } from '../../graph/value.ts';
import { randomFields, randomFieldsTransposed } from '../random_fields.ts';
import { bound, type LoweringTable } from './lowering.ts';

export const field: LoweringTable<'field'> = {
  randomFields: ({ x, z, weights }, { machine, place }) =>
    bound(randomFields(machine, { m: size(z, 0), n: size(z, 1), weights }), place(x), place(z)),
};

export const fieldGradient: LoweringTable<'fieldGradient'> = {
  randomFieldsTransposed: ({ dz, dx, weights }, { machine, place }) =>
    bound(randomFieldsTransposed(machine, { m: size(dz, 0), n: size(dz, 1), weights }), place(dz), place(dx)),
};
