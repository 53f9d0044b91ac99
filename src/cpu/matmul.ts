/** The product of stored matrices on the CPU. */
import type { Machine } from './machine.ts';

export interface Product {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/**
 * Prepares c (m, n) = op(a) op(b). The returned function takes the addresses of a, b and c. For a single row it reads
 * the matrix in place instead of packing it.
 */
export function matmul(machine: Machine, { m, k, n, transposeA = false, transposeB = false }: Product) {
  const { kernels } = machine;
  if (m === 1 && !transposeB) {
    return (a: number, b: number, c: number) => {
      machine.floats(c, n).fill(0);
      kernels.matmulRow(a, k, b, n, c);
    };
  }
  const blocks = Math.ceil(m / 4);
  const columns = Math.ceil(n / 8) * 8;
  const rows = machine.allocate(16 * k * blocks);
  const sums = machine.allocate(16 * columns * blocks);
  const [strideM, strideK] = transposeA ? [4, 4 * m] : [4 * k, 4];
  const [bStrideK, bStrideN] = transposeB ? [4, 4 * k] : [4 * n, 4];
  return (a: number, b: number, c: number) => {
    kernels.packRows(a, strideM, strideK, m, k, k, rows);
    machine.floats(sums, 4 * columns * blocks).fill(0);
    kernels.matmul(rows, blocks, k, b, bStrideK, bStrideN, n, sums);
    kernels.unpackTiles(sums, m, n, 1, c);
  };
}
