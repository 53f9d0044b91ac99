/** Linear discriminant analysis of the scores of a ridge regression. */
import { expect, it } from 'vitest';
import { logOdds } from '../../src/solve/log-odds.ts';

const layer = (classes: number) => ({
  weights: Float32Array.from({ length: classes * classes }, (_, i) => Number(i % (classes + 1) === 0)),
  bias: new Float32Array(classes),
});

it('finds a class that least squares masks', () => {
  // Classes 0, 1 and 2 along a line: the scores of the middle one never win.
  const rows = Array.from({ length: 60 }, (_, i) => i);
  const labels = rows.map((row) => row % 3);
  const predictions = Float64Array.from({ length: 180 }, (_, at) => {
    const [row, k] = [Math.floor(at / 3), at % 3];
    const x = (row % 3) - 1 + 0.2 * Math.sin(row);
    return [-x, -0.1 + 0.02 * Math.cos(3 * row), x][k]! - 0.3;
  });
  const { weights, bias } = logOdds(layer(3), labels, { rows, predictions });
  for (const row of rows) {
    const scores = [0, 1, 2].map((k) =>
      [0, 1, 2].reduce((sum, i) => sum + predictions[3 * row + i]! * weights[3 * i + k]!, bias[k]!),
    );
    expect(scores.indexOf(Math.max(...scores))).toBe(labels[row]);
  }
});

it('leaves a layer alone where the covariance of few rows is noise', () => {
  const classes = 8;
  const rows = Array.from({ length: 3 * classes }, (_, i) => i);
  const labels = rows.map((row) => row % classes);
  // The own class wins by little, and everything else is noise.
  const predictions = Float64Array.from({ length: rows.length * classes }, (_, at) =>
    at % classes === Math.floor(at / classes) % classes ? 1 : 0.99 * Math.sin(at * at),
  );
  const own = layer(classes);
  expect(logOdds(own, labels, { rows, predictions })).toBe(own);
});
