/**
 * From the scores of a ridge regression on classes to log-odds. Least squares masks a class that lies between others:
 * its scores rise less above theirs. Linear discriminant analysis of the scores undoes that: a Gaussian for each class
 * around its mean, all of one covariance, both estimated on scores of rows that were left out. The result is affine in
 * the scores, so it folds into the layer. With few rows a class the covariance is mostly noise, so cross-validation
 * decides: the layer stays as it is where that gets fewer rows right (Hastie, Tibshirani, Friedman: The Elements of
 * Statistical Learning, 4.2 and 12.5).
 */
import type { LinearOutput } from './ridge.ts';

/** Rows left out one at a time, and what the others predict for them: (rows, classes). */
export interface LeftOutScores {
  readonly rows: readonly number[];
  readonly predictions: Float64Array;
}

/** Share of the covariance that is replaced by its mean variance in every direction. */
const SHRINKAGE = 0.1;

/** Parts of the rows left out that are classified by a discriminant of the other parts. */
const FOLDS = 5;

/** Scores s become s' factors + offsets. */
interface Discriminant {
  /** (classes, classes). */
  readonly factors: Float64Array;
  readonly offsets: Float64Array;
}

/**
 * The layer whose outputs are log-odds, up to a number common to all classes of a row; or the layer itself where that
 * gets fewer of the left-out rows right.
 */
export function logOdds(layer: LinearOutput, labels: ArrayLike<number>, leftOut: LeftOutScores): LinearOutput {
  const classes = layer.bias.length;
  if (hasLoneRow(labels, classes)) return layer;
  if (crossValidated(labels, leftOut, classes) < hits(leftOut.predictions, labels, leftOut.rows, classes)) return layer;
  const found = discriminant(labels, leftOut, classes);
  const bias = transformed(layer.bias, found, classes);
  return {
    weights: transformed(layer.weights, { ...found, offsets: new Float64Array(classes) }, classes),
    bias,
  };
}

/** Whether a class has a single row: left out, its scores say nothing about where the class lies. */
function hasLoneRow(labels: ArrayLike<number>, classes: number): boolean {
  const counts = new Uint32Array(classes);
  for (let row = 0; row < labels.length; row++) counts[labels[row]!]!++;
  return counts.includes(1);
}

/** How many rows a discriminant classifies that was estimated without them. */
function crossValidated(labels: ArrayLike<number>, leftOut: LeftOutScores, classes: number): number {
  const seen = new Uint32Array(classes);
  const folds = leftOut.rows.map((row) => seen[labels[row]!]!++ % FOLDS); // each has its share of each class
  let right = 0;
  for (let fold = 0; fold < FOLDS; fold++) {
    const others = part(leftOut, (i) => folds[i] !== fold, classes);
    const { rows, predictions } = part(leftOut, (i) => folds[i] === fold, classes);
    if (rows.length === 0 || others.rows.length === 0) continue;
    right += hits(transformed(predictions, discriminant(labels, others, classes), classes), labels, rows, classes);
  }
  return right;
}

function part({ rows, predictions }: LeftOutScores, has: (i: number) => boolean, classes: number): LeftOutScores {
  return {
    rows: rows.filter((_, i) => has(i)),
    predictions: predictions.filter((_, at) => has(Math.floor(at / classes))),
  };
}

/** Rows whose class has the highest score. */
function hits(scores: ArrayLike<number>, labels: ArrayLike<number>, rows: readonly number[], classes: number): number {
  return rows.filter((row, r) => {
    const own = scores[r * classes + labels[row]!]!;
    for (let k = 0; k < classes; k++) if (k !== labels[row] && scores[r * classes + k]! >= own) return false;
    return true;
  }).length;
}

/** Score k becomes s' P m_k - m_k' P m_k / 2, with P the inverse of the covariance and m_k the mean of class k. */
function discriminant(labels: ArrayLike<number>, leftOut: LeftOutScores, classes: number): Discriminant {
  const { means, covariance } = momentsOf(labels, leftOut, classes);
  const inverse = inverseOf(covariance, classes);
  const factors = new Float64Array(classes * classes);
  const offsets = new Float64Array(classes);
  for (let k = 0; k < classes; k++) {
    for (let i = 0; i < classes; i++) {
      let sum = 0;
      for (let j = 0; j < classes; j++) sum += inverse[i * classes + j]! * means[k * classes + j]!;
      factors[i * classes + k] = sum;
      offsets[k]! -= (means[k * classes + i]! * sum) / 2;
    }
  }
  // What all classes have in common changes no odds, and would take the precision of a file.
  for (let i = 0; i < classes; i++) centre(factors.subarray(i * classes, (i + 1) * classes));
  centre(offsets);
  return { factors, offsets };
}

function centre(values: Float64Array): void {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  for (let i = 0; i < values.length; i++) values[i]! -= mean;
}

/** Rows of scores (rows, classes), each times the factors plus the offsets. */
function transformed(
  scores: Float32Array | Float64Array,
  { factors, offsets }: Discriminant,
  classes: number,
): Float32Array<ArrayBuffer> {
  const made = new Float32Array(scores.length);
  for (let at = 0; at < scores.length; at++) {
    const [first, k] = [at - (at % classes), at % classes];
    let sum = offsets[k]!;
    for (let i = 0; i < classes; i++) sum += scores[first + i]! * factors[i * classes + k]!;
    made[at] = sum;
  }
  return made;
}

/** Means of the classes (classes, classes) and the shrunk covariance around them. A class without a row has its target. */
function momentsOf(labels: ArrayLike<number>, { rows, predictions }: LeftOutScores, classes: number) {
  const counts = new Float64Array(classes);
  const means = new Float64Array(classes * classes);
  rows.forEach((row, i) => {
    const label = labels[row]!;
    counts[label]!++;
    for (let j = 0; j < classes; j++) means[label * classes + j]! += predictions[i * classes + j]!;
  });
  for (let k = 0; k < classes; k++) {
    for (let j = 0; j < classes; j++) {
      means[k * classes + j] = counts[k] ? means[k * classes + j]! / counts[k]! : k === j ? 1 : -1;
    }
  }
  const covariance = new Float64Array(classes * classes);
  rows.forEach((row, r) => {
    const around = (j: number) => predictions[r * classes + j]! - means[labels[row]! * classes + j]!;
    for (let i = 0; i < classes; i++) {
      for (let j = 0; j < classes; j++) covariance[i * classes + j]! += (around(i) * around(j)) / rows.length;
    }
  });
  let variance = 1e-6; // so that rows that are all predicted alike leave a covariance
  for (let i = 0; i < classes; i++) variance += covariance[i * classes + i]! / classes;
  for (let i = 0; i < classes; i++) {
    for (let j = 0; j < classes; j++) covariance[i * classes + j]! *= 1 - SHRINKAGE;
    covariance[i * classes + i]! += SHRINKAGE * variance;
  }
  return { means, covariance };
}

/** The inverse of a positive definite matrix (size, size), by Gauss-Jordan elimination. */
function inverseOf(matrix: Float64Array, size: number): Float64Array {
  const a = matrix.slice();
  const inverse = new Float64Array(size * size);
  for (let i = 0; i < size; i++) inverse[i * size + i] = 1;
  for (let p = 0; p < size; p++) {
    const pivot = a[p * size + p]!;
    for (let j = 0; j < size; j++) {
      a[p * size + j]! /= pivot;
      inverse[p * size + j]! /= pivot;
    }
    for (let i = 0; i < size; i++) {
      const factor = a[i * size + p]!;
      if (i === p || factor === 0) continue;
      for (let j = 0; j < size; j++) {
        a[i * size + j]! -= factor * a[p * size + j]!;
        inverse[i * size + j]! -= factor * inverse[p * size + j]!;
      }
    }
  }
  return inverse;
}
