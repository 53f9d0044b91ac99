/** The reference against finite differences of itself: every layer, activation and loss, in float64. */
import { describe, expect, it } from 'vitest';
import { activationNames } from '../src/activations.ts';
import { type Graph, input, type Value } from '../src/graph.ts';
import { dense, halfDense, type LayerSpec } from '../src/layers/layers.ts';
import { forwardGraph, sequential } from '../src/model/model.ts';
import { activate, activateGradient } from '../src/reference/activation.ts';
import { evaluateGraph } from '../src/reference/graph.ts';
import { differentiate, meanSquaredError, softmaxCrossEntropy } from '../src/train/differentiate.ts';
import { distributionNames } from '../src/weights/distributions.ts';
import { numbers } from './kernels/harness.ts';

const STEP = 1e-5;

describe('activations', () => {
  it.each(activationNames)('%s: its slope is its difference quotient', (name) => {
    for (const a of [-8, -3.1, -1, -0.2, 0.2, 0.7, 1, 2.9, 8]) {
      const quotient = (activate(name, a + STEP) - activate(name, a - STEP)) / (2 * STEP);
      expect(activateGradient(name, a)).toBeCloseTo(quotient, 8);
    }
  });
});

/** Largest difference, relative to the largest gradient, between differentiation and difference quotients. */
function worstError(layers: LayerSpec[], loss: 'crossEntropy' | 'meanSquaredError'): number {
  const rows = 5;
  const model = sequential(layers, { input: [7], seed: 11 });
  const { graph, x, output } = forwardGraph(model, rows);
  const regression = loss === 'meanSquaredError';
  const answers = regression ? input(graph, 'targets', output.shape) : input(graph, 'labels', [rows], 'u32');
  const made = regression ? meanSquaredError(graph, output, answers) : softmaxCrossEntropy(graph, output, answers);
  const gradients = differentiate(graph, output, made.gradient);
  const given = new Map<Value, Float64Array>([
    [x, Float64Array.from(numbers(rows * 7, 1, 2))],
    [answers, regression ? Float64Array.from(numbers(rows * output.shape[1]!, 2)) : Float64Array.of(0, 2, 1, 2, 0)],
  ]);
  for (const value of graph.values) {
    const start = model.parameters.get(value.name);
    if (start)
      given.set(
        value,
        Float64Array.from(start, (v, i) => v + 0.3 * Math.sin(i + value.id)),
      );
  }
  const meanLoss = (graph: Graph) => {
    const values = new Map(given);
    evaluateGraph(graph, values);
    const each = values.get(made.loss)!;
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += each[2 * row]! / rows;
    return { sum, values };
  };
  const { values } = meanLoss(graph);
  let worst = 0;
  for (const [parameter, gradient] of gradients) {
    const numbersOf = given.get(parameter)!;
    const analytic = values.get(gradient)!;
    const largest = Math.max(...analytic.map(Math.abs), 1e-3);
    for (let i = 0; i < numbersOf.length; i++) {
      const kept = numbersOf[i]!;
      numbersOf[i] = kept + STEP;
      const above = meanLoss(graph).sum;
      numbersOf[i] = kept - STEP;
      const below = meanLoss(graph).sum;
      numbersOf[i] = kept;
      worst = Math.max(worst, Math.abs((above - below) / (2 * STEP) - analytic[i]!) / largest);
    }
  }
  return worst;
}

describe('gradients of a network are its difference quotients', () => {
  const smooth = ['identity', 'sigmoid', 'tanh', 'gelu'] as const;
  it.each(smooth)('half, half, dense: %s', (activation) => {
    const layers = [halfDense({ units: 6, activation }), halfDense({ units: 5, activation }), dense({ units: 3 })];
    expect(worstError(layers, 'crossEntropy')).toBeLessThan(1e-6);
    expect(worstError(layers, 'meanSquaredError')).toBeLessThan(1e-6);
  });

  it.each(['relu', 'leakyRelu'] as const)(
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
});
