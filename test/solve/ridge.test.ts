/** The solvers on plain arrays: linear algebra against ml-matrix, leave-one-out errors against leaving rows out. */
import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { SymmetricMatrix } from '../../src/solve/algebra.ts';
import { classTargets, ridge } from '../../src/solve/ridge.ts';
import { expectClose } from '../compare.ts';
import { numbers } from '../kernels/harness.ts';

const tolerance = { absolute: 1e-9, relative: 1e-9, reason: 'float64 sums of a well-conditioned system' };

describe('SymmetricMatrix', () => {
  it.each([1, 3, 4, 63, 64, 65, 130])('of %d columns sums, factorises and solves as ml-matrix does', async (size) => {
    const rows = numbers((size + 70) * size, size);
    const x = new Matrix(Array.from({ length: size + 70 }, (_, r) => [...rows.subarray(r * size, (r + 1) * size)]));
    const want = x.transpose().mmul(x).add(Matrix.eye(size));
    const matrix = await SymmetricMatrix.zeros(size);
    matrix.add(rows);
    for (let i = 0; i < size; i++) matrix.row(i)[i]! += 1;
    for (let i = 0; i < size; i++) {
      expectClose(matrix.row(i).slice(i), want.getRow(i).slice(i), tolerance, `row ${i}`);
    }
    const b = Float64Array.from(numbers(size * 3, 7));
    const columns = new Matrix(Array.from({ length: size }, (_, i) => [...b.subarray(3 * i, 3 * i + 3)]));
    const solved = new CholeskyDecomposition(want).solve(columns);
    const factor = matrix.factorise()!;
    expectClose(factor.solve(b, 3), solved.to1DArray(), tolerance, 'solution');
    const forms = columns.transpose().mmul(solved).diagonal();
    expectClose(factor.quadraticForms(b, 3), forms, tolerance, 'quadratic forms');
  });

  it('takes rows away again, and has no factor where it is not positive definite', async () => {
    const matrix = await SymmetricMatrix.zeros(5);
    const rows = numbers(35, 1);
    matrix.add(rows);
    matrix.add(rows, -1);
    for (let i = 0; i < 5; i++) expect(Math.max(...matrix.row(i).slice(i).map(Math.abs))).toBeLessThan(1e-14);
    matrix.row(2)[2] = -1;
    expect(matrix.factorise()).toBeUndefined();
  });
});

/** Rows of features at scales from 0.01 to 100, and two targets that mostly depend on them. */
function problem(rows: number, columns: number) {
  const features = numbers(rows * columns, 3).map((value, i) => value * 10 ** ((i % columns) % 5) * 0.01 + (i % 3));
  const noise = numbers(rows * 2, 4, 0.1);
  const targets = Float32Array.from({ length: 2 * rows }, (_, i) => {
    const [row, output] = [i >> 1, i & 1];
    return features[row * columns + output]! * 100 ** -output + noise[i]! + 5;
  });
  return { rows, features, targets };
}

describe('ridge', () => {
  it.each([
    [40, 12],
    [20, 35],
  ])('of %d rows and %d columns has the leave-one-out error of leaving rows out', async (rows, columns) => {
    const { features, targets } = problem(rows, columns);
    const options = { penalties: [0.1] };
    const whole = await ridge({ rows, features, targets }, options);
    // Standardised by all rows, as the closed form has it; the penalty is the same number for each subset.
    const mean = (c: number, of = features, n = columns) =>
      of.filter((_, i) => i % n === c).reduce((a, b) => a + b) / rows;
    const deviations = Array.from({ length: columns }, (_, c) => {
      const m = mean(c);
      return Math.sqrt(features.filter((_, i) => i % columns === c).reduce((sum, v) => sum + (v - m) ** 2, 0) / rows);
    });
    const typical = Math.sqrt(deviations.reduce((sum, s) => sum + s ** 2, 0) / columns);
    const scaled = (r: number) =>
      deviations.map((s, c) => (features[r * columns + c]! - mean(c)) / (s + 0.01 * typical));
    const all = Array.from({ length: rows }, (_, r) => scaled(r));
    const trace = all.flat().reduce((sum, v) => sum + v ** 2, 0);
    const penalty = (0.1 * trace) / Math.min(rows, columns);
    let error = 0;
    for (let left = 0; left < rows; left++) {
      const kept = all.flatMap((row, r) => (r === left ? [] : [[...row, 1]]));
      const x = new Matrix(kept);
      const y = new Matrix(
        Array.from({ length: rows }, (_, r) => [targets[2 * r]!, targets[2 * r + 1]!]).filter((_, r) => r !== left),
      );
      const diagonal = Matrix.eye(columns + 1).mul(penalty);
      diagonal.set(columns, columns, 0);
      const solved = new CholeskyDecomposition(x.transpose().mmul(x).add(diagonal)).solve(x.transpose().mmul(y));
      const predicted = new Matrix([[...all[left]!, 1]]).mmul(solved);
      for (const o of [0, 1]) error += (targets[2 * left + o]! - predicted.get(0, o)) ** 2 / (2 * rows);
    }
    expect(Math.abs(whole.error / error - 1)).toBeLessThan(1e-6);
  });

  it('chooses the penalty with the least error of all', async () => {
    for (const [rows, columns] of [
      [40, 12],
      [20, 35],
    ] as const) {
      const given = problem(rows, columns);
      const chosen = await ridge(given);
      const penalties = Array.from({ length: 10 }, (_, i) => 10 ** (i - 6));
      const each = await Promise.all(penalties.map((penalty) => ridge(given, { penalties: [penalty] })));
      expect(chosen.error).toBe(Math.min(...each.map(({ error }) => error)));
    }
  });

  it('ignores a constant column, and takes a target of any offset', async () => {
    const rows = 30;
    const features = Float32Array.from({ length: 2 * rows }, (_, i) => (i & 1 ? 7 : i / 10));
    const targets = Float32Array.from({ length: rows }, (_, r) => 1000 + (3 * r) / 5);
    const { weights, bias } = await ridge({ rows, features, targets }, { penalties: [1e-9] });
    expect(weights[0]).toBeCloseTo(3, 4);
    expect(weights[1]).toBe(0);
    expect(bias[0]).toBeCloseTo(1000, 2);
  });

  it('refuses sizes that do not fit, by name', async () => {
    const one = { rows: 1, features: new Float32Array(3), targets: new Float32Array(1) };
    await expect(ridge(one)).rejects.toThrow('ridge: expected 2 rows or more');
    await expect(ridge({ ...one, rows: 2 })).rejects.toThrow('ridge: expected 2 rows or more');
    const nan = { rows: 2, features: Float32Array.of(Number.NaN, 1), targets: Float32Array.of(1, 2) };
    await expect(ridge(nan)).rejects.toThrow('not positive definite. Check the features for NaN');
  });

  it('makes targets of labels', () => {
    expect([...classTargets([1, 0], 3)]).toEqual([-1, 1, -1, 1, -1, -1]);
  });
});
