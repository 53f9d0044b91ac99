import type { Dispatch } from '../src/dispatch.ts';
import { type RandomMatmulArgs, randomMatmulDispatch } from './random_matmul.ts';
import source from './random_matmul_u8.wgsl';

/** The most inputs of which no sum can pass 2^31: 255 x 127 each. */
export const MAX_U8_INPUTS = Math.floor((2 ** 31 - 1) / (255 * 127));

/** y = g(u * (x r') + b) for inputs that are bytes: x (m, ceil(k / 4)) u32, four inputs each, the first lowest. */
export const randomMatmulU8 = <B>(args: RandomMatmulArgs<B>): Dispatch<B> => ({
  source,
  ...randomMatmulDispatch(args),
  grid: [Math.ceil(args.n / 64), Math.ceil(args.m / 32), 1],
});
