import type { Dispatch } from './dispatch.ts';
import { type MatmulArgs, matmulDispatch } from './matmul.ts';
import source from './matmul_rows.wgsl';

/** c = g(a b + bias) for few rows, not transposed. Each invocation sums an eighth of k (`sliced`) or all of it. */
export function matmulRows<B>(args: Omit<MatmulArgs<B>, 'transposeA' | 'transposeB'>, sliced: boolean): Dispatch<B> {
  const { constants, ...common } = matmulDispatch(args);
  return {
    source,
    ...common,
    constants: { ...constants, SLICES: sliced ? 8 : 1 },
    grid: [Math.ceil(args.n / 32), args.m, 1],
  };
}
