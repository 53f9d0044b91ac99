import { type ActivationName, activationCode } from '../src/core/activations.ts';
import source from './bias_gradient.wgsl';
import type { Dispatch } from './dispatch.ts';
import { inParts } from './epilogue_parameter_gradient.ts';

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

/** db of y = g(z + b). `parts`: memory for `parameterGradientParts` rows if that is more than one, else empty. */
export function biasGradient<B>(args: BiasGradientArgs<B>, parts: readonly B[]): Dispatch<B>[] {
  const { m, n, activation, db, ...buffers } = args;
  return inParts<B, 'db'>({ m, n }, { db }, parts, (outputs) => ({
    source,
    constants: { ACTIVATION: activationCode(activation) },
    buffers: { ...buffers, ...outputs },
  }));
}
