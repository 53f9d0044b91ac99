import type { Dispatch } from '../src/dispatch.ts';
import { type RandomMatmulArgs, randomMatmulDispatch } from './random_matmul.ts';
import source from './random_matmul_rows.wgsl';

/** y = g(u * (x r') + b) for one to three rows: r (n, k) regenerated, scale included. */
export const randomMatmulRows = <B>(args: RandomMatmulArgs<B>): Dispatch<B> => ({
  source,
  ...randomMatmulDispatch(args),
  grid: [Math.ceil(args.n / 64), args.m, 1],
});
