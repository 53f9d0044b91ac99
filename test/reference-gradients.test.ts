/** The reference against finite differences of itself: every layer, activation and loss, in float64. */
import { describe, expect, it } from 'vitest';
import { activationNames } from '../src/core/activations.ts';
import { elementwiseLosses } from '../src/core/losses.ts';
import type { Loss } from '../src/graph/losses.ts';
import { dense, halfDense } from '../src/layers/dense.ts';
import type { LayerSpec } from '../src/layers/specs.ts';
import { activate, activateGradient } from '../src/reference/activation.ts';
import { distributionNames } from '../src/weights/distributions.ts';
import { worstGradientError } from './gradients.ts';

const STEP = 1e-5;

describe('activations', () => {
  it.each(activationNames)('%s: its slope is its difference quotient', (name) => {
    for (const a of [-8, -3.1, -1, -0.2, 0.2, 0.7, 1, 2.9, 8]) {
      const quotient = (activate(name, a + STEP) - activate(name, a - STEP)) / (2 * STEP);
      expect(activateGradient(name, a)).toBeCloseTo(quotient, 8);
    }
  });
});

const worstError = (layers: LayerSpec[], loss: Loss) => worstGradientError(layers, [7], loss);

describe('gradients of a network are its difference quotients', () => {
  const smooth = ['identity', 'sigmoid', 'tanh', 'gelu', 'cos', 'elu', 'silu'] as const;
  it.each(smooth)('half, half, dense: %s', (activation) => {
    const layers = [halfDense({ units: 6, activation }), halfDense({ units: 5, activation }), dense({ units: 3 })];
    expect(worstError(layers, 'crossEntropy')).toBeLessThan(1e-6);
    for (const loss of elementwiseLosses) expect(worstError(layers, loss)).toBeLessThan(1e-6);
  });

  it.each(['relu', 'leakyRelu', 'step'] as const)(
    'dense, half, dense: %s (no pre-activation lies at the kink)',
    (activation) => {
      const layers = [
        dense({ units: 6, activation }),
        halfDense({ units: 5, activation }),
        dense({ units: 3, activation: 'tanh' }),
      ];
      expect(worstError(layers, 'crossEntropy')).toBeLessThan(1e-6);
    },
  );

  it.each(distributionNames)('through %s weights', (weights) => {
    const layers = [
      dense({ units: 6, activation: 'tanh' }),
      halfDense({ units: 5, weights, activation: 'gelu' }),
      dense({ units: 3 }),
    ];
    expect(worstError(layers, 'crossEntropy')).toBeLessThan(1e-6);
  });

  it('of a learned rank', () => {
    const layers = [halfDense({ units: 6, rank: 2, activation: 'tanh' }), dense({ units: 3 })];
    expect(worstError(layers, 'crossEntropy')).toBeLessThan(1e-6);
  });
});
