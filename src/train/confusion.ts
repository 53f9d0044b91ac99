/** Which classes a classifier confuses. */

import type { Backend } from '../backend/backend.ts';
import { type DataSet, featuresAsFloats } from '../data/dataset.ts';
import { rowsOf } from '../data/split.ts';
import { type Model, outputSize } from '../model/model.ts';
import { createPredictor } from '../predict/predictor.ts';

/** Rows at a time. */
const ROWS = 256;

/** Numbers of rows of a data set by [label][prediction]. */
export async function confusionMatrix(backend: Backend, model: Model, data: DataSet): Promise<number[][]> {
  const matrix = Array.from({ length: data.classes }, () => new Array<number>(data.classes).fill(0));
  const predictor = await createPredictor(backend, model);
  const outputs = outputSize(model);
  try {
    for (let start = 0; start < data.rows; start += ROWS) {
      const part = rowsOf(data, start, Math.min(data.rows, start + ROWS));
      const logits = await predictor.predict(featuresAsFloats(part));
      for (const [i, label] of part.labels.entries()) {
        // Among the classes of the data: a model may have more outputs.
        const scores = logits.subarray(i * outputs, i * outputs + Math.min(outputs, data.classes));
        matrix[label]![scores.reduce((best, score, at) => (score > scores[best]! ? at : best), 0)]! += 1;
      }
    }
  } finally {
    await predictor.dispose();
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
