/** Ridge regression from moments: against explicit matrices, and its penalty against noise. */
import { inverse, Matrix } from 'ml-matrix';
import { expect, it } from 'vitest';
import { ClassMoments } from '../../src/solve/class-moments.ts';
import { ridgeByCrossValidation } from '../../src/solve/cross-validated.ts';
import { classTargets } from '../../src/solve/ridge.ts';
import { standardiser } from '../../src/solve/standard.ts';
import { expectClose } from '../compare.ts';
import { numbers } from '../kernels/harness.ts';

/** Rows of three classes; `noise` of the labels are wrong. */
async function problem(rows: number, columns: number, noise: number) {
  const features = numbers(rows * columns, 3);
  const chance = numbers(rows, 4);
  const labels = Array.from({ length: rows }, (_, row) => {
    const x = features.subarray(row * columns);
    const right = x[0]! > 0.3 ? 0 : x[1]! > x[2]! ? 1 : 2;
    return Math.abs(chance[row]!) < noise ? row % 3 : right;
  });
  const moments = await ClassMoments.zeros(columns);
  for (let k = 0; k < 3; k++) moments.addClass();
  moments.add(features, labels);
  return { features, labels, moments, squares: [rows, rows, rows] };
}

it.each([
  [60, 12],
  [20, 33],
])('of %d rows and %d columns has the weights and the error of explicit matrices', async (rows, columns) => {
  const { features, labels, moments, squares } = await problem(rows, columns, 0.3);
  const { mean, factor } = standardiser(features, columns);
  const x = new Matrix(rows, columns);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) x.set(r, c, (features[r * columns + c]! - mean[c]!) * factor[c]!);
  }
  const targets = classTargets(labels, 3);
  const y = new Matrix(Array.from({ length: rows }, (_, r) => [...targets.subarray(3 * r, 3 * r + 3)]));
  const means = y.mean('column');
  const errorOf = (penalty: number) => {
    const added = (penalty * x.transpose().mmul(x).trace()) / rows;
    const solver = inverse(x.transpose().mmul(x).add(Matrix.eye(columns).mul(added))).mmul(x.transpose());
    const weights = solver.mmul(y.clone().subRowVector(means));
    const left = 1 - (1 + x.mmul(solver).trace()) / rows;
    const residuals = y.clone().subRowVector(means).sub(x.mmul(weights));
    return { weights, error: residuals.norm('frobenius') ** 2 / (3 * rows) / left ** 2 };
  };
  const all = [0.1, 1, 10, 100, 1000].map((penalty) => ({ penalty, ...errorOf(penalty) }));
  const best = all.reduce((a, b) => (b.error < a.error ? b : a));
  const got = await ridgeByCrossValidation(await moments.moments(), squares);
  expect(got.penalty).toBe(best.penalty);
  expect(got.error).toBeCloseTo(best.error, 9);
  const outputs = Array.from({ length: 3 * rows }, (_, i) => {
    const row = features.subarray(Math.floor(i / 3) * columns);
    return got.bias[i % 3]! + mean.reduce((sum, _, c) => sum + row[c]! * got.weights[3 * c + (i % 3)]!, 0);
  });
  const want = x.mmul(best.weights).addRowVector(means).to1DArray();
  expectClose(outputs, want, { absolute: 1e-5, reason: 'weights in float32' }, 'outputs');
});

it('takes a larger penalty for noisy labels', async () => {
  const [clean, noisy] = [await problem(150, 40, 0), await problem(150, 40, 2)];
  const penalty = async ({ moments, squares }: typeof clean) =>
    (await ridgeByCrossValidation(await moments.moments(), squares)).penalty;
  expect(await penalty(clean)).toBeLessThan(await penalty(noisy));
});

it('of features that never vary has the means', async () => {
  const moments = await ClassMoments.zeros(2);
  for (let k = 0; k < 2; k++) moments.addClass();
  moments.add(Float32Array.of(1, 2, 1, 2, 1, 2, 1, 2), [0, 0, 0, 1]);
  const { weights, bias } = await ridgeByCrossValidation(await moments.moments(), [4, 4]);
  expect([...weights, ...bias]).toEqual([0, 0, 0, 0, 0.5, -0.5]);
});
