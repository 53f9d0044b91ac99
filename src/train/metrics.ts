/** Figures of merit of predictions, as pure functions in float64. NaN: undefined, as the recall of a class without rows. */
import { ShapeError } from '../core/errors.ts';

/** How well one class, or one label, is found. */
export interface ClassFigures {
  /** Rows of the class. */
  readonly rows: number;
  /** Share of the rows predicted as this class that are of it; NaN where none is predicted. */
  readonly precision: number;
  /** Share of the rows of this class that are predicted as it; NaN where it has no rows. */
  readonly recall: number;
  /** 2 TP / (2 TP + FP + FN), the harmonic mean of both; NaN where there are neither rows nor predictions. */
  readonly f1: number;
}

/** Right and wrong decisions on one class: true positives, false positives, false negatives. */
interface Counts {
  readonly hits: number;
  readonly falsePositives: number;
  readonly misses: number;
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

const figuresOf = ({ hits, falsePositives, misses }: Counts): ClassFigures => ({
  rows: hits + misses,
  precision: hits / (hits + falsePositives),
  recall: hits / (hits + misses),
  f1: (2 * hits) / (2 * hits + falsePositives + misses),
});

/** Figures of each class from numbers of rows by [label][prediction]. */
export const classFigures = (matrix: readonly (readonly number[])[]): ClassFigures[] =>
  matrix.map((row, label) => {
    const hits = row[label]!;
    const predicted = sum(matrix.map((other) => other[label]!));
    return figuresOf({ hits, falsePositives: predicted - hits, misses: sum(row) - hits });
  });

/** Precision, recall and F1 as one number each. */
export interface Averages {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/**
 * The mean over the classes that have rows or predictions; an undefined precision or recall counts as 0 there. The
 * definition is that of scikit-learn with zero_division 0.
 */
export function macroAverage(classes: readonly ClassFigures[]): Averages {
  const present = classes.filter(({ f1 }) => !Number.isNaN(f1));
  const mean = (of: keyof Averages) => sum(present.map((one) => one[of] || 0)) / present.length;
  return { precision: mean('precision'), recall: mean('recall'), f1: mean('f1') };
}

/**
 * Area under the ROC curve: the probability that a random positive row scores higher than a random negative one; equal
 * scores count half (Mann and Whitney 1947). NaN where one of both kinds is missing.
 */
export function rocAuc(scores: ArrayLike<number>, positive: (row: number) => boolean): number {
  const rows = Uint32Array.from({ length: scores.length }, (_, row) => row).sort((a, b) => scores[a]! - scores[b]!);
  let [ranks, positives] = [0, 0];
  for (let from = 0, to = 0; from < rows.length; from = to) {
    while (to < rows.length && scores[rows[to]!] === scores[rows[from]!]) to++;
    const tied = rows.subarray(from, to).filter(positive).length;
    ranks += (tied * (from + 1 + to)) / 2; // ranks count from 1; tied ones share their mean
    positives += tied;
  }
  const negatives = rows.length - positives;
  return (ranks - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** Bins of `calibrationError`. */
const BINS = 15;

/**
 * Expected calibration error (Guo et al. 2017, arXiv:1706.04599): the distance between confidence and accuracy, averaged
 * over the rows, in 15 bins of confidence (0, 1/15], (1/15, 2/15] and so on. 0: of the predictions made with a
 * probability of 70%, 70% are right.
 */
export function calibrationError(confidences: ArrayLike<number>, hit: (row: number) => boolean): number {
  const bins = Array.from({ length: BINS }, () => ({ confidence: 0, hits: 0 }));
  for (let row = 0; row < confidences.length; row++) {
    const bin = bins[Math.min(BINS - 1, Math.max(0, Math.ceil(confidences[row]! * BINS) - 1))]!;
    bin.confidence += confidences[row]!;
    bin.hits += Number(hit(row));
  }
  return sum(bins.map(({ confidence, hits }) => Math.abs(hits - confidence))) / confidences.length;
}

/** Errors of predicted numbers. */
export interface RegressionErrors {
  /** Mean absolute error. */
  readonly mae: number;
  /** Root of the mean squared error. */
  readonly rmse: number;
  /** Coefficient of determination: 1 - squared errors / squared distances to the mean; NaN for constant targets. */
  readonly r2: number;
}

/** Errors of one column of numbers. Throws `ShapeError` for arrays of different lengths. */
export function regressionErrors(outputs: ArrayLike<number>, targets: ArrayLike<number>): RegressionErrors {
  const rows = targets.length;
  if (outputs.length !== rows) throw new ShapeError(`metrics: expected ${rows} outputs, got ${outputs.length}`);
  let [absolute, squares, total, spread] = [0, 0, 0, 0];
  for (let i = 0; i < rows; i++) total += targets[i]!;
  for (let i = 0; i < rows; i++) {
    const error = outputs[i]! - targets[i]!;
    absolute += Math.abs(error);
    squares += error * error;
    spread += (targets[i]! - total / rows) ** 2;
  }
  return { mae: absolute / rows, rmse: Math.sqrt(squares / rows), r2: spread > 0 ? 1 - squares / spread : Number.NaN };
}

/** Figures of every label where a row has any number of them, and over all labels. */
export interface LabelFigures {
  readonly labels: readonly ClassFigures[];
  /** Mean over the labels that have rows or predictions. */
  readonly macro: Averages;
  /** Over all decisions, one for each row and label. */
  readonly micro: Averages;
  /** Share of the decisions that are right. */
  readonly accuracy: number;
  /** Share of the rows all of whose labels are right. */
  readonly exactMatch: number;
}

/**
 * `outputs` (rows, labels) row-major are logits; a label is predicted from `threshold` on, a probability. `targets` of
 * the same shape count as set above 1/2. Throws `ShapeError` for arrays of different lengths.
 */
export function labelFigures(
  outputs: ArrayLike<number>,
  targets: ArrayLike<number>,
  labels: number,
  threshold = 0.5,
): LabelFigures {
  if (outputs.length !== targets.length || outputs.length % labels) {
    throw new ShapeError(
      `metrics: expected as many outputs as targets, ${labels} a row; got ${outputs.length} and ${targets.length}`,
    );
  }
  const counts = Array.from({ length: labels }, () => ({ hits: 0, falsePositives: 0, misses: 0 }));
  const logit = Math.log(threshold / (1 - threshold));
  const rows = outputs.length / labels;
  let [right, whole] = [0, 0];
  for (let row = 0; row < rows; row++) {
    let rightHere = 0;
    for (const [label, count] of counts.entries()) {
      const predicted = outputs[row * labels + label]! >= logit;
      const set = targets[row * labels + label]! > 0.5;
      if (predicted && set) count.hits++;
      else if (predicted) count.falsePositives++;
      else if (set) count.misses++;
      rightHere += Number(predicted === set);
    }
    right += rightHere;
    whole += Number(rightHere === labels);
  }
  const each = counts.map(figuresOf);
  const total = (of: keyof Counts) => sum(counts.map((count) => count[of]));
  const micro = figuresOf({ hits: total('hits'), falsePositives: total('falsePositives'), misses: total('misses') });
  const { precision, recall, f1 } = micro;
  return {
    labels: each,
    macro: macroAverage(each),
    micro: { precision, recall, f1 },
    accuracy: right / outputs.length,
    exactMatch: whole / rows,
  };
}
