/** What wasm/ exports. Written by scripts/wasm-types.mjs: change the kernels, not this file. */

/** A byte offset into the kernels' memory. */
export type Address = number;

/** Linear algebra in float64 (src/solve/algebra.ts). */
export interface SolveKernels {
  /**
   * c (nx, ny) += sign * x' y for x (rows, nx) and y (rows, ny). Where x is y, only the tiles on and above the diagonal.
   * scratch: 64 (nx + ny) f64.
   */
  accumulate(
    x: Address,
    strideX: number,
    nx: number,
    y: Address,
    strideY: number,
    ny: number,
    rows: number,
    sign: number,
    c: Address,
    strideC: number,
    scratch: Address,
  ): void;
  /**
   * Cholesky: a (n, n) = u' u. Reads and writes the upper triangle; what lies below the diagonal is undefined then.
   * Returns 0, or the number of the first row (from 1) whose pivot is not positive. scratch: 64 n f64.
   */
  cholesky(a: Address, n: number, scratch: Address): number;
  /** Solves u' y = b in place: b (n, m). scratch: 64 (n + m) f64. */
  solveLower(u: Address, n: number, b: Address, m: number, scratch: Address): void;
  /** Solves u x = b in place: b (n, m), for few columns. */
  solveUpper(u: Address, n: number, b: Address, m: number): void;
}
