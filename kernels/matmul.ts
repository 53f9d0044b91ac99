import { type ActivationName, activationCode } from '../src/core/activations.ts';
import type { Dispatch } from './dispatch.ts';

/** Fetched when it is first compiled: a prediction of one row takes matmul_rows. */
const source = { name: 'matmul', fetch: () => import('./matmul.wgsl') };

export interface MatmulArgs<B> {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  /** Whether a is stored (k, m). */
  readonly transposeA?: boolean;
  /** Whether b is stored (n, k), as the weights of a dense layer are. */
  readonly transposeB?: boolean;
  readonly a: B;
  readonly b: B;
  /** c = g(product + bias), bias (n) f32. If absent, c = product. */
  readonly epilogue?: { readonly b: B; readonly activation: ActivationName };
  /** (m, n) f32, written. */
  readonly c: B;
}

/** Parameters and bindings common to both matmul kernels. */
export function matmulDispatch<B>({ m, k, n, a, b, epilogue, c }: MatmulArgs<B>) {
  return {
    constants: { EPILOGUE: epilogue ? 1 : 0, ACTIVATION: activationCode(epilogue?.activation ?? 'identity') },
    params: { m, k, n },
    buffers: { a, b, bias: epilogue?.b ?? b, c },
  };
}

/** c = g(op(a) op(b) + bias), f32. */
export function matmul<B>(args: MatmulArgs<B>): Dispatch<B> {
  const { transposeA = false, transposeB = false } = args;
  const { constants, ...common } = matmulDispatch(args);
  return {
    source,
    ...common,
    constants: { ...constants, TRANSPOSE_A: Number(transposeA), TRANSPOSE_B: Number(transposeB) },
    grid: [Math.ceil(args.n / 16), Math.ceil(args.m / 64), 1],
  };
}
