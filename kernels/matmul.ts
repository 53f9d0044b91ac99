import { type ActivationName, activationCode } from '../src/activations.ts';
import type { Dispatch } from '../src/dispatch.ts';
import source from './matmul.wgsl';

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
  /** c = g(product + bias), bias (n) f32; absent: c = product. */
  readonly epilogue?: { readonly b: B; readonly activation: ActivationName };
  /** (m, n) f32, written. */
  readonly c: B;
}

/** c = g(op(a) op(b) + bias), f32. */
export const matmul = <B>(args: MatmulArgs<B>): Dispatch<B> => {
  const { m, k, n, transposeA, transposeB, a, b, epilogue, c } = args;
  return {
    source,
    constants: {
      TRANSPOSE_A: Number(transposeA ?? false),
      TRANSPOSE_B: Number(transposeB ?? false),
      EPILOGUE: epilogue ? 1 : 0,
      ACTIVATION: activationCode(epilogue?.activation ?? 'identity'),
    },
    params: { m, k, n },
    buffers: { a, b, bias: epilogue?.b ?? b, c },
    grid: [Math.ceil(n / 16), Math.ceil(m / 64), 1],
  };
};
