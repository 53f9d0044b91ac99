import { type ActivationName, activationCode } from '../src/activations.ts';
import type { Dispatch } from '../src/dispatch.ts';
import source from './epilogue_parameter_gradient.wgsl';

export interface EpilogueParameterGradientArgs<B> {
  readonly m: number;
  readonly n: number;
  /** (m, n) f32. */
  readonly z: B;
  /** (n) f32 each. */
  readonly u: B;
  readonly b: B;
  readonly activation: ActivationName;
  /** (m, n) f32. */
  readonly dy: B;
  /** (n) f32 each, written. */
  readonly du: B;
  readonly db: B;
}

/** du and db of y = g(u * z + b). */
export const epilogueParameterGradient = <B>(args: EpilogueParameterGradientArgs<B>): Dispatch<B> => {
  const { m, n, activation, ...buffers } = args;
  return {
    source,
    constants: { ACTIVATION: activationCode(activation) },
    params: { m, n },
    buffers,
    grid: [Math.ceil(n / 64), 1, 1],
  };
};
