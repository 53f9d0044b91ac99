import { describe, expect, it } from 'vitest';
import { DataError } from '../src/core/errors.ts';
import { readFann } from '../src/data/fann.ts';
import { readDataFrame } from '../src/data/r-data.ts';
import { frame } from './make-r-data.ts';

describe('readDataFrame', () => {
  it.each([2, 3] as const)('reads numbers, factors and gaps, version %i', (version) => {
    expect(readDataFrame(frame(version), 'Things', 'file')).toEqual({
      name: 'file: Things',
      header: ['x', 'grade', 'ok'],
      columns: [
        [1.5, -2, Number.NaN],
        ['high', 'low', Number.NaN],
        [0, 1, 1],
      ],
      rows: 3,
    });
  });

  it('refuses other files, every truncation, and lengths that are not there', () => {
    const file = frame(2);
    expect(() => readDataFrame(file, 'Other', 'file')).toThrow(/file: expected a data frame called Other/);
    expect(() => readDataFrame(new TextEncoder().encode('RDA3\nA\n'), 'x', 'file')).toThrow(
      /expected a file of R's save in XDR/,
    );
    for (let i = 0; i < file.length; i++) {
      expect(() => readDataFrame(file.subarray(0, i), 'Things', 'file')).toThrow(DataError);
    }
    for (let i = 7; i < file.length; i++) {
      const damaged = file.slice();
      damaged[i] = 0x7f;
      try {
        readDataFrame(damaged, 'Things', 'file');
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
      }
    }
  });
});

describe('readFann', () => {
  it('reads one output or one a class', () => {
    const one = readFann('3 2 1\n0.5 1\n1\n2 3\n0\n4 5 1\n', 'one');
    expect(one).toEqual({
      name: 'one',
      header: undefined,
      rows: 3,
      columns: [
        [0.5, 2, 4],
        [1, 3, 5],
        [1, 0, 1],
      ],
    });
    expect(readFann('2 1 3\n7\n0 0 1\n8\n0 1 0', 'three').columns[1]).toEqual([2, 1]);
  });

  it('refuses other sizes than the first line says, and what is no number', () => {
    expect(() => readFann('2 1 1\n1 1\n2', 'short')).toThrow(
      /short: expected rows, inputs and outputs.*got '2 1 1' and 3 numbers/,
    );
    expect(() => readFann('1e9 1e9 1\n1', 'large')).toThrow(DataError);
    expect(() => readFann('', 'empty')).toThrow(/got nothing/);
    expect(() => readFann('1 1 1\n1 x', 'text')).toThrow(/finite numbers in row 1, got 'x'/);
    expect(() => readFann('1 1 1\nx 1', 'text')).toThrow(/finite numbers in row 1, got 'x'/);
  });
});
