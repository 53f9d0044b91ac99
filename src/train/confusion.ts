/** What a classifier takes for what. */

import type { CpuContext } from '../cpu/cpu.ts';
import { type DataSet, featuresAsFloats } from '../data/dataset.ts';
import { rowsOf } from '../data/split.ts';
import type { Context } from '../gpu/context.ts';
import { type Model, outputSize } from '../model/model.ts';
import { createPredictor } from '../predict/predictor.ts';

/** Rows at a time. */
const ROWS = 256;

/** Rows of a data set by [label][prediction]. */
export async function confusionMatrix(context: Context | CpuContext, model: Model, data: DataSet): Promise<number[][]> {
  const matrix = Array.from({ length: data.classes }, () => new Array<number>(data.classes).fill(0));
  const predictor = await createPredictor(context, model);
  const outputs = outputSize(model);
  try {
    for (let start = 0; start < data.rows; start += ROWS) {
      const part = rowsOf(data, start, Math.min(data.rows, start + ROWS));
      const logits = await predictor.predict(featuresAsFloats(part));
      for (const [i, label] of part.labels.entries()) {
        // Of the classes of the data: a model may have more outputs.
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

/** Share of each class that is found; NaN for a class without rows. */
export const recalls = (matrix: readonly (readonly number[])[]): number[] =>
  matrix.map((row, label) => row[label]! / sum(row));

/** Mean of the recalls of the classes that are there: what accuracy is, were all classes as frequent. */
export function balancedAccuracy(matrix: readonly (readonly number[])[]): number {
  const there = recalls(matrix).filter((recall) => !Number.isNaN(recall));
  return sum(there) / there.length;
}
