/** Which classes a classifier confuses. */

import type { Backend } from '../backend/backend.ts';
import { type DataSet, expectDataSet, featuresAsFloats } from '../data/dataset.ts';
import { rowsOf } from '../data/split.ts';
import { type Model, outputSize } from '../model/model.ts';
import { createPredictor } from '../predict/predictor.ts';

/** Rows at a time. */
const ROWS = 256;

/** The outputs of the model for a data set, in pieces: `outputs` (rows, outputs) are those of the rows from `start` on. */
export async function* outputsOf(
  backend: Backend,
  model: Model,
  data: DataSet,
): AsyncGenerator<{ readonly start: number; readonly part: DataSet; readonly outputs: Float32Array }> {
  const predictor = await createPredictor(backend, model);
  try {
    for (let start = 0; start < data.rows; start += ROWS) {
      const part = rowsOf(data, start, Math.min(data.rows, start + ROWS));
      yield { start, part, outputs: await predictor.predict(featuresAsFloats(part)) };
    }
  } finally {
    await predictor.dispose();
  }
}

/** The class of the largest logit of each row, the first of equal ones. A model may have more outputs than the data classes. */
export function predictedClasses(outputs: Float32Array, width: number, classes: number): Uint32Array {
  return Uint32Array.from({ length: outputs.length / width }, (_, row) => {
    const scores = outputs.subarray(row * width, row * width + Math.min(width, classes));
    return scores.reduce((best, score, at) => (score > scores[best]! ? at : best), 0);
  });
}

/** Numbers of rows of a data set by [label][prediction]. */
export async function confusionMatrix(backend: Backend, model: Model, data: DataSet): Promise<number[][]> {
  expectDataSet('confusionMatrix', data);
  const matrix = Array.from({ length: data.classes }, () => new Array<number>(data.classes).fill(0));
  for await (const { part, outputs } of outputsOf(backend, model, data)) {
    const predicted = predictedClasses(outputs, outputSize(model), data.classes);
    for (const [i, label] of part.labels.entries()) matrix[label]![predicted[i]!]! += 1;
  }
  return matrix;
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** Recall of each class; NaN for a class without rows. */
export const recalls = (matrix: readonly (readonly number[])[]): number[] =>
  matrix.map((row, label) => row[label]! / sum(row));

/** Mean recall of the classes that have rows: the accuracy if all of them were equally frequent. */
export function balancedAccuracy(matrix: readonly (readonly number[])[]): number {
  const present = recalls(matrix).filter((recall) => !Number.isNaN(recall));
  return sum(present) / present.length;
}
