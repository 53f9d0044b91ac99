/** Tasks from JavaScript: what `measure` and `evaluate` report, and regression and labels against a float64 twin. */
import { expect, it } from 'vitest';
import { type DataSet, dataSet } from '../src/data/dataset.ts';
import type { Loss } from '../src/graph/losses.ts';
import { dense, halfDense } from '../src/layers/dense.ts';
import { sequential } from '../src/model/model.ts';
import { createContext } from '../src/open.ts';
import { calibrate } from '../src/train/calibrate.ts';
import { evaluate } from '../src/train/evaluate.ts';
import {
  type ClassificationFigures,
  figuresOf,
  type MultilabelFigures,
  measure,
  type RegressionFigures,
} from '../src/train/figures.ts';
import { cosine, fit } from '../src/train/fit.ts';
import { labelFigures, regressionErrors } from '../src/train/metrics.ts';
import { numbers } from './kernels/harness.ts';
import { outputsOfReference, stepsOfReference } from './reference-training.ts';
import { housing, sine, type TaskRows, tickets } from './task-data.ts';

const context = await createContext({ backend: 'cpu', threads: 1 });

it('figures of two classes, by hand', () => {
  const logits = Float32Array.of(2, 0, 0, 1, 3, 1, 0, 0.5);
  const data = dataSet({ features: numbers(8, 1), shape: [2], labels: [0, 1, 1, 0] });
  const figures = figuresOf(logits, data) as ClassificationFigures;
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  expect(figures.confusion).toEqual([
    [1, 1],
    [1, 1],
  ]);
  expect([figures.task, figures.rows, figures.accuracy, figures.balancedAccuracy]).toEqual([
    'classification',
    4,
    0.5,
    0.5,
  ]);
  expect(figures.rocAuc).toBe(2.5 / 4); // margins of class 1: 1 and -2; of class 0: -2 and 0.5
  const right = [sigmoid(2), sigmoid(1), 1 - sigmoid(2), 1 - sigmoid(0.5)];
  expect(figures.loss).toBeCloseTo(
    right.reduce((sum, p) => sum - Math.log(p) / 4, 0),
    7,
  );
  // Bins of 1/15: 0.622 | 0.731 | 0.881, 0.881.
  const confidence = [sigmoid(0.5), 1 - sigmoid(1), 2 * sigmoid(2) - 1];
  expect(figures.calibrationError).toBeCloseTo(confidence.reduce((a, b) => a + b, 0) / 4, 7);
});

const flat = (rows: readonly (readonly number[])[]) => rows.flat();

/** Rows as a data set whose columns, and whose targets for a regression, have mean 0 and deviation 1. */
function standardised({ columns, features, targets }: TaskRows, task: 'regression' | 'multilabel'): DataSet {
  const scaled = (rows: readonly (readonly number[])[]) => {
    const width = rows[0]!.length;
    const specs = Array.from({ length: width }, (_, column) => {
      const mean = rows.reduce((sum, row) => sum + row[column]!, 0) / rows.length;
      const variance = rows.reduce((sum, row) => sum + (row[column]! - mean) ** 2, 0) / rows.length;
      return { name: `y${column}`, mean, deviation: Math.sqrt(variance) };
    });
    const values = rows.flatMap((row) => row.map((value, i) => (value - specs[i]!.mean) / specs[i]!.deviation));
    return { specs, values };
  };
  const { specs, values } = scaled(targets);
  const outputs =
    task === 'regression'
      ? { task, targets: specs }
      : { task, labels: specs.map(({ name }) => name), separator: ';', threshold: 0.5 };
  return dataSet({
    features: scaled(features).values,
    shape: [columns.length],
    targets: task === 'regression' ? values : flat(targets),
    preparation: { inputs: { kind: 'numbers' }, outputs },
  });
}

/** Trains here and on the float64 reference; outputs of both, and what was measured here. */
async function bothOutputs(data: DataSet, loss: Loss, epochs: number) {
  const outputs = data.targets!.length / data.rows;
  const fresh = () => sequential([halfDense({ units: 48 }), dense({ units: outputs })], { input: data.shape, seed: 1 });
  const [model, start] = [fresh(), fresh()];
  const rate = cosine(0.02);
  for await (const _ of fit(context, model, data, { epochs, batchSize: 50, learningRate: rate }));
  await calibrate(context, start, data);
  const steps = (epochs * data.rows) / 50;
  const want = stepsOfReference(start, data, {
    ...{ batch: 50, steps, loss, learningRate: (done) => rate(done / steps) },
    optimizer: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
  });
  return { figures: await measure(context, model, data), want: outputsOfReference(start, data, want), model };
}

it.each([
  ['a sine with noise', sine(400), 30],
  ['prices of houses', housing(400), 15],
])('a regression is as good as its float64 twin: %s', async (_, rows, epochs) => {
  const data = standardised(rows, 'regression');
  const { figures, want, model } = await bothOutputs(data, 'meanSquaredError', epochs);
  const { r2 } = regressionErrors(want, data.targets!);
  expect(r2).toBeGreaterThan(0.8);
  const regression = figures as RegressionFigures;
  expect(Math.abs(regression.r2 - r2)).toBeLessThan(0.01);
  // In the units of the targets.
  const { mae, rmse } = regressionErrors(want, data.targets!);
  const outputs = data.preparation!.outputs;
  const { deviation } = (outputs.task === 'regression' ? outputs.targets : [])[0]!;
  expect(regression.mae / deviation).toBeCloseTo(mae, 1);
  expect(regression.rmse / deviation).toBeCloseTo(rmse, 1);
  const { accuracy, ...evaluated } = await evaluate(context, model, data);
  expect(accuracy).toBeNaN();
  const { loss } = evaluated;
  expect(evaluated).toEqual({ loss, mae: regression.mae, rmse: regression.rmse, r2: regression.r2 });
  expect(loss).toBeCloseTo(regression.loss, 5);
});

it('labels are found as by the float64 twin', async () => {
  const data = standardised(tickets(400), 'multilabel');
  const { figures, want, model } = await bothOutputs(data, 'binaryCrossEntropy', 30);
  const twin = labelFigures(want, data.targets!, 3);
  const { micro, macro, accuracy } = figures as MultilabelFigures;
  expect(twin.micro.f1).toBeGreaterThan(0.85);
  expect(Math.abs(micro.f1 - twin.micro.f1)).toBeLessThan(0.01);
  expect(Math.abs(macro.f1 - twin.macro.f1)).toBeLessThan(0.01);
  const evaluated = await evaluate(context, model, data); // the loss by the task of the data
  expect(evaluated.f1).toEqual({ micro: micro.f1, macro: macro.f1 });
  expect(evaluated.accuracy).toBeCloseTo(accuracy, 6);
});
