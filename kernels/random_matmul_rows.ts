import type { Dispatch } from './dispatch.ts';
import { type RandomMatmulArgs, randomMatmulDispatch } from './random_matmul.ts';
import source from './random_matmul_rows.wgsl';

/**
 * y = g(u * (x r') + b) for few rows: r (n, k) regenerated, scale included. An invocation owns one unit and an eighth
 * of its inputs (`sliced`), or four units and all their inputs.
 */
export function randomMatmulRows<B>(args: RandomMatmulArgs<B>, sliced: boolean): Dispatch<B> {
  const common = randomMatmulDispatch(args);
  const [UNITS, SLICES] = sliced ? [1, 8] : [4, 1];
  return {
    source,
    ...common,
    constants: { ...common.constants, UNITS, SLICES },
    grid: [Math.ceil(args.n / (32 * UNITS)), args.m, 1],
  };
}
