/** Training on the float64 graph reference. */
import { type DataSet, featuresAsFloats, rowSize } from '../src/data/dataset.ts';
import { differentiate } from '../src/graph/differentiate.ts';
import { CLASS_WEIGHTS, type Loss, losses, weightedCrossEntropy } from '../src/graph/losses.ts';
import { type Optimizer, update } from '../src/graph/optimizers.ts';
import { elements, type Value } from '../src/graph/value.ts';
import { forwardGraph, type Model } from '../src/model/model.ts';
import { evaluateGraph } from '../src/reference/graph.ts';
import { shuffle } from '../src/train/shuffle.ts';

interface Steps {
  readonly batch: number;
  readonly steps: number;
  readonly optimizer: Optimizer;
  /** A constant, or a function of the steps that are done. */
  readonly learningRate: number | ((done: number) => number);
  readonly classWeights?: readonly number[];
  /** Default cross-entropy. */
  readonly loss?: Loss;
}

/**
 * Parameters by name after the first steps, starting from the model's parameters; all batches are full, so rows that are
 * left over at the end of an epoch must be none.
 */
export function stepsOfReference(
  model: Model,
  data: DataSet,
  { batch, steps, optimizer, learningRate, classWeights, loss = 'crossEntropy' }: Steps,
): Map<string, Float64Array> {
  const { graph, x, output } = forwardGraph(model, batch, 'train');
  const targets = losses[loss].targets(graph, output);
  const { gradient } = (classWeights ? weightedCrossEntropy : losses[loss].add)(graph, output, targets);
  for (const [value, d] of differentiate(graph, output, gradient)) update(graph, optimizer, value, d);
  const values = new Map<Value, Float64Array>();
  for (const value of graph.values) {
    const start = model.parameters.get(value.name);
    if (start) values.set(value, Float64Array.from(start));
    if (value.name === CLASS_WEIGHTS) values.set(value, Float64Array.from(classWeights!));
    if (value.role === 'state') values.set(value, new Float64Array(elements(value)));
  }
  const order = new Uint32Array(data.rows);
  const features = featuresAsFloats(data);
  const answers = data.targets ?? data.labels;
  const perEpoch = Math.floor(data.rows / batch);
  const pick = (all: ArrayLike<number>, width: number, rows: Uint32Array) =>
    Float64Array.from(
      { length: rows.length * width },
      (_, i) => all[rows[Math.floor(i / width)]! * width + (i % width)]!,
    );
  for (let step = 0; step < steps; step++) {
    const place = step % perEpoch;
    if (place === 0) shuffle(order, model.seed, 1 + step / perEpoch);
    const picked = order.subarray(place * batch, (place + 1) * batch);
    values.set(x, pick(features, rowSize(data), picked));
    values.set(targets, pick(answers, answers.length / data.rows, picked));
    const rate = typeof learningRate === 'number' ? learningRate : learningRate(step);
    evaluateGraph(graph, values, { learningRate: rate, step: step + 1 });
  }
  return new Map(
    graph.values.flatMap((value) => (value.role === 'parameter' ? [[value.name, values.get(value)!] as const] : [])),
  );
}

/** The outputs of the model for a data set in float64, with these parameters. */
export function outputsOfReference(
  model: Model,
  data: DataSet,
  parameters: ReadonlyMap<string, Float64Array>,
): Float64Array {
  const { graph, x, output } = forwardGraph(model, data.rows, 'evaluate');
  const values = new Map<Value, Float64Array>([[x, Float64Array.from(featuresAsFloats(data))]]);
  for (const value of graph.values) {
    const found = parameters.get(value.name);
    if (found) values.set(value, found);
  }
  evaluateGraph(graph, values);
  return values.get(output)!;
}
