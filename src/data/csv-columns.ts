/** Columns of a table as inputs: numbers standardised, texts one-hot, both as the training part says. */
import { DataError } from '../core/errors.ts';
import { quoted } from '../core/quote.ts';
import { isGap, isNumericGap, readNumber, type WrittenNumber } from './csv-numbers.ts';
import { limits } from './limits.ts';
import { sorted } from './names.ts';
import type { Cell, Table } from './table.ts';

/** The column by number and name, for messages. */
export const titleOf = ({ header }: Table, column: number): string =>
  `column ${column + 1}${header ? ` (${quoted(header[column])})` : ''}`;

/** How numbers are written in a column. */
interface Numbers {
  readonly unit: string;
}

/** More distinct numbers than this are measurements, not names of categories. */
const MOST_NUMERIC_NAMES = 16;

/** Listed in an error. */
const MOST_LISTED = 3;

/** A number, NaN for a gap, or undefined for what is neither in a column of such numbers. */
export function numberOf(cell: Cell, { decimal }: Table, { unit }: Numbers): number | undefined {
  if (typeof cell === 'number') return unit === '' || Number.isNaN(cell) ? cell : undefined;
  if (decimal === undefined) return undefined;
  if (isNumericGap(cell)) return Number.NaN;
  const found = readNumber(cell, decimal);
  return found?.unit === unit ? found.value : undefined;
}

/** A column that has numbers and nothing else, NaN for gaps. Throws `DataError`. */
export function numbersIn(table: Table, column: number): number[] {
  return table.columns[column]!.map((cell, row) => {
    const value = numberOf(cell, table, { unit: '' });
    if (value !== undefined) return value;
    throw new DataError(
      `${table.name}: expected numbers in ${titleOf(table, column)}, got ${quoted(cell)} in row ${row + 1}`,
    );
  });
}

/** Whether a cell is missing in a column of texts or labels. */
export const isMissing = (cell: Cell, { decimal }: Table): boolean =>
  typeof cell === 'number' ? Number.isNaN(cell) : decimal !== undefined && isGap(cell);

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

function strayError(table: Table, column: number, kind: Numbers, numbers: number, strays: number): DataError {
  const listed: string[] = [];
  for (const [row, cell] of table.columns[column]!.entries()) {
    if (listed.length === MOST_LISTED) break;
    if (numberOf(cell, table, kind) === undefined) listed.push(`${quoted(String(cell))} in row ${row + 1}`);
  }
  const more = strays > listed.length ? ` and ${strays - listed.length} more` : '';
  const like = kind.unit ? `numbers with ${quoted(kind.unit)}` : 'numbers';
  return new DataError(
    `${table.name}: expected ${like} in ${titleOf(table, column)}, as in ${numbers} of its cells; got ${listed.join(', ')}${more}. ` +
      'Correct these cells, or empty them: an empty cell is a gap. If the first row names the columns, say --header yes.',
  );
}

/** From a column to inputs. */
export interface Encoder {
  readonly column: number;
  readonly width: number;
  /** 0: numbers. */
  readonly categories: number;
  /** A sign of a currency or '%' that each number has. */
  readonly unit: string;
  write(cell: Cell, out: Float32Array, at: number, table: Table, row: number): void;
  /** Whether a cell counts as missing. */
  missing(cell: Cell, table: Table): boolean;
}

/** Fitted on the rows that train, or on all. Throws `DataError`. */
export function encoderOf(train: Table, column: number, rows: readonly number[] | undefined): Encoder {
  const kind = numbersOf(train, column);
  const all = train.columns[column]!;
  const cells = rows ? rows.map((row) => all[row]!) : all;
  return kind ? standardised(train, column, kind, cells) : oneHot(train, column, cells);
}

function oneHot(train: Table, column: number, cells: readonly Cell[]): Encoder {
  const found = new Set<string>();
  for (const cell of cells) if (!isMissing(cell, train)) found.add(String(cell));
  if (found.size > limits.categories) {
    throw new DataError(
      `${train.name}: expected columns of numbers, or of at most ${limits.categories} different texts; got ${found.size} in ` +
        `${titleOf(train, column)}, such as ${quoted([...found].find((text) => !readNumber(text, train.decimal ?? '.')))}. ` +
        'Leave it out, or correct what is no number in it.',
    );
  }
  const order = sorted(found);
  const places = new Map(order.map((name, i) => [name, i]));
  return {
    column,
    width: order.length,
    categories: order.length,
    unit: '',
    missing: isMissing,
    write(cell, out, at) {
      const place = places.get(String(cell));
      if (place !== undefined) out[at + place] = 1; // a text that training never saw is none of them
    },
  };
}

function standardised(train: Table, column: number, kind: Numbers, cells: readonly Cell[]): Encoder {
  const readValue = (cell: Cell, table: Table, row: number): number => {
    const value = numberOf(cell, table, kind);
    if (value === undefined) {
      const unit = kind.unit ? ` with ${quoted(kind.unit)}` : '';
      throw new DataError(
        `${table.name}: expected a number${unit}, as ${train.name} has in column ${column + 1}; got ${quoted(String(cell))} in row ${row + 1}`,
      );
    }
    if (Math.abs(value) > limits.magnitude) {
      throw new DataError(
        `${table.name}: expected numbers of at most ${limits.magnitude}, got ${cell} in row ${row + 1}, column ${column + 1}`,
      );
    }
    return value;
  };
  for (const [row, cell] of train.columns[column]!.entries()) readValue(cell, train, row); // before any sum of them
  const there = cells.map((cell, row) => readValue(cell, train, row)).filter((value) => !Number.isNaN(value));
  const mean = there.reduce((a, b) => a + b, 0) / there.length;
  const spread = Math.sqrt(there.reduce((sum, value) => sum + (value - mean) ** 2, 0) / there.length);
  return {
    column,
    width: there.length ? 1 : 0,
    categories: 0,
    unit: kind.unit,
    missing: (cell, table) => Number.isNaN(numberOf(cell, table, kind)),
    write(cell, out, at, table, row) {
      const value = readValue(cell, table, row);
      if (!there.length) return;
      out[at] = Number.isNaN(value) || spread === 0 ? 0 : (value - mean) / spread;
      if (Number.isFinite(out[at])) return;
      throw new DataError(
        `${table.name}: expected numbers near those of ${train.name} in ${titleOf(train, column)} (${mean} \u00b1 ${spread}), ` +
          `got ${value} in row ${row + 1}. Correct it.`,
      );
    },
  };
}
