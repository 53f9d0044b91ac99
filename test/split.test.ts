/** Splits by content: a row stays in its part, whatever is added. */
import { describe, expect, it } from 'vitest';
import { tablesToData } from '../src/data/csv.ts';
import { readTable } from '../src/data/csv-table.ts';
import { dataSet } from '../src/data/dataset.ts';
import { splitByContent } from '../src/data/split.ts';
import { drawRows, splitRows } from '../src/data/stratify.ts';

const hashes = (count: number, from = 0) =>
  Uint32Array.from({ length: count }, (_, i) => Math.imul(i + from, 0x9e3779b1));
const labels = Array.from({ length: 3000 }, (_, i) => Number(i % 30 === 0));

describe('splitRows', () => {
  it('keeps about a fifth of each class, the same at each call, another by another seed', () => {
    const { train, test } = splitRows(labels, hashes(3000), 0, 'mine');
    // Five deviations of a binomial distribution: sqrt(3000 * 0.2 * 0.8) = 22 and sqrt(100 * 0.2 * 0.8) = 4.
    expect(Math.abs(test.length - 600)).toBeLessThan(110);
    expect(Math.abs(test.filter((row) => labels[row] === 1).length - 20)).toBeLessThan(20);
    expect([...train, ...test].sort((a, b) => a - b)).toEqual([...labels.keys()]);
    expect(splitRows(labels, hashes(3000), 0, 'mine').test).toEqual(test);
    expect(splitRows(labels, hashes(3000), 1, 'mine').test).not.toEqual(test);
  });

  it('leaves each class its part', () => {
    for (let seed = 0; seed < 50; seed++) {
      const few = drawRows(hashes(12), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], { share: 0.2, seed, draw: 'test' });
      expect(few[11]).toBe(false); // a class of one row
      expect(few.includes(true)).toBe(true);
      const most = drawRows(hashes(8), [0, 0, 0, 0, 1, 1, 1, 1], { share: 0.9, seed, draw: 'test' });
      expect([most.slice(0, 4), most.slice(4)].every((part) => part.includes(false) && part.includes(true))).toBe(true);
      expect(drawRows(hashes(2), [0, 0], { share: 0.2, seed, draw: 'test' }).sort()).toEqual([false, true]);
    }
    expect(() => splitRows([0, 1, 2], hashes(3), 0, 'mine')).toThrow(/mine: expected two rows or more of some class/);
  });
});

describe('rows of a table', () => {
  const header = 'size,colour,id,kind';
  const rows = Array.from(
    { length: 400 },
    (_, i) => `${(i * 7) % 90}.50,${i % 3 ? 'red' : 'blue'},${i},${i % 5 ? 'a' : 'b'}`,
  );
  const load = (lines: readonly string[]) =>
    tablesToData(
      readTable(new TextEncoder().encode([header, ...lines].join('\n')), 'mine.csv', 'auto'),
      undefined,
      'kind',
      0,
    );
  const keysOf = (lines: readonly string[]) => {
    const { train, test } = load(lines);
    const { train: fitted, validation } = splitByContent(train, { share: 0.1 });
    return { train: [...fitted.keys!], validation: [...validation.keys!], test: [...test.keys!] };
  };
  const before = keysOf(rows);

  it('stay in their part when rows are added, whatever becomes of means, deviations and categories', () => {
    // More than 1024 texts in a column change how its cells are stored.
    const added = Array.from({ length: 1200 }, (_, i) => `1${i}00.50,${i % 2 ? 'green' : 'red'},${1000 + i},a`);
    const after = keysOf([...added.slice(0, 600), ...rows, ...added.slice(600)]);
    for (const part of ['train', 'validation', 'test'] as const) {
      const kept = new Set(after[part]);
      expect(before[part].filter((key) => !kept.has(key))).toEqual([]);
      expect(before[part].length).toBeGreaterThan(20);
    }
  });

  it('are in one part each, equal rows in the same', () => {
    const all = [...before.train, ...before.validation, ...before.test];
    expect(new Set(all).size).toBe(400);
    const twice = keysOf([...rows, ...rows]);
    expect(new Set(twice.test)).toEqual(new Set(before.test));
    expect(twice.test).toHaveLength(2 * before.test.length);
  });
});

it('a data set without keys is split by its numbers, targets among them', () => {
  const features = Float32Array.from({ length: 200 }, (_, i) => i % 10);
  const targets = Float32Array.from({ length: 200 }, (_, i) => i);
  const data = dataSet({ features, shape: [1], targets });
  const { train, validation } = splitByContent(data, { share: 0.25, seed: 3 });
  expect(train.rows + validation.rows).toBe(200);
  expect(Math.abs(validation.rows - 50)).toBeLessThan(31); // five deviations: sqrt(200 * 0.25 * 0.75) = 6
  expect([...train.targets!, ...validation.targets!].sort((a, b) => a - b)).toEqual([...targets]);
  expect(() => splitByContent(data, { share: 1 })).toThrow(/expected a share between 0 and 1, got 1/);
});
