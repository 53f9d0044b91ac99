/** One epoch of training in float64, on the reference graph. */
import type { DataSet } from '../src/data/dataset.ts';
import { input, type Value } from '../src/graph.ts';
import { forwardGraph, type Model } from '../src/model/model.ts';
import { evaluateGraph } from '../src/reference/graph.ts';
import { differentiate, type Optimizer, softmaxCrossEntropy, update } from '../src/train/differentiate.ts';
import { shuffle } from '../src/train/fit.ts';

/** The parameters after one epoch of whole batches, as `fit` orders them for this seed, by name. */
export function referenceEpoch(
  model: Model,
  data: DataSet,
  { batch, optimizer, seed, learningRate }: { batch: number; optimizer: Optimizer; seed: number; learningRate: number },
): Map<string, Float64Array> {
  const columns = data.features.length / data.rows;
  const { graph, x, output } = forwardGraph(model, batch);
  const labels = input(graph, 'labels', [batch], 'u32');
  const { gradient } = softmaxCrossEntropy(graph, output, labels);
  for (const [value, d] of differentiate(graph, output, gradient)) update(graph, optimizer, value, d);
  const values = new Map<Value, Float64Array>();
  for (const value of graph.values) {
    const start = model.parameters.get(value.name);
    if (start) values.set(value, Float64Array.from(start));
    if (value.role === 'state') values.set(value, new Float64Array(value.shape.reduce((a, b) => a * b, 1)));
  }
  const order = new Uint32Array(data.rows);
  shuffle(order, seed, 1);
  for (let step = 0; step < data.rows / batch; step++) {
    const picked = [...order.subarray(step * batch, (step + 1) * batch)];
    const rows = picked.flatMap((row) => [...data.features.subarray(row * columns, (row + 1) * columns)]);
    values.set(
      x,
      Float64Array.from(rows, (v) => v * data.scale + data.shift),
    );
    values.set(
      labels,
      Float64Array.from(picked, (row) => data.labels[row]!),
    );
    evaluateGraph(graph, values, { learningRate, step: step + 1 });
  }
  const parameters = graph.values.filter(({ role }) => role === 'parameter');
  return new Map(parameters.map((value) => [value.name, values.get(value)!]));
}
