/** Lowering of random kernels along signals. */
import { size } from '../../graph/value.ts';
import { randomKernels } from '../random_kernels.ts';
import { bound, type LoweringTable } from './lowering.ts';

export const signal: LoweringTable<'signal'> = {
  randomKernels: ({ x, b, y, weights, units, pools }, { machine, place }) =>
    bound(randomKernels(machine, { m: size(x, 0), n: units, weights, pools }), place(x), place(b), place(y)),
};
