/** Training steps on the float64 graph reference. */
import { type DataSet, featuresAsFloats, rowSize } from '../src/data/dataset.ts';
import { differentiate } from '../src/graph/differentiate.ts';
import { input } from '../src/graph/graph.ts';
import { CLASS_WEIGHTS, losses, weightedCrossEntropy } from '../src/graph/losses.ts';
import { type Optimizer, update } from '../src/graph/optimizers.ts';
import { elements, type Value } from '../src/graph/value.ts';
import { forwardGraph, type Model } from '../src/model/model.ts';
import { evaluateGraph } from '../src/reference/graph.ts';
import { shuffle } from '../src/train/fit.ts';

/** Parameters by name after the first steps of the first epoch, starting from the model's parameters. */
export function stepsOfReference(
  model: Model,
  data: DataSet,
  {
    batch,
    steps,
    optimizer,
    learningRate,
    classWeights,
  }: { batch: number; steps: number; optimizer: Optimizer; learningRate: number; classWeights?: readonly number[] },
): Map<string, Float64Array> {
  const { graph, x, output } = forwardGraph(model, batch, 'train');
  const labels = input(graph, 'labels', [batch], 'u32');
  const { gradient } = (classWeights ? weightedCrossEntropy : losses.crossEntropy.add)(graph, output, labels);
  for (const [value, d] of differentiate(graph, output, gradient)) update(graph, optimizer, value, d);
  const values = new Map<Value, Float64Array>();
  for (const value of graph.values) {
    const start = model.parameters.get(value.name);
    if (start) values.set(value, Float64Array.from(start));
    if (value.name === CLASS_WEIGHTS) values.set(value, Float64Array.from(classWeights!));
    if (value.role === 'state') values.set(value, new Float64Array(elements(value)));
  }
  const order = new Uint32Array(data.rows);
  shuffle(order, model.seed, 1);
  const features = featuresAsFloats(data);
  const columns = rowSize(data);
  for (let step = 0; step < steps; step++) {
    const picked = [...order.subarray(step * batch, (step + 1) * batch)];
    values.set(
      x,
      Float64Array.from(picked.flatMap((row) => [...features.subarray(row * columns, (row + 1) * columns)])),
    );
    values.set(
      labels,
      Float64Array.from(picked, (row) => data.labels[row]!),
    );
    evaluateGraph(graph, values, { learningRate, step: step + 1 });
  }
  return new Map(
    graph.values.flatMap((value) => (value.role === 'parameter' ? [[value.name, values.get(value)!] as const] : [])),
  );
}
