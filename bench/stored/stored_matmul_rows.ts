import type { Dispatch } from '../../kernels/dispatch.ts';
import { type StoredMatmulArgs, storedMatmulDispatch } from './stored_matmul.ts';
import source from './stored_matmul_rows.wgsl';

/** y = g(u * (x w) + b) for one to three rows. */
export const storedMatmulRows = <B>(args: StoredMatmulArgs<B>): Dispatch<B> => ({
  source,
  ...storedMatmulDispatch(args),
  grid: [Math.ceil(args.n / 64), args.m, 1],
});
