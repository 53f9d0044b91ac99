/** Figures of merit, by hand and against numpy and scipy (the sequences of `lcg` are made there in the same way). */
import { describe, expect, it } from 'vitest';
import { balancedAccuracy } from '../src/train/confusion.ts';
import {
  calibrationError,
  classFigures,
  labelFigures,
  macroAverage,
  regressionErrors,
  rocAuc,
} from '../src/train/metrics.ts';

/** Numbers from 0 to 1, of a linear congruential generator that numpy repeats exactly. */
function lcg(count: number, seed: number): number[] {
  let x = seed;
  return Array.from({ length: count }, () => {
    x = Number((BigInt(x) * 1664525n + 1013904223n) % 2n ** 32n);
    return x / 2 ** 32;
  });
}

describe('classes', () => {
  it('by hand: three classes, one of them never predicted, one without rows', () => {
    const matrix = [
      [8, 2, 0, 0],
      [1, 4, 0, 0],
      [3, 2, 0, 0],
      [0, 0, 0, 0],
    ];
    const [a, b, never, empty] = classFigures(matrix);
    expect(a).toEqual({ rows: 10, precision: 8 / 12, recall: 0.8, f1: 16 / (16 + 4 + 2) });
    expect(b).toEqual({ rows: 5, precision: 0.5, recall: 0.8, f1: 8 / (8 + 4 + 1) });
    expect(never).toEqual({ rows: 5, precision: Number.NaN, recall: 0, f1: 0 });
    expect(empty).toEqual({ rows: 0, precision: Number.NaN, recall: Number.NaN, f1: Number.NaN });
    const { precision, recall, f1 } = macroAverage(classFigures(matrix));
    expect(precision).toBeCloseTo((8 / 12 + 0.5) / 3, 14);
    expect(recall).toBeCloseTo(1.6 / 3, 14);
    expect(f1).toBeCloseTo((16 / 22 + 8 / 13) / 3, 14);
    expect(balancedAccuracy(matrix)).toBeCloseTo(1.6 / 3, 14);
  });

  it('as numpy has them, on 500 rows of four classes', () => {
    const [truth, kept, other] = [7, 8, 9].map((seed) => lcg(500, seed)) as [number[], number[], number[]];
    const matrix = Array.from({ length: 4 }, () => [0, 0, 0, 0]);
    for (const [i, t] of truth.entries()) {
      const label = Math.floor(4 * t);
      matrix[label]![kept[i]! < 0.6 ? label : Math.floor(3 * other[i]!)]! += 1;
    }
    expect(matrix).toEqual([
      [95, 19, 14, 0],
      [18, 107, 8, 0],
      [21, 5, 87, 0],
      [12, 25, 17, 72],
    ]);
    const figures = classFigures(matrix);
    const expected = [
      [0.6506849315068494, 0.7421875, 0.6934306569343065],
      [0.6858974358974359, 0.8045112781954887, 0.7404844290657439],
      [0.6904761904761905, 0.7699115044247787, 0.7280334728033474],
      [1, 0.5714285714285714, 0.7272727272727273],
    ];
    for (const [i, [precision, recall, f1]] of expected.entries()) {
      expect(figures[i]!.precision).toBeCloseTo(precision!, 14);
      expect(figures[i]!.recall).toBeCloseTo(recall!, 14);
      expect(figures[i]!.f1).toBeCloseTo(f1!, 14);
    }
    const macro = macroAverage(figures);
    expect(macro.precision).toBeCloseTo(0.7567646394701188, 14);
    expect(macro.recall).toBeCloseTo(0.7220097135122097, 14);
    expect(macro.f1).toBeCloseTo(0.7223053215190314, 14);
  });
});

describe('area under the ROC curve', () => {
  it('by hand, with equal scores', () => {
    expect(rocAuc([0.1, 0.4, 0.35, 0.8], (row) => row >= 2)).toBe(0.75);
    expect(rocAuc([1, 2, 2, 3], (row) => row === 1 || row === 3)).toBe(0.875);
    expect(rocAuc([5, 5, 5], (row) => row === 0)).toBe(0.5);
    expect(rocAuc([1, 2], (row) => row === 0)).toBe(0);
    expect(rocAuc([1, 2], () => true)).toBeNaN();
  });

  it("as scipy's mannwhitneyu has it, on 500 scores of which many are equal", () => {
    const scores = lcg(500, 1).map((value) => Math.round(value * 20) / 20);
    const positive = lcg(500, 2).map((value, i) => value + scores[i]! > 1.1);
    expect(rocAuc(scores, (row) => positive[row]!)).toBeCloseTo(0.8284444444444444, 14);
  });
});

describe('calibration error', () => {
  it('by hand', () => {
    expect(calibrationError([1, 1, 1, 1], (row) => row < 3)).toBe(0.25);
    expect(calibrationError([0.75, 0.75, 0.75, 0.75], (row) => row < 3)).toBe(0);
    expect(calibrationError([0.9, 0.9, 0.2, 0.2], (row) => row === 0 || row === 2)).toBeCloseTo((0.8 + 0.6) / 4, 14);
  });

  it('as numpy has it, on 500 rows', () => {
    const confidences = lcg(500, 3).map((value) => 0.3 + 0.7 * value);
    const hits = lcg(500, 4).map((value, i) => value < confidences[i]! * 0.9);
    expect(calibrationError(confidences, (row) => hits[row]!)).toBeCloseTo(0.07700772979846224, 14);
  });
});

describe('errors of numbers', () => {
  it('by hand', () => {
    const { mae, rmse, r2 } = regressionErrors([2.5, 0, 2, 8], [3, -0.5, 2, 7]);
    expect(mae).toBe(0.5);
    expect(rmse).toBeCloseTo(Math.sqrt(1.5 / 4), 14);
    expect(r2).toBeCloseTo(0.9486081370449679, 14);
    expect(regressionErrors([1, 2], [5, 5]).r2).toBeNaN();
  });

  it('as numpy has them, on 500 numbers', () => {
    const targets = lcg(500, 5).map((value) => 10 * value - 3);
    const outputs = lcg(500, 6).map((value, i) => targets[i]! + value - 0.4);
    const { mae, rmse, r2 } = regressionErrors(outputs, targets);
    expect(mae).toBeCloseTo(0.26606092599835246, 13);
    expect(rmse).toBeCloseTo(0.31103079095812686, 13);
    expect(r2).toBeCloseTo(0.9880651722637265, 13);
  });
});

describe('many labels a row', () => {
  it('by hand', () => {
    const targets = [1, 0, 1, 1, 0, 0, 0, 0];
    const logits = [2, -1, 3, -2, 1, -5, -1, -1];
    const { labels, micro, macro, accuracy, exactMatch } = labelFigures(logits, targets, 2);
    expect(labels[0]).toEqual({ rows: 2, precision: 2 / 3, recall: 1, f1: 0.8 });
    expect(labels[1]).toEqual({ rows: 1, precision: Number.NaN, recall: 0, f1: 0 });
    expect(micro).toEqual({ precision: 2 / 3, recall: 2 / 3, f1: 2 / 3 });
    expect(macro.f1).toBe(0.4);
    expect([accuracy, exactMatch]).toEqual([6 / 8, 2 / 4]);
    expect(labelFigures(logits, targets, 2, 0.9).labels[0]!.recall).toBe(0.5); // a logit of 2 is a probability of 0.88
  });

  it('as numpy has them, on 500 rows of three labels', () => {
    const shares = [0.5, 0.2, 0.05];
    const targets = lcg(1500, 10).map((value, i) => Number(value < shares[i % 3]!));
    const other = lcg(1500, 12);
    const logits = lcg(1500, 11).map((value, i) => ((value < 0.8 ? targets[i] : other[i]! < 0.3) ? 1 : -1));
    const figures = labelFigures(logits, targets, 3);
    const f1 = [0.8408163265306122, 0.7873303167420814, 0.4307692307692308];
    for (const [i, one] of figures.labels.entries()) expect(one.f1).toBeCloseTo(f1[i]!, 14);
    expect(figures.macro.f1).toBeCloseTo(0.6863052913473081, 14);
    expect(figures.micro.f1).toBeCloseTo(0.7912371134020618, 14);
    expect(figures.accuracy).toBeCloseTo(0.892, 14);
    expect(figures.exactMatch).toBeCloseTo(0.698, 14);
  });
});
