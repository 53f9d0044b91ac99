/** Columns of CSV files: dates, identifiers, what is left out, and what is said of each. */
import { describe, expect, it } from 'vitest';
import { DataError } from '../src/core/errors.ts';
import { type ColumnChoice, tablesToData } from '../src/data/csv.ts';
import { datesOf } from '../src/data/csv-dates.ts';
import { readTable, readTableLike } from '../src/data/csv-table.ts';

const encode = (text: string) => new TextEncoder().encode(text);
const tableOf = (text: string) => readTable(encode(text), 'train.csv', true);
const load = (text: string, choice: ColumnChoice = {}) => tablesToData(tableOf(text), undefined, 'kind', 0, choice);

/** Rows of cells that `write` writes, each with a class. */
const rowsOf = (count: number, write: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => `${write(i)},${i % 2 ? 'odd' : 'even'}\n`).join('');

const day = (i: number) => new Date(Date.UTC(2024, 0, 1 + i)).toISOString().slice(0, 10);

describe('dates', () => {
  const orderOf = (...cells: string[]) =>
    datesOf(tableOf(`date,kind\n${cells.map((cell) => `${cell},x\n`).join('')}`), 0);

  it.each<[string[], ReturnType<typeof orderOf>]>([
    [['2024-01-31', '2024/2/1', ''], { order: 'ymd', ambiguous: false }],
    [['2024-01-31 12:30', '2024-01-31T12:30:05.25Z', 'NA'], { order: 'ymd', ambiguous: false }],
    [['31/01/2024', '01/02/2024'], { order: 'dmy', ambiguous: false }],
    [['1/2/2024', '1/31/2024'], { order: 'mdy', ambiguous: false }],
    [['1/2/2024', '3/4/2024'], { order: 'dmy', ambiguous: true }],
    [['1.2.2024', '3.4.2024'], { order: 'dmy', ambiguous: false }],
    [['1/31/2024', '2024-02-01'], { order: 'mdy', ambiguous: false }],
    [['red', 'blue'], undefined],
    [['1', '2'], undefined],
    [['2024-13-01', '2024-02-30'], undefined],
  ])('%j', (cells, dates) => {
    expect(orderOf(...cells)).toEqual(dates);
  });

  it('become days, standardised by the training rows, with gaps as the mean', () => {
    const { train, test, notes } = load(`date,kind\n${rowsOf(40, (i) => (i === 7 ? '' : day(i)))}`);
    const { inputs } = train.preparation!;
    if (inputs.kind !== 'table') throw new Error('no table');
    const [column] = inputs.columns;
    if (column?.kind !== 'date') throw new Error('no date');
    expect(column).toMatchObject({ name: 'date', order: 'ymd' });
    expect(column.mean).toBeGreaterThan(19723); // days from 1970-01-01 to 2024-01-01
    expect(column.mean).toBeLessThan(19763);
    const values = [...train.features, ...test.features].map((value) => value * column.deviation + column.mean);
    const wanted = Array.from({ length: 40 }, (_, i) => (i === 7 ? column.mean : 19723 + i));
    for (const [i, value] of values.sort((a, b) => a - b).entries()) {
      expect(value).toBeCloseTo(wanted.sort((a, b) => a - b)[i]!, 3);
    }
    expect(notes.join('\n')).toMatch(/0 columns of numbers and 1 of dates, standardised, and 0 of texts.*: 1 inputs/);
    expect(notes.join('\n')).not.toMatch(/warning/);
  });

  it('are written alike in all files, and ambiguous ones are said', () => {
    const train = tableOf(`date,kind\n${rowsOf(24, (i) => `${1 + (i % 12)}/${1 + (i % 11)}/2024`)}`);
    const test = readTableLike(encode('kind,date\nodd,2024-01-05\neven,31/12/2024\n'), 'test.csv', train);
    const { notes, test: rows } = tablesToData(train, test, 'kind', 0);
    expect(rows.rows).toBe(2);
    expect(notes.join('\n')).toMatch(/warning: column 'date': read with the day first, but the month may come first/);
    const wrong = readTableLike(encode('kind,date\nodd,12/31/2024\n'), 'test.csv', train);
    expect(() => tablesToData(train, wrong, 'kind', 0)).toThrow(
      /test\.csv: expected a date in column 'date', got '12\/31/,
    );
  });

  it('that contradict each other, or are none in a few cells, are named', () => {
    const both = `date,kind\n${rowsOf(10, (i) => (i === 4 ? '12/31/2024' : `31/1/20${10 + i}`))}`;
    expect(() => load(both)).toThrow(DataError);
    expect(() => load(both)).toThrow(
      /day first in all dates of column 1 \('date'\).*got '31\/1\/2010' in row 1 and '12\/31/,
    );
    const stray = `date,kind\n${rowsOf(30, (i) => (i === 9 ? 'soon' : day(i)))}`;
    expect(() => load(stray)).toThrow(
      /expected dates in column 1 \('date'\), as in 29 of its cells; got 'soon' in row 10/,
    );
  });
});

describe('columns', () => {
  const table = `id,code,size,born,colour,empty,kind\n${rowsOf(
    40,
    (i) => `${101 + ((i * 7) % 40)},c-${i},${i % 5 ? i * i : '-'},${day(3 * i)},${i % 3 ? 'red' : 'blue'},`,
  )}`;

  it('are said in one table, with their gaps, and identifiers are advised against', () => {
    const { columns, notes } = load(table);
    expect(columns!.map(({ column, kind, gaps }) => [column, kind, gaps])).toEqual([
      ['id', 'number', 0],
      ['code', 'text, one-hot', 0],
      ['size', 'number', 8],
      ['born', 'date, as days', 0],
      ['colour', 'text, one-hot', 0],
      ['empty', 'only gaps', 0],
      ['kind', 'label', 0],
    ]);
    expect(columns!.flatMap(({ column, id }) => (id ? [column] : []))).toEqual(['id', 'code']);
    expect(columns![4]!.from).toBe('2 different: blue, red');
    expect(columns![3]!.from).toMatch(/^year first; 2024-\d\d-\d\d \u00b1 \d+\.?\d* days$/);
    expect(notes.join('\n')).toMatch(
      /warning: 'id' \(consecutive integers.*'code' \(a different text in each row\).*leave it out by --drop 'id,code'/,
    );
  });

  it('are left out by name or number, and named where unknown', () => {
    const without = load(table, { drop: ['id', '2'] });
    expect(without.train.preparation!.inputs).toMatchObject({
      columns: [{ name: 'size' }, { name: 'born' }, { name: 'colour' }],
      ignored: ['id', 'code', 'empty'],
    });
    expect(without.notes.join('\n')).not.toMatch(/warning/);
    expect(without.columns![0]).toEqual({ column: 'id', kind: 'dropped', from: '', gaps: 0 });
    const only = load(table, { columns: ['colour', '3'], drop: ['size'] });
    expect(only.train.shape).toEqual([2]);
    expect(() => load(table, { drop: ['nose'] })).toThrow(/expected --drop to be one of its columns.*got 'nose'/);
    expect(() => load(table, { columns: ['9'] })).toThrow(/expected --columns to be one of its columns.*got '9'/);
    expect(() => load(table, { drop: ['kind'] })).toThrow(/expected --drop to leave the label's column 'kind' in/);
    expect(() => load(table, { columns: ['empty'] })).toThrow(/expected columns beside the label/);
  });

  it('that measure are no identifiers', () => {
    const { columns } = load(`year,weight,kind\n${rowsOf(40, (i) => `${2000 + (i % 20)},${i / 4}`)}`);
    expect(columns!.some(({ id }) => id !== undefined)).toBe(false);
  });
});
