import type { Dispatch } from './dispatch.ts';
import { type RandomMatmulArgs, randomMatmulDispatch } from './random_matmul.ts';
import source from './random_matmul_f16.wgsl';

/**
 * y = g(u * (x r') + b) with inputs, weights and sums of eight products in f16. x and `scales` are the outputs of
 * half_rows. Compiles only on a device with `shader-f16`.
 */
export function randomMatmulF16<B>(args: RandomMatmulArgs<B>, scales: B): Dispatch<B> {
  const common = randomMatmulDispatch(args);
  return {
    source,
    ...common,
    buffers: { ...common.buffers, scales },
    grid: [Math.ceil(args.n / 128), Math.ceil(args.m / 16), 1],
  };
}
