/** Compares the reference's gradients with finite differences, in float64. */

import { type ElementwiseLoss, lossTargets } from '../src/core/losses.ts';
import { differentiate } from '../src/graph/differentiate.ts';
import { type Loss, losses } from '../src/graph/losses.ts';
import type { Value } from '../src/graph/value.ts';
import type { LayerSpec } from '../src/layers/specs.ts';
import { forwardGraph, sequential } from '../src/model/model.ts';
import { evaluateGraph } from '../src/reference/graph.ts';
import { numbers } from './kernels/harness.ts';

const STEP = 1e-5;

/** Targets that a loss takes. */
const targets = (loss: ElementwiseLoss, count: number) =>
  Float64Array.from(numbers(count, 2), (target) => (lossTargets(loss) === 'any' ? target : Math.abs(target)));

/** Number of elements checked per parameter, evenly spread. */
const MOST = 40;

/** Largest difference between gradients and difference quotients, relative to the largest gradient. */
export function worstGradientError(layers: LayerSpec[], shape: number[], loss: Loss): number {
  const rows = 5;
  const model = sequential(layers, { input: shape, seed: 11 });
  const { graph, x, output } = forwardGraph(model, rows, 'train');
  const answers = losses[loss].targets(graph, output);
  const made = losses[loss].add(graph, output, answers);
  const gradients = differentiate(graph, output, made.gradient);
  const given = new Map<Value, Float64Array>([
    [x, Float64Array.from(numbers(x.shape[0]! * x.shape[1]!, 1, 2))],
    [answers, loss === 'crossEntropy' ? Float64Array.of(0, 2, 1, 2, 0) : targets(loss, rows * output.shape[1]!)],
  ]);
  for (const value of graph.values) {
    const start = model.parameters.get(value.name);
    if (start)
      given.set(
        value,
        Float64Array.from(start, (v, i) => v + 0.3 * Math.sin(i + value.id)),
      );
  }
  const meanLoss = () => {
    const values = new Map(given);
    evaluateGraph(graph, values);
    const each = values.get(made.loss)!;
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += each[2 * row]! / rows;
    return { sum, values };
  };
  const { values } = meanLoss();
  let worst = 0;
  for (const [parameter, gradient] of gradients) {
    const numbersOf = given.get(parameter)!;
    const analytic = values.get(gradient)!;
    const largest = Math.max(...analytic.map(Math.abs), 1e-3);
    const step = Math.ceil(numbersOf.length / MOST);
    for (let i = 0; i < numbersOf.length; i += step) {
      const kept = numbersOf[i]!;
      numbersOf[i] = kept + STEP;
      const above = meanLoss().sum;
      numbersOf[i] = kept - STEP;
      const below = meanLoss().sum;
      numbersOf[i] = kept;
      worst = Math.max(worst, Math.abs((above - below) / (2 * STEP) - analytic[i]!) / largest);
    }
  }
  return worst;
}
