/** Cells of a table as inputs of a model, as its columns say: the same for training and for prediction, here and in a page. */
import { daysOf, readDate } from '../core/dates.ts';
import { DataError } from '../core/errors.ts';
import { quoted } from '../core/quote.ts';
import {
  type CategoryColumn,
  type ColumnSpec,
  columnWidth,
  type DateColumn,
  type NumberColumn,
  type TableInputs,
} from '../model/preparation.ts';
import { type Decimal, isGap, isNumericGap, readNumber } from './csv-numbers.ts';
import { limits } from './limits.ts';
import type { Cell } from './table.ts';

/** A cell of a file, or a date of a program. */
export type RawCell = Cell | Date;

/** Whether a cell is missing in a column of texts or labels. Without a decimal mark, texts are never gaps. */
export const isMissing = (cell: RawCell, decimal: Decimal | undefined): boolean =>
  typeof cell === 'number' ? Number.isNaN(cell) : typeof cell === 'string' && decimal !== undefined && isGap(cell);

/** A number, NaN for a gap, or undefined for what is neither in a column of numbers with this unit. */
export function numberOf(cell: RawCell, decimal: Decimal | undefined, unit: string): number | undefined {
  if (typeof cell === 'number') return unit === '' || Number.isNaN(cell) ? cell : undefined;
  if (decimal === undefined || typeof cell !== 'string') return undefined;
  if (isNumericGap(cell)) return Number.NaN;
  const found = readNumber(cell, decimal);
  return found?.unit === unit ? found.value : undefined;
}

/** Days since 1970, NaN for a gap, or undefined for what is neither. A year of four digits may come first in any column. */
export function dayOf(cell: RawCell, { order }: Pick<DateColumn, 'order'>): number | undefined {
  if (cell instanceof Date) return daysOf(cell);
  if (typeof cell === 'number') return Number.isNaN(cell) ? cell : undefined;
  return isNumericGap(cell) ? Number.NaN : (readDate(cell, order) ?? readDate(cell, 'ymd'));
}

interface Writer {
  /** Writes the inputs of a cell over zeros. Returns what was expected, if the cell is something else. */
  write(cell: RawCell, decimal: Decimal | undefined, out: Float32Array, at: number): string | undefined;
  isGap(cell: RawCell, decimal: Decimal | undefined): boolean;
}

function standardising(
  { mean, deviation }: NumberColumn | DateColumn,
  expected: string,
  read: (cell: RawCell, decimal: Decimal | undefined) => number | undefined,
): Writer {
  return {
    isGap: (cell, decimal) => Number.isNaN(read(cell, decimal)),
    write(cell, decimal, out, at) {
      const value = read(cell, decimal);
      if (value === undefined) return expected;
      if (Math.abs(value) > limits.magnitude) return `${expected} of at most ${limits.magnitude}`;
      if (Number.isNaN(value) || deviation === 0) return undefined;
      out[at] = (value - mean) / deviation;
      return Number.isFinite(out[at])
        ? undefined
        : `${expected} near those of the training data (${mean} \u00b1 ${deviation})`;
    },
  };
}

const writers: { readonly [K in ColumnSpec['kind']]: (column: Extract<ColumnSpec, { kind: K }>) => Writer } = {
  number(column) {
    const { unit = '' } = column;
    const expected = unit ? `a number with ${quoted(unit)}` : 'a number';
    return standardising(column, expected, (cell, decimal) => numberOf(cell, decimal, unit));
  },
  date: (column) => standardising(column, 'a date', (cell) => dayOf(cell, column)),
  category({ categories }: CategoryColumn) {
    const places = new Map(categories.map((name, i) => [name, i]));
    return {
      isGap: isMissing,
      write(cell, _, out, at) {
        const place = cell instanceof Date ? undefined : places.get(String(cell));
        if (place !== undefined) out[at + place] = 1;
        return cell instanceof Date ? 'a text' : undefined;
      },
    };
  },
};

const writerOf = (column: ColumnSpec): Writer => (writers[column.kind] as (column: ColumnSpec) => Writer)(column);

/** A column as messages name it. */
export const columnTitle = ({ header }: Pick<TableInputs, 'header'>, name: string): string =>
  `column ${header ? quoted(name) : name}`;

/** Cells of a table in the order of the columns of a model. */
export interface PreparedTable {
  /** Stands in errors. */
  readonly name: string;
  /** By column, then by row. */
  readonly columns: readonly (readonly RawCell[])[];
  readonly rows: number;
  readonly decimal: Decimal | undefined;
}

/** Inputs of these rows, or of all: (rows, inputs) row-major. Throws `DataError` that names the first cell that does not fit. */
export function encodeTable(
  inputs: TableInputs,
  table: PreparedTable,
  rows?: readonly number[],
): Float32Array<ArrayBuffer> {
  const count = rows?.length ?? table.rows;
  const width = inputs.columns.reduce((sum, column) => sum + columnWidth(column), 0);
  if (count * width > limits.inputs) {
    throw new DataError(
      `${table.name}: expected at most ${limits.inputs} numbers, got ${count} rows of ${width} each. Leave columns or rows out.`,
    );
  }
  const features = new Float32Array(count * width);
  let start = 0;
  for (const [place, column] of inputs.columns.entries()) {
    const cells = table.columns[place]!;
    const writer = writerOf(column);
    for (let i = 0; i < count; i++) {
      const row = rows ? rows[i]! : i;
      const cell = cells[row]!;
      const expected = writer.write(cell, table.decimal, features, i * width + start);
      if (expected === undefined) continue;
      throw new DataError(
        `${table.name}: expected ${expected} in ${columnTitle(inputs, column.name)}, got ${quoted(String(cell))} in row ${row + 1}. Correct it.`,
      );
    }
    start += columnWidth(column);
  }
  return features;
}

/** How many cells were taken as missing, by what stands in them. */
export function countGaps(inputs: TableInputs, tables: readonly PreparedTable[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const writers = inputs.columns.map(writerOf);
  for (const { columns, decimal } of tables) {
    for (const [place, writer] of writers.entries()) {
      for (const cell of columns[place]!) {
        if (!writer.isGap(cell, decimal)) continue;
        const text = typeof cell !== 'string' || cell === '' ? 'empty' : quoted(cell);
        counts.set(text, (counts.get(text) ?? 0) + 1);
      }
    }
  }
  return counts;
}
