/**
 * Ridge regression: the output layer that minimises the squared error plus a penalty on its weights, solved in float64
 * in one pass. Features are standardised; the result is folded back to the features as they come. The bias is not
 * penalised. The penalty is the one with the least leave-one-out error, which has a closed form (Allen's PRESS): the
 * error of a row left out is its residual divided by 1 minus its leverage.
 */
import { DataError } from '../core/errors.ts';
import { SymmetricMatrix } from './algebra.ts';
import type { Moments } from './moments.ts';
import { climb } from './penalties.ts';
import { type Standard, standardiser } from './standard.ts';

export interface RidgeProblem {
  readonly rows: number;
  /** (rows, columns) row-major, any scale. */
  readonly features: Float32Array;
  /** (rows, outputs) row-major; for classes see `classTargets`. */
  readonly targets: Float32Array;
}

/** A linear output: y = features times weights + bias. */
export interface LinearOutput {
  /** (columns, outputs) row-major. */
  readonly weights: Float32Array<ArrayBuffer>;
  /** (outputs). */
  readonly bias: Float32Array<ArrayBuffer>;
}

export interface RidgeSolution extends LinearOutput {
  /** The penalty, relative to the mean eigenvalue of the standardised features (those that are not 0). */
  readonly penalty: number;
  /** Mean squared leave-one-out error over rows and outputs. */
  readonly error: number;
  /** The leave-one-out errors themselves, (rows, outputs); `leftOutRows` says of which rows. */
  readonly errors: Float64Array;
}

export interface RidgeOptions {
  /** Penalties to choose from, as `RidgeSolution.penalty`; default powers of ten from 1e-6 to 1e3. */
  readonly penalties?: readonly number[];
}

/** Powers of ten. */
export const RIDGE_PENALTIES: readonly number[] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1000];

/** Most rows over which the leave-one-out error is averaged where there are more rows than columns. */
export const LEFT_OUT = 1024;

/** The rows whose leave-one-out errors `ridge` measures. */
export function leftOutRows(rows: number, columns: number): number[] {
  const count = rows <= columns ? rows : Math.min(rows, LEFT_OUT);
  return Array.from({ length: count }, (_, i) => Math.floor((i * rows) / count));
}

/** 1 for the class of each row, -1 for the others: (rows, classes). */
export function classTargets(labels: ArrayLike<number>, classes: number): Float32Array<ArrayBuffer> {
  const targets = new Float32Array(labels.length * classes).fill(-1);
  for (let row = 0; row < labels.length; row++) targets[row * classes + labels[row]!] = 1;
  return targets;
}

/**
 * Solves for all outputs at once. Takes about rows * columns * min(rows, columns) multiply-adds, and for each penalty
 * that it tries the cube of min(rows, columns). Throws `DataError` for sizes that do not fit, `OutOfMemoryError`.
 */
export async function ridge(problem: RidgeProblem, options: RidgeOptions = {}): Promise<RidgeSolution> {
  const { rows, features, targets } = problem;
  const [columns, outputs] = [features.length / rows, targets.length / rows];
  if (!(rows >= 2 && Number.isInteger(columns) && Number.isInteger(outputs) && columns > 0 && outputs > 0)) {
    throw new DataError(
      `ridge: expected 2 rows or more, each with features and targets; got ${rows} rows, ${features.length} features ` +
        `and ${targets.length} targets`,
    );
  }
  const x = standardiser(features, columns);
  const y = centred(targets, outputs);
  const chosen = await (rows <= columns ? byRows : byColumns)({ rows, columns, outputs, features, x, y }, options);
  const { solution, ...measured } = chosen;
  return { ...folded(solution, x, y.mean, outputs), ...measured };
}

/** Weights of standardised features, and the means of the targets, as a layer on the features as they come. */
export function folded(
  solution: Float64Array,
  { mean, factor }: Standard,
  targetMeans: ArrayLike<number>,
  outputs: number,
): LinearOutput {
  const weights = new Float32Array(solution.length);
  const bias = Float64Array.from(targetMeans);
  for (let c = 0; c < mean.length; c++) {
    for (let o = 0; o < outputs; o++) {
      const weight = solution[c * outputs + o]! * factor[c]!;
      weights[c * outputs + o] = weight;
      bias[o]! -= mean[c]! * weight;
    }
  }
  return { weights, bias: Float32Array.from(bias) };
}

interface Centred {
  readonly mean: Float64Array;
  readonly values: Float64Array;
}

function centred(targets: Float32Array, outputs: number): Centred {
  const rows = targets.length / outputs;
  const mean = new Float64Array(outputs);
  targets.forEach((value, i) => {
    mean[i % outputs]! += value / rows;
  });
  return { mean, values: Float64Array.from(targets, (value, i) => value - mean[i % outputs]!) };
}

interface Standardised {
  readonly rows: number;
  readonly columns: number;
  readonly outputs: number;
  readonly features: Float32Array;
  readonly x: Standard;
  readonly y: Centred;
}

interface Candidate {
  readonly penalty: number;
  readonly error: number;
  /** Leave-one-out errors, (rows, outputs). */
  readonly errors: Float64Array;
  /** (columns, outputs), of standardised features. */
  readonly solution: Float64Array;
}

const meanSquare = (values: Float64Array): number => values.reduce((sum, value) => sum + value ** 2 / values.length, 0);

const diagonalMean = (matrix: SymmetricMatrix, count: number): number => {
  let sum = 0;
  for (let i = 0; i < matrix.size; i++) sum += matrix.row(i)[i]!;
  return sum / count || 1;
};

/** The matrix plus `penalty` on its diagonal, factorised. */
export async function penalised(matrix: SymmetricMatrix, penalty: number) {
  const copy = await matrix.copy();
  for (let i = 0; i < copy.size; i++) copy.row(i)[i]! += penalty;
  const factor = copy.factorise();
  if (factor) return factor;
  throw new DataError(
    `ridge: expected features that determine a solution with a penalty of ${penalty}, got a matrix that is not ` +
      'positive definite. Check the features for NaN, or use a larger penalty.',
  );
}

/** Fewer rows than columns: by the products of rows with each other, (rows, rows). */
async function byRows(problem: Standardised, { penalties = RIDGE_PENALTIES }: RidgeOptions): Promise<Candidate> {
  const { rows, columns, outputs, features, x, y } = problem;
  const products = await SymmetricMatrix.zeros(rows);
  const CHUNK = 256;
  for (let first = 0; first < columns; first += CHUNK) {
    const count = Math.min(CHUNK, columns - first);
    const block = new Float64Array(count * rows);
    for (let c = 0; c < count; c++) {
      const [mean, factor] = [x.mean[first + c]!, x.factor[first + c]!];
      for (let r = 0; r < rows; r++) block[c * rows + r] = (features[r * columns + first + c]! - mean) * factor;
    }
    products.add(block);
  }
  const unit = diagonalMean(products, rows);
  const identity = new Float64Array(rows * rows);
  for (let r = 0; r < rows; r++) identity[r * rows + r] = 1;
  const best = await climb(penalties, async (penalty) => {
    const added = penalty * unit;
    const factor = await penalised(products, added);
    const duals = factor.solve(y.values, outputs);
    const inverse = factor.quadraticForms(identity, rows);
    const errors = duals.map((dual, i) => {
      const row = Math.floor(i / outputs);
      return (added * dual) / Math.max(added * inverse[row]! - 1 / rows, 1e-12);
    });
    return { penalty, error: meanSquare(errors), errors, duals };
  });
  const solution = new Float64Array(columns * outputs);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const value = (features[r * columns + c]! - x.mean[c]!) * x.factor[c]!;
      for (let o = 0; o < outputs; o++) solution[c * outputs + o]! += value * best.duals[r * outputs + o]!;
    }
  }
  const { penalty, error, errors } = best;
  return { penalty, error, errors, solution };
}

/** Rows with which the leave-one-out error of a solution from moments is measured. */
export interface LeftOut {
  readonly rows: number;
  /** (rows, columns). */
  readonly features: Float32Array;
  /** (rows, outputs). */
  readonly targets: Float32Array;
}

/** More rows than columns: by the products of columns with each other, (columns, columns). */
async function byColumns(problem: Standardised, options: RidgeOptions): Promise<Candidate> {
  const { rows, columns, outputs, features, x, y } = problem;
  const products = await SymmetricMatrix.zeros(columns);
  const cross = new Float64Array(columns * outputs);
  const CHUNK = 256;
  for (let first = 0; first < rows; first += CHUNK) {
    const count = Math.min(CHUNK, rows - first);
    const block = standardised(features.subarray(first * columns, (first + count) * columns), x);
    for (let r = 0; r < count; r++) {
      for (let c = 0; c < columns; c++) {
        const value = block[r * columns + c]!;
        for (let o = 0; o < outputs; o++) cross[c * outputs + o]! += value * y.values[(first + r) * outputs + o]!;
      }
    }
    products.add(block);
  }
  const left = leftOutRows(rows, columns);
  const sample = {
    rows: left.length,
    features: Float64Array.from(
      left.flatMap((row) => [...standardised(features.subarray(row * columns, (row + 1) * columns), x)]),
    ),
    targets: Float64Array.from(left.flatMap((row) => [...y.values.subarray(row * outputs, (row + 1) * outputs)])),
  };
  return ofProducts(rows, products, cross, sample, options);
}

/** (rows, columns), centred and scaled. */
function standardised(features: Float32Array, { mean, factor }: Standard): Float64Array {
  const columns = mean.length;
  return Float64Array.from(features, (value, i) => (value - mean[i % columns]!) * factor[i % columns]!);
}

/**
 * Ridge regression of many rows from their moments, whose products become those of standardised features. `left` are
 * some of the rows. Throws `DataError`, `OutOfMemoryError`.
 */
export async function ridgeOfMoments(
  moments: Moments,
  left: LeftOut,
  options: RidgeOptions = {},
): Promise<RidgeSolution> {
  const { rows, outputs } = moments;
  const x = moments.standard();
  const cross = moments.standardisedCross(x);
  const means = moments.targetSums.map((sum) => sum / rows);
  const sample = {
    rows: left.rows,
    features: standardised(left.features, x),
    targets: Float64Array.from(left.targets, (value, i) => value - means[i % outputs]!),
  };
  const chosen = await ofProducts(rows, moments.standardise(x), cross, sample, options);
  const { solution, ...measured } = chosen;
  return { ...folded(solution, x, means, outputs), ...measured };
}

interface Sample {
  readonly rows: number;
  readonly features: Float64Array;
  readonly targets: Float64Array;
}

/** The best solution from products of standardised columns with each other and with centred targets. */
function ofProducts(
  rows: number,
  products: SymmetricMatrix,
  cross: Float64Array,
  sample: Sample,
  { penalties = RIDGE_PENALTIES }: RidgeOptions,
): Promise<Candidate> {
  const columns = products.size;
  const outputs = cross.length / columns;
  const unit = diagonalMean(products, columns);
  const transposed = new Float64Array(sample.features.length);
  for (let r = 0; r < sample.rows; r++) {
    for (let c = 0; c < columns; c++) transposed[c * sample.rows + r] = sample.features[r * columns + c]!;
  }
  return climb(penalties, async (penalty) => {
    const factor = await penalised(products, penalty * unit);
    const solution = factor.solve(cross, outputs);
    const forms = factor.quadraticForms(transposed, sample.rows);
    const errors = sample.targets.map((target, i) => {
      const [row, o] = [Math.floor(i / outputs), i % outputs];
      let residual = target;
      for (let c = 0; c < columns; c++) {
        residual -= sample.features[row * columns + c]! * solution[c * outputs + o]!;
      }
      return residual / Math.max(1 - 1 / rows - forms[row]!, 1e-12);
    });
    return { penalty, error: meanSquare(errors), errors, solution };
  });
}
