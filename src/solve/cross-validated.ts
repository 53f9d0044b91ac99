/**
 * Ridge regression from moments alone, where the rows are gone. The penalty is the one with the least generalised
 * cross-validation error (Golub, Heath and Wahba, Technometrics 21, 1979): the leave-one-out error with the mean
 * leverage in place of that of each row, which the moments know.
 */
import type { Factor, SymmetricMatrix } from './algebra.ts';
import type { Moments } from './moments.ts';
import { climb } from './penalties.ts';
import { folded, type LinearOutput, penalised } from './ridge.ts';

export interface CrossValidated extends LinearOutput {
  /** What the diagonal got, as a multiple of the number of features. */
  readonly penalty: number;
  /** Mean squared error over rows and outputs, by generalised cross-validation. */
  readonly error: number;
}

/**
 * A multiple of the number of features: of standardised features, the variance of the noise that is expected against that
 * of what the features explain. Fewer rows than features fit any targets with a smaller one, and cross-validation then
 * can't tell that it is too small.
 */
const PENALTIES: readonly number[] = [0.1, 1, 10, 100, 1000];

/**
 * Solves for all outputs at once; uses up the products of the moments. `squares`: of each output, the sum of the squared
 * targets. `penalties`: in rising order; the search starts from the first. Each that it tries takes about the cube of the
 * columns in multiply-adds; a single one needs no error and takes a sixth of that. Throws `DataError`, `OutOfMemoryError`.
 */
export async function ridgeByCrossValidation(
  moments: Moments,
  squares: ArrayLike<number>,
  penalties: readonly number[] = PENALTIES,
): Promise<CrossValidated> {
  const { rows, columns, outputs } = moments;
  const x = moments.standard();
  const cross = moments.standardisedCross(x);
  const means = moments.targetSums.map((sum) => sum / rows);
  const products = moments.standardise(x);
  const unit = trace(products) / rows || 1; // the number of features, but for those that hardly vary
  const total = means.reduce((sum, mean, o) => sum + squares[o]! - rows * mean ** 2, 0);
  const evaluate = async (penalty: number) => {
    const added = penalty * unit;
    const factor = await penalised(products, added);
    const solution = factor.solve(cross, outputs);
    if (penalties.length === 1) return { penalty, error: Number.NaN, solution };
    let explained = 0;
    for (const [i, weight] of solution.entries()) explained += weight * (cross[i]! + added * weight);
    const residual = Math.max(0, total - explained) / (rows * outputs);
    // The rows that the fit does not use up: the mean takes one, the weights the trace of the hat matrix.
    const left = 1 - (1 + columns - added * inverseTrace(factor, columns)) / rows;
    return { penalty, error: residual / Math.max(left, 1e-12) ** 2, solution };
  };
  const best = await climb(penalties, evaluate, 0);
  const { solution, ...measured } = best;
  return { ...folded(solution, x, means, outputs), ...measured };
}

function trace(matrix: SymmetricMatrix): number {
  let sum = 0;
  for (let i = 0; i < matrix.size; i++) sum += matrix.row(i)[i]!;
  return sum;
}

/** The trace of the inverse of a matrix of `size` columns, some at a time. */
function inverseTrace(factor: Factor, size: number): number {
  const CHUNK = 256;
  let trace = 0;
  for (let first = 0; first < size; first += CHUNK) {
    const count = Math.min(CHUNK, size - first);
    const unit = new Float64Array(size * count);
    for (let c = 0; c < count; c++) unit[(first + c) * count + c] = 1;
    trace += factor.quadraticForms(unit, count).reduce((sum, form) => sum + form, 0);
  }
  return trace;
}
