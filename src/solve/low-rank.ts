/**
 * A linear layer as two narrow ones: the directions of its outputs that vary most over given rows are kept (reduced-rank
 * regression; Izenman, 1975). Many classes make a layer large, and their scores need fewer directions than there are
 * classes.
 */
import type { LinearOutput } from './ridge.ts';

export interface LowRankOutput {
  /** (columns, rank) row-major. */
  readonly first: Float32Array<ArrayBuffer>;
  /** (rank, outputs) row-major, of orthonormal rows. */
  readonly second: Float32Array<ArrayBuffer>;
}

/** Rounds of subspace iteration: it need not converge, as directions of nearly equal variance serve equally well. */
const ROUNDS = 20;

/** The weights as a product whose outputs over rows of `features` (rows, columns) are closest to those of the layer. */
export function lowRank({ weights, bias }: LinearOutput, features: Float32Array, rank: number): LowRankOutput {
  const outputs = bias.length;
  const columns = weights.length / outputs;
  const second = directions(covarianceOf(product(features, weights, columns, outputs), outputs), outputs, rank);
  const transposed = new Float32Array(second.length);
  for (let k = 0; k < rank; k++) for (let o = 0; o < outputs; o++) transposed[o * rank + k] = second[k * outputs + o]!;
  return { first: product(weights, transposed, outputs, rank), second: Float32Array.from(second) };
}

/** a (any number of rows, inner) times b (inner, columns). */
export function product(a: Float32Array, b: Float32Array, inner: number, columns: number): Float32Array<ArrayBuffer> {
  const rows = a.length / inner;
  const made = new Float32Array(rows * columns);
  const sums = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    sums.fill(0);
    for (let i = 0; i < inner; i++) {
      const value = a[row * inner + i]!;
      for (let c = 0; c < columns; c++) sums[c]! += value * b[i * columns + c]!;
    }
    made.set(sums, row * columns);
  }
  return made;
}

function covarianceOf(scores: Float32Array, outputs: number): Float64Array {
  const rows = scores.length / outputs;
  const means = new Float64Array(outputs);
  for (const [i, score] of scores.entries()) means[i % outputs]! += score / rows;
  const covariance = new Float64Array(outputs * outputs);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < outputs; i++) {
      const around = scores[row * outputs + i]! - means[i]!;
      for (let j = 0; j < outputs; j++)
        covariance[i * outputs + j]! += around * (scores[row * outputs + j]! - means[j]!);
    }
  }
  return covariance;
}

/** About the `count` leading eigenvectors of a symmetric matrix (size, size), as orthonormal rows. */
function directions(matrix: Float64Array, size: number, count: number): Float64Array {
  // Spread over all directions, and the same every time.
  const vectors = Float64Array.from({ length: count * size }, (_, i) => Math.sin(1 + i * Math.SQRT2 + i * i));
  for (let round = 0; round <= ROUNDS; round++) {
    orthonormalise(vectors, size, count);
    if (round === ROUNDS) break;
    const before = vectors.slice();
    vectors.fill(0);
    for (let k = 0; k < count; k++) {
      for (let i = 0; i < size; i++) {
        const value = before[k * size + i]!;
        for (let j = 0; j < size; j++) vectors[k * size + j]! += value * matrix[i * size + j]!;
      }
    }
  }
  return vectors;
}

/** Gram and Schmidt, in place. A row that the others span becomes 0. */
function orthonormalise(vectors: Float64Array, size: number, count: number): void {
  const row = (k: number) => vectors.subarray(k * size, (k + 1) * size);
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  for (let k = 0; k < count; k++) {
    const own = row(k);
    const before = Math.sqrt(dot(own, own));
    // Twice: the first pass leaves rounding errors along the other rows.
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < k; j++) {
        const other = row(j);
        const share = dot(own, other);
        for (let i = 0; i < size; i++) own[i]! -= share * other[i]!;
      }
    }
    const length = Math.sqrt(dot(own, own));
    for (let i = 0; i < size; i++) own[i] = length > 1e-9 * before ? own[i]! / length : 0;
  }
}
