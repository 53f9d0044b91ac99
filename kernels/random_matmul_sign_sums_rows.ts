import { distributions } from '../src/weights/distributions.ts';
import type { Dispatch } from './dispatch.ts';
import { type RandomMatmulArgs, randomMatmulDispatch } from './random_matmul.ts';

/** Fetched when it is first compiled, with sign_sums_rows. */
const source = { name: 'random_matmul_sign_sums_rows', fetch: () => import('./random_matmul_sign_sums_rows.wgsl') };

/**
 * y = g(u * (x r') + b) for several rows and the weights `binary` or `codeword`, from the `sums` that sign_sums_rows computes from x.
 */
export function randomMatmulSignSumsRows<B>(args: Omit<RandomMatmulArgs<B>, 'x'>, sums: B): Dispatch<B> {
  const { weights, buffers, constants, ...common } = randomMatmulDispatch({ ...args, x: sums });
  const { x, ...rest } = buffers;
  return {
    source,
    ...common,
    constants: { ...constants, SIGNS: distributions[weights].weightsPerWord },
    buffers: { ...rest, sums: x },
    grid: [Math.ceil(args.n / 32), Math.ceil(args.m / 8), 1],
  };
}
