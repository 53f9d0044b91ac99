/** What a model is worth on a data set, by its task. */
import type { Backend } from '../backend/backend.ts';
import { type ElementwiseLoss, lossTwins } from '../core/losses.ts';
import type { DataSet } from '../data/dataset.ts';
import type { Loss } from '../graph/losses.ts';
import { type Model, outputSize } from '../model/model.ts';
import { inUnits, type TargetSpec, type Task } from '../model/preparation.ts';
import { balancedAccuracy, outputsOf, predictedClasses } from './confusion.ts';
import {
  type Averages,
  type ClassFigures,
  calibrationError,
  classFigures,
  type LabelFigures,
  labelFigures,
  macroAverage,
  type RegressionErrors,
  regressionErrors,
  rocAuc,
} from './metrics.ts';

export interface ClassificationFigures {
  readonly task: 'classification';
  readonly rows: number;
  /** Mean cross-entropy in nats. */
  readonly loss: number;
  readonly accuracy: number;
  /** Mean recall of the classes that have rows: the accuracy if all classes were equally frequent. */
  readonly balancedAccuracy: number;
  /** Mean over the classes that have rows or predictions. */
  readonly macro: Averages;
  /** Two classes: area under the ROC curve of the second one. */
  readonly rocAuc?: number;
  /** Expected calibration error, 15 bins. */
  readonly calibrationError: number;
  /** By label. */
  readonly classes: readonly ClassFigures[];
  /** Numbers of rows by [label][prediction]. */
  readonly confusion: readonly (readonly number[])[];
}

export interface MultilabelFigures extends LabelFigures {
  readonly task: 'multilabel';
  readonly rows: number;
  /** Mean binary cross-entropy in nats. */
  readonly loss: number;
}

/** In the units of the targets. `mae`, `rmse` and `r2` are means over the targets. */
export interface RegressionFigures extends RegressionErrors {
  readonly task: 'regression';
  readonly rows: number;
  /** Mean loss, in the units of the model's outputs. */
  readonly loss: number;
  readonly targets: readonly RegressionErrors[];
}

export type Figures = ClassificationFigures | MultilabelFigures | RegressionFigures;

export interface MeasureOptions {
  /** Default: by the task of the data. */
  readonly loss?: Loss;
  /** Reports how many rows are done. */
  readonly onProgress?: (rows: number) => void;
}

/** The task that a data set and a loss make: that of the data's preparation, or else by labels, targets and loss. */
export function taskOf({ preparation, targets }: Pick<DataSet, 'preparation' | 'targets'>, loss?: Loss): Task {
  if (!targets) return 'classification';
  if (preparation) return preparation.outputs.task;
  return loss === 'binaryCrossEntropy' ? 'multilabel' : 'regression';
}

/** The loss that a task is trained with if none is named. */
export const taskLosses: { readonly [T in Task]: Loss } = {
  classification: 'crossEntropy',
  multilabel: 'binaryCrossEntropy',
  regression: 'meanSquaredError',
};

/** Figures of outputs (rows, outputs) row-major, as the model made them from the rows of `data`. */
export function figuresOf(outputs: Float32Array, data: DataSet, { loss }: MeasureOptions = {}): Figures {
  const task = taskOf(data, loss);
  if (task === 'classification') return classification(outputs, data);
  const kind = (loss ?? taskLosses[task]) as ElementwiseLoss;
  const targets = data.targets!;
  const mean = outputs.reduce((sum, y, i) => sum + lossTwins[kind](y, targets[i]!).loss, 0) / outputs.length;
  const common = { rows: data.rows, loss: mean };
  const columns = targets.length / data.rows;
  const spec = data.preparation?.outputs;
  if (task === 'multilabel') {
    const threshold = spec?.task === 'multilabel' ? spec.threshold : undefined;
    return { task, ...common, ...labelFigures(outputs, targets, columns, threshold) };
  }
  const each = Array.from({ length: columns }, (_, column) => {
    const own = spec?.task === 'regression' ? spec.targets[column] : undefined;
    const values = (all: Float32Array) => columnOf(all, columns, column, own);
    return regressionErrors(values(outputs), values(targets));
  });
  const average = (of: keyof RegressionErrors) => each.reduce((sum, one) => sum + one[of], 0) / columns;
  return { task, ...common, mae: average('mae'), rmse: average('rmse'), r2: average('r2'), targets: each };
}

/** One column of (rows, columns), in the units of its target. */
const columnOf = (all: Float32Array, columns: number, column: number, target?: TargetSpec): Float64Array =>
  Float64Array.from({ length: all.length / columns }, (_, row) => {
    const output = all[row * columns + column]!;
    return target ? inUnits(target, output) : output;
  });

function classification(outputs: Float32Array, { rows, labels, classes }: DataSet): ClassificationFigures {
  const width = outputs.length / rows;
  const predicted = predictedClasses(outputs, width, classes);
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  const confidences = new Float64Array(rows);
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    confusion[labels[row]!]![predicted[row]!]! += 1;
    const logits = outputs.subarray(row * width, (row + 1) * width);
    const largest = logits.reduce((a, b) => Math.max(a, b));
    const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
    confidences[row] = Math.exp(logits[predicted[row]!]! - largest) / sum;
    loss += Math.log(sum) - (logits[labels[row]!]! - largest);
  }
  const hit = (row: number) => predicted[row] === labels[row];
  const each = classFigures(confusion);
  const margin = () =>
    Float64Array.from({ length: rows }, (_, row) => outputs[row * width + 1]! - outputs[row * width]!);
  return {
    task: 'classification',
    rows,
    loss: loss / rows,
    accuracy: confusion.reduce((sum, row, label) => sum + row[label]!, 0) / rows,
    balancedAccuracy: balancedAccuracy(confusion),
    macro: macroAverage(each),
    ...(classes === 2 && { rocAuc: rocAuc(margin(), (row) => labels[row] === 1) }),
    calibrationError: calibrationError(confidences, hit),
    classes: each,
    confusion,
  };
}

/** The outputs of the model for all rows of a data set, (rows, outputs) row-major. */
export async function allOutputs(
  backend: Backend,
  model: Model,
  data: DataSet,
  onProgress?: (rows: number) => void,
): Promise<Float32Array<ArrayBuffer>> {
  const size = outputSize(model);
  const outputs = new Float32Array(data.rows * size);
  for await (const piece of outputsOf(backend, model, data)) {
    outputs.set(piece.outputs, piece.start * size);
    onProgress?.(piece.start + piece.part.rows);
  }
  return outputs;
}

/** All figures of the task, from one pass over the data. Throws what prediction throws. */
export async function measure(
  backend: Backend | Promise<Backend>,
  model: Model,
  data: DataSet,
  options: MeasureOptions = {},
): Promise<Figures> {
  return figuresOf(await allOutputs(await backend, model, data, options.onProgress), data, options);
}
