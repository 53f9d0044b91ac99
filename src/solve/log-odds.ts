/**
 * From the scores of a ridge regression on classes to log-odds. Least squares masks a class that lies between others:
 * its scores rise less above theirs. Linear discriminant analysis of the scores undoes that: a Gaussian for each class
 * around its mean, all of one covariance, both estimated on scores of rows that had no part in them. The result is
 * affine in the scores, so it folds into the layer. It is used where it misclassifies no more held-out rows (Hastie,
 * Tibshirani, Friedman: The Elements of Statistical Learning, 4.2 and 12.5).
 */
import type { LinearOutput } from './ridge.ts';

/** Rows left out one at a time, and what the others predict for them: (rows, classes). */
export interface LeftOutScores {
  readonly rows: readonly number[];
  readonly predictions: Float64Array;
}

/** Share of the covariance that is replaced by its mean variance in every direction. */
const SHRINKAGE = 0.1;

/** Rows left out whose class has the highest score. */
function hits(scores: ArrayLike<number>, labels: ArrayLike<number>, { rows }: LeftOutScores, classes: number): number {
  return rows.filter((row, r) => {
    const own = scores[r * classes + labels[row]!]!;
    for (let k = 0; k < classes; k++) if (k !== labels[row] && scores[r * classes + k]! >= own) return false;
    return true;
  }).length;
}

/**
 * The layer whose outputs are log-odds, up to a number common to all classes of a row; or the layer itself where that
 * misses more of the rows left out.
 */
export function logOdds(layer: LinearOutput, labels: ArrayLike<number>, leftOut: LeftOutScores): LinearOutput {
  const classes = layer.bias.length;
  const { means, covariance } = momentsOf(labels, leftOut, classes);
  const inverse = inverseOf(covariance, classes);
  // Score k is s' P m_k - m_k' P m_k / 2 with P the inverse.
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
  const times = (row: ArrayLike<number>, from: number, k: number) => {
    let sum = 0;
    for (let i = 0; i < classes; i++) sum += row[from + i]! * factors[i * classes + k]!;
    return sum;
  };
  const discriminant = leftOut.predictions.map(
    (_, at) => times(leftOut.predictions, at - (at % classes), at % classes) + offsets[at % classes]!,
  );
  // With few rows a class the covariance may be worth less than none: then the scores stay as they are.
  if (hits(discriminant, labels, leftOut, classes) < hits(leftOut.predictions, labels, leftOut, classes)) return layer;
  return {
    weights: layer.weights.map((_, at) => times(layer.weights, at - (at % classes), at % classes)),
    bias: layer.bias.map((_, k) => times(layer.bias, 0, k) + offsets[k]!),
  };
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
