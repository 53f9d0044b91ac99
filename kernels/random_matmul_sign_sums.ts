import { distributions } from '../src/weights/distributions.ts';
import type { Dispatch } from './dispatch.ts';
import { type RandomMatmulArgs, randomMatmulDispatch } from './random_matmul.ts';

/** Fetched when it is first compiled, with sign_sums. */
const source = { name: 'random_matmul_sign_sums', fetch: () => import('./random_matmul_sign_sums.wgsl') };

/**
 * y = g(u * (x r') + b) for few rows and the weights `binary` or `codeword`, from the `sums` that sign_sums computes from x. An
 * invocation owns a unit and an eighth of its words (`sliced`), or all of them.
 */
export function randomMatmulSignSums<B>(args: Omit<RandomMatmulArgs<B>, 'x'>, sums: B, sliced: boolean): Dispatch<B> {
  const { weights, buffers, constants, ...common } = randomMatmulDispatch({ ...args, x: sums });
  const { x, ...rest } = buffers;
  return {
    source,
    ...common,
    constants: { ...constants, SIGNS: distributions[weights].weightsPerWord, SLICES: sliced ? 8 : 1 },
    buffers: { ...rest, sums: x },
    grid: [Math.ceil(args.n / 32), args.m, 1],
  };
}
