/** Random kernels over signals. */
import { expectPools, type SignalPool } from '../../core/signal-pools.ts';
import { checkKernels, type KernelSpec } from '../../weights/kernel-spec.ts';
import { op } from '../declare.ts';
import { expectShape, matrix } from '../value.ts';

export const signalOps = {
  /**
   * y (M, pools * units): each signal of x (length, channels) convolved with `units` random kernels, each result pooled
   * to one number for each of `pools`. Feature p * units + n is pool p of unit n, whose bias is b[n].
   */
  randomKernels: op<{ readonly weights: KernelSpec; readonly units: number; readonly pools: readonly SignalPool[] }>()(
    'signal',
    ['x', 'b'],
    {
      y: ({ x, b, weights, units, pools }) => {
        const [m] = matrix(x);
        expectPools(pools);
        checkKernels(weights);
        expectShape(x, [m, weights.length * weights.channels]);
        expectShape(b, [units]);
        return [m, pools.length * units];
      },
    },
  ),
} as const;
