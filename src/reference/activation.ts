/** Activation functions and their derivatives, float64: the twin of shaders/activation.wgsl. */
import type { ActivationName } from '../core/activations.ts';

const sigmoid = (a: number) => 1 / (1 + Math.exp(-a));
const C = Math.sqrt(2 / Math.PI);
const geluInner = (a: number) => C * (a + 0.044715 * a ** 3);

/** g(a). */
export function activate(name: ActivationName, a: number): number {
  switch (name) {
    case 'identity':
      return a;
    case 'relu':
      return Math.max(a, 0);
    case 'leakyRelu':
      return a > 0 ? a : 0.01 * a;
    case 'sigmoid':
      return sigmoid(a);
    case 'tanh':
      return Math.tanh(a);
    case 'gelu':
      return 0.5 * a * (1 + Math.tanh(geluInner(a)));
  }
}

/** dg/da at a. */
export function activateGradient(name: ActivationName, a: number): number {
  switch (name) {
    case 'identity':
      return 1;
    case 'relu':
      return a > 0 ? 1 : 0;
    case 'leakyRelu':
      return a > 0 ? 1 : 0.01;
    case 'sigmoid':
      return sigmoid(a) * (1 - sigmoid(a));
    case 'tanh':
      return 1 - Math.tanh(a) ** 2;
    case 'gelu': {
      const t = Math.tanh(geluInner(a));
      return 0.5 * (1 + t) + 0.5 * a * (1 - t * t) * C * (1 + 3 * 0.044715 * a * a);
    }
  }
}
