/** Lowering of random kernels along signals. */
import { randomKernels } from '../../../kernels/random_kernels.ts';
import { size } from '../../graph/value.ts';
import { kernelWords } from '../../weights/random-kernels.ts';
import type { LoweringTable } from './lowering.ts';

export const signal: LoweringTable<'signal'> = {
  randomKernels: {
    lower({ x, b, y, weights, units, pools }, { operand, keysOf }) {
      const kernels = keysOf(weights, units, () => kernelWords(weights, units));
      const values = { x: operand(x), b: operand(b), y: operand(y) };
      return [randomKernels({ m: size(x, 0), n: units, weights, pools, kernels, ...values })];
    },
  },
};
