/** Steps of layers of random receptive fields, and their gradient. */
import { randomFields, randomFieldsTransposed } from './random_fields.ts';
import { bound, type StepMaker, size } from './step.ts';

export const fieldStep: StepMaker = (machine, node, place) => {
  switch (node.op) {
    case 'randomFields': {
      const { x, z, weights } = node;
      return bound(randomFields(machine, { m: size(z, 0), n: size(z, 1), weights }), place(x), place(z));
    }
    case 'randomFieldsTransposed': {
      const { dz, dx, weights } = node;
      return bound(randomFieldsTransposed(machine, { m: size(dz, 0), n: size(dz, 1), weights }), place(dz), place(dx));
    }
    default:
      return undefined;
  }
};
