import { type ActivationName, activationCode } from '../src/activations.ts';
import type { Dispatch } from '../src/dispatch.ts';
import source from './bias_gradient.wgsl';

export interface BiasGradientArgs<B> {
  readonly m: number;
  readonly n: number;
  /** (m, n) f32. */
  readonly z: B;
  /** (n) f32. */
  readonly b: B;
  readonly activation: ActivationName;
  /** (m, n) f32. */
  readonly dy: B;
  /** (n) f32, written. */
  readonly db: B;
}

/** db of y = g(z + b). */
export const biasGradient = <B>({ m, n, activation, ...buffers }: BiasGradientArgs<B>): Dispatch<B> => ({
  source,
  constants: { ACTIVATION: activationCode(activation) },
  params: { m, n },
  buffers,
  grid: [Math.ceil(n / 64), 1, 1],
});
