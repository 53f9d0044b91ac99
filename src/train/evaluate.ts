/** Evaluation: the loss and the accuracy of a model on a data set. */

import type { Backend } from '../backend/backend.ts';
import { opened } from '../backend/opened.ts';
import type { EpochPass, Means } from '../backend/training.ts';
import { DataError, ShapeError } from '../core/errors.ts';
import { lossHasHits, lossTargets } from '../core/losses.ts';
import { type DataSet, expectDataSet, rowSize } from '../data/dataset.ts';
import { expectLoss, type Loss } from '../graph/losses.ts';
import { expectModel } from '../model/expect-model.ts';
import { inputSize, type Model, outputSize } from '../model/model.ts';
import { measure, taskLosses, taskOf } from './figures.ts';
import { type EvaluateOptions, expectEvaluateOptions } from './options.ts';
import { openTraining } from './training.ts';

/** Rows evaluated at a time. */
export const EVALUATION_BATCH = 500;

/** The means, with NaN as the accuracy of a loss that has none. */
export const withoutHits = (means: Means, loss: Loss): Means =>
  loss === 'crossEntropy' || lossHasHits(loss) ? means : { ...means, accuracy: Number.NaN };

/** The pass, with NaN as the accuracy of a loss that has none. */
export function withAccuracy(pass: EpochPass, loss: Loss): EpochPass {
  return {
    async run(order, { onStep, ...options } = {}) {
      const reported = onStep && ((rows: number, means?: Means) => onStep(rows, means && withoutHits(means, loss)));
      return withoutHits(await pass.run(order, { ...options, ...(reported && { onStep: reported }) }), loss);
    },
  };
}

/** What `evaluate` returns. */
export interface Evaluation {
  /** Mean over the rows. */
  readonly loss: number;
  /** Share of the rows, or of the labels, that are right; NaN for a regression. */
  readonly accuracy: number;
  /** Regression: mean absolute error, root of the mean squared error, R2; the mean of each over the targets. */
  readonly mae?: number;
  readonly rmse?: number;
  readonly r2?: number;
  /** Several labels a row: F1 over all decisions (micro), and the mean over the labels (macro). */
  readonly f1?: { readonly micro: number; readonly macro: number };
}

/** The loss that is named, or else the one of the data's task. */
export const lossOf = (data: DataSet, loss?: Loss): Loss => loss ?? taskLosses[taskOf(data)];

/** Mean loss of the model on a data set, and what else suits the task. `measure` returns more figures. */
export async function evaluate(
  opening: Backend | Promise<Backend>,
  model: Model,
  data: DataSet,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  expectEvaluateOptions(options);
  const { batchSize = EVALUATION_BATCH, signal, onProgress } = options;
  expectDataSet('evaluate', data);
  expectModel(model);
  const loss = lossOf(data, options.loss);
  checkData(model, data, loss, 'evaluation');
  const context = await opened(opening);
  const open = await openTraining(context, model, { loss });
  let means: Means;
  try {
    const pass = withAccuracy(await open.epochPass(data, { batchSize, update: false }), loss);
    const order = Uint32Array.from({ length: data.rows }, (_, i) => i);
    means = await pass.run(order, { ...(signal && { signal }), ...(onProgress && { onStep: onProgress }) });
  } finally {
    open.dispose();
  }
  if (!data.targets) return means;
  const figures = await measure(context, model, data, { loss });
  if (figures.task === 'multilabel') return { ...means, f1: { micro: figures.micro.f1, macro: figures.macro.f1 } };
  if (figures.task === 'classification') return means;
  const { mae, rmse, r2 } = figures;
  return { ...means, mae, rmse, r2 };
}

/** Throws `ShapeError` or `DataError` where the data does not fit the model or the loss. */
export function checkData(model: Model, data: DataSet, loss: Loss, what: string): void {
  expectLoss(what, loss);
  if (rowSize(data) !== inputSize(model)) {
    throw new ShapeError(
      `${what} data: expected rows of ${inputSize(model)} numbers (the model's input ${model.input.join(' x ')}), ` +
        `got ${rowSize(data)} (${data.shape.join(' x ')})`,
    );
  }
  const outputs = outputSize(model);
  if (loss === 'crossEntropy' && data.classes > outputs) {
    throw new DataError(
      `${what} data: expected at most ${outputs} classes (the model's last layer), got ${data.classes}`,
    );
  }
  if (loss === 'crossEntropy') return;
  if (data.targets?.length !== data.rows * outputs) {
    throw new DataError(
      `${what} data: expected ${outputs} targets a row, got ${(data.targets?.length ?? 0) / data.rows}`,
    );
  }
  const wrong = lossTargets(loss) === 'any' ? undefined : data.targets.find((target) => !(target >= 0 && target <= 1));
  if (wrong !== undefined) throw new DataError(`${what} data: expected targets from 0 to 1 for ${loss}, got ${wrong}`);
}
