/** Activation functions and their derivatives, float64: the twin of shaders/activation.wgsl. */
import { type ActivationName, activationTwins } from '../core/activations.ts';

/** g(a). */
export const activate = (name: ActivationName, a: number): number => activationTwins[name].value(a);

/** dg/da at a. */
export const activateGradient = (name: ActivationName, a: number): number => activationTwins[name].gradient(a);
