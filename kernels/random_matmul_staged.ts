import type { Dispatch } from './dispatch.ts';
import { type RandomMatmulArgs, randomMatmulDispatch } from './random_matmul.ts';
import source from './random_matmul_staged.wgsl';

/** y = g(u * (x r') + b) for large batches on GPUs: workgroup memory shares each generated weight among 64 rows. */
export const randomMatmulStaged = <B>(args: RandomMatmulArgs<B>): Dispatch<B> => ({
  source,
  ...randomMatmulDispatch(args),
  grid: [Math.ceil(args.n / 128), Math.ceil(args.m / 64), 1],
});
