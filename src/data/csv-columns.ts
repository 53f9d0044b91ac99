/**
 * What the columns of a training table hold, and how they become inputs: numbers and dates standardised, texts one-hot.
 */
import { DataError } from '../core/errors.ts';
import { quoted } from '../core/quote.ts';
import type { ColumnSpec } from '../model/preparation.ts';
import { datesOf, titleOf } from './csv-dates.ts';
import { isNumericGap, readNumber, type WrittenNumber } from './csv-numbers.ts';
import { limits } from './limits.ts';
import { listed, sorted } from './names.ts';
import type { Cell, Table } from './table.ts';
import { dayOf, isMissing, numberOf } from './table-inputs.ts';

/** How numbers are written in a column. */
interface Numbers {
  readonly unit: string;
}

/** More distinct numbers than this are measurements, not names of categories. */
const MOST_NUMERIC_NAMES = 16;

/** Listed in an error. */
const MOST_LISTED = 3;

/** A column that has numbers and nothing else, NaN for gaps. Throws `DataError`. */
export function numbersIn(table: Table, column: number): number[] {
  return table.columns[column]!.map((cell, row) => {
    const value = numberOf(cell, table.decimal, '');
    if (value !== undefined) return value;
    throw new DataError(
      `${table.name}: expected numbers in ${titleOf(table, column)}, got ${quoted(cell)} in row ${row + 1}`,
    );
  });
}

/**
 * How the numbers of a column are written; undefined for a column of texts. A column that is numeric but for a few
 * cells is an error, as one typing mistake would turn each number into a category. Throws `DataError`.
 */
function numbersOf(table: Table, column: number): Numbers | undefined {
  const { decimal, rows } = table;
  const cells = table.columns[column]!;
  const read = new Map<string, WrittenNumber | 'gap' | undefined>(); // most texts come again
  const units = new Map<string, number>();
  const distinct = new Set<number>();
  let texts = 0;
  for (const cell of cells) {
    if (typeof cell === 'number' && Number.isNaN(cell)) continue;
    if (typeof cell === 'string' && decimal !== undefined && !read.has(cell) && read.size <= limits.classes) {
      read.set(cell, isNumericGap(cell) ? 'gap' : readNumber(cell, decimal));
    }
    const found =
      typeof cell === 'number'
        ? { value: cell, unit: '' }
        : decimal === undefined
          ? undefined
          : (read.get(cell) ?? (isNumericGap(cell) ? 'gap' : readNumber(cell, decimal)));
    if (found === 'gap') continue;
    if (!found) texts++;
    else {
      units.set(found.unit, (units.get(found.unit) ?? 0) + 1);
      if (distinct.size <= MOST_NUMERIC_NAMES) distinct.add(found.value);
    }
  }
  const [unit, numbers] = [...units].sort(([, a], [, b]) => b - a)[0] ?? ['', 0];
  const strays = texts + [...units.values()].reduce((a, b) => a + b, 0) - numbers;
  if (strays === 0) return { unit };
  if (numbers <= strays) return undefined;
  const few = strays <= Math.max(limits.strayCells, limits.strayShare * rows);
  if (few || distinct.size > MOST_NUMERIC_NAMES) throw strayError(table, column, { unit }, numbers, strays);
  return undefined;
}

/** The unit of a column of numbers, '' without one; undefined for a column of texts. Throws `DataError`, as above. */
export const unitOf = (table: Table, column: number): string | undefined => numbersOf(table, column)?.unit;

function strayError(table: Table, column: number, kind: Numbers, numbers: number, strays: number): DataError {
  const listed: string[] = [];
  for (const [row, cell] of table.columns[column]!.entries()) {
    if (listed.length === MOST_LISTED) break;
    if (numberOf(cell, table.decimal, kind.unit) === undefined)
      listed.push(`${quoted(String(cell))} in row ${row + 1}`);
  }
  const more = strays > listed.length ? ` and ${strays - listed.length} more` : '';
  const like = kind.unit ? `numbers with ${quoted(kind.unit)}` : 'numbers';
  return new DataError(
    `${table.name}: expected ${like} in ${titleOf(table, column)}, as in ${numbers} of its cells; got ${listed.join(', ')}${more}. ` +
      'Correct these cells, or empty them: an empty cell is a gap. If the first row names the columns, say --header yes.',
  );
}

/**
 * How a column becomes inputs, by the rows that train, or by all; undefined for one that has gaps alone. Throws
 * `DataError`.
 */
export function columnOf(train: Table, column: number, rows: readonly number[] | undefined): ColumnSpec | undefined {
  const all = train.columns[column]!;
  const cells = rows ? rows.map((row) => all[row]!) : all;
  const numbers = numbersOf(train, column);
  if (numbers) return numberColumn(train, column, numbers, cells);
  const dates = datesOf(train, column);
  if (!dates) return oneHot(train, column, cells);
  const spread = standardised(cells.map((cell) => dayOf(cell, dates)!));
  return spread && { name: nameOf(train, column), kind: 'date', order: dates.order, ...spread };
}

/** What a model calls a column: its name in the header, or its number from 1. */
export const nameOf = ({ header }: Pick<Table, 'header'>, column: number): string =>
  header?.[column] ?? String(column + 1);

function oneHot(train: Table, column: number, cells: readonly Cell[]): ColumnSpec | undefined {
  const found = new Set<string>();
  for (const cell of cells) if (!isMissing(cell, train.decimal)) found.add(String(cell));
  if (found.size > limits.categories) {
    throw new DataError(
      `${train.name}: expected columns of numbers, or of at most ${limits.categories} different texts; got ${found.size} in ` +
        `${titleOf(train, column)}, such as ${quoted([...found].find((text) => !readNumber(text, train.decimal ?? '.')))}. ` +
        `Leave it out by --drop ${nameOf(train, column)}, or correct what is no number in it.`,
    );
  }
  return found.size ? { name: nameOf(train, column), kind: 'category', categories: sorted(found) } : undefined;
}

/** Mean and deviation of the numbers that are there. */
function standardised(values: readonly number[]): { mean: number; deviation: number } | undefined {
  const there = values.filter((value) => !Number.isNaN(value));
  if (there.length === 0) return undefined;
  const mean = there.reduce((a, b) => a + b, 0) / there.length;
  return { mean, deviation: Math.sqrt(there.reduce((sum, value) => sum + (value - mean) ** 2, 0) / there.length) };
}

function numberColumn(train: Table, column: number, { unit }: Numbers, cells: readonly Cell[]): ColumnSpec | undefined {
  for (const [row, cell] of train.columns[column]!.entries()) {
    const value = numberOf(cell, train.decimal, unit)!;
    if (Math.abs(value) <= limits.magnitude || Number.isNaN(value)) continue; // all are checked before any are summed
    throw new DataError(
      `${train.name}: expected numbers of at most ${limits.magnitude}, got ${cell} in row ${row + 1}, column ${column + 1}`,
    );
  }
  const spread = standardised(cells.map((cell) => numberOf(cell, train.decimal, unit)!));
  return spread && { name: nameOf(train, column), kind: 'number', ...spread, ...(unit && { unit }) };
}

/** The column of that name, or else of that number from 1. Throws `DataError`. */
export function columnNumbered({ name, header, columns }: Table, column: string, option: string): number {
  const found = (header ?? []).indexOf(column);
  if (found >= 0) return found;
  const asNumber = /^[1-9]\d{0,6}$/.test(column) ? Number(column) : 0;
  if (asNumber >= 1 && asNumber <= columns.length) return asNumber - 1;
  throw new DataError(
    `${name}: expected ${option} to be one of its columns (${header ? listed(header) : 'no header: by number'}; 1 to ${columns.length}), ` +
      `got ${quoted(column)}`,
  );
}
