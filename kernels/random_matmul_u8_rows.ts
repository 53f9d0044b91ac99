import type { Dispatch } from './dispatch.ts';
import { type IntegerMatmulArgs, integerMatmulDispatch } from './random_matmul_u8.ts';
import source from './random_matmul_u8_rows.wgsl';

/**
 * y = g(u * (x r') + b) for few rows of bytes. An invocation owns a unit and all its inputs, or an eighth (`sliced`).
 */
export function randomMatmulU8Rows<B>(args: IntegerMatmulArgs<B>, sliced: boolean): Dispatch<B> {
  const common = integerMatmulDispatch(args);
  const [ROWS, SLICES] = [args.m > 1 ? 4 : 1, sliced ? 8 : 1];
  return {
    source,
    ...common,
    constants: { ...common.constants, ROWS, SLICES },
    grid: [Math.ceil(args.n / 32), Math.ceil(args.m / ROWS), 1],
  };
}
