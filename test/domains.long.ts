/** The data of `weightless experiment domains`, fetched where they are not in the cache: `npm run test:long`. */
import { describe, expect, it } from 'vitest';
import { classNamesOf, rowSize } from '../src/data/dataset.ts';
import { domains } from '../src/data/domains.ts';

describe('domains', () => {
  it.each([
    ['letters', 16_000, 4000, 16, 26],
    ['satellite', 4435, 2000, 36, 6],
    ['mushroom', 4062, 4062, 125, 2],
    ['gene', 1588, 1587, 120, 3],
    ['thyroid', 3600, 3600, 21, 3],
    ['sensors', 8706, 9952, 14, 2],
  ] as const)('%s has its rows, inputs and classes', (name, trainRows, testRows, inputs, classes) => {
    const { train, test } = domains[name].load(() => {});
    expect([train.rows, test.rows, rowSize(train), train.classes]).toEqual([trainRows, testRows, inputs, classes]);
    expect(classNamesOf(train)).toHaveLength(classes);
    for (let column = 0; column < inputs; column++) {
      const values = Array.from({ length: trainRows }, (_, row) => train.features[row * inputs + column]!);
      const mean = values.reduce((a, b) => a + b, 0) / trainRows;
      const spread = Math.sqrt(values.reduce((a, b) => a + b * b, 0) / trainRows);
      expect(Math.abs(mean)).toBeLessThan(1e-4);
      expect(spread < 1e-6 || Math.abs(spread - 1) < 1e-3).toBe(true); // constant, or standardised
    }
  });
});
