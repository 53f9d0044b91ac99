/** A CSV file as columns of cells, with label strings exactly as they are written. */
import { CsvError, parse } from 'csv-parse/sync';
import { DataError } from '../core/errors.ts';
import { quoted } from '../core/quote.ts';
import { type Dialect, dialectOf } from './csv-dialect.ts';
import { isFirstRowHeader, matchHeader } from './csv-header.ts';
import { type Decimal, exactCell, isGap, readNumber } from './csv-numbers.ts';
import { limits } from './limits.ts';
import type { Cell, RawTable, Table } from './table.ts';
import { readText, type TextEncoding } from './text-encoding.ts';

/** Whether the first row names the columns: 'auto' decides by what stands in it. */
export type Header = 'auto' | boolean;

/** Throws `DataError`. */
export function readTable(file: Uint8Array, name: string, header: Header): Table {
  const raw = readRaw(file, name);
  const isHeader = header === 'auto' ? isFirstRowHeader(raw) : header;
  if (isHeader) checkNames(raw);
  return isHeader ? belowHeader(raw) : withFirstRow(raw);
}

/**
 * A file with the columns of `train`, in its order: matched by name if the file has a header, else by position.
 * `optional`: a column that it may lack, which is then empty. Throws `DataError` for missing and unknown columns.
 */
export function readTableLike(file: Uint8Array, name: string, train: Table, optional?: number): Table {
  const raw = readRaw(file, name, train);
  const order = matchHeader(raw, train, optional);
  if (order) {
    const named = belowHeader(raw);
    return { ...named, header: train.header, columns: order.map((at) => (at === undefined ? [] : named.columns[at]!)) };
  }
  const table = withFirstRow(raw);
  const [all, got] = [train.columns.length, table.columns.length];
  if (got === all) return table;
  if (optional !== undefined && got === all - 1) {
    return { ...table, columns: [...table.columns.slice(0, optional), [], ...table.columns.slice(optional)] };
  }
  const bare = optional === undefined ? '' : `, or ${all - 1} without its label`;
  throw new DataError(
    `${name}: expected the ${all} columns of ${train.name}${bare}; got ${got}. Add or remove columns.`,
  );
}

export function belowHeader({ first, ...raw }: RawTable): Table {
  if (raw.rows === 0) throw new DataError(`${raw.name}: expected rows below its header, got none`);
  return { ...raw, header: first };
}

export const withFirstRow = ({ first, ...raw }: RawTable): Table => ({
  ...raw,
  header: undefined,
  rows: raw.rows + 1,
  columns: raw.columns.map((column, i) => [exactCell(first[i]!, raw.decimal), ...column]),
});

function checkNames({ name, first }: RawTable): void {
  const twice = first.find((title, i) => first.indexOf(title) !== i);
  if (twice === undefined) return;
  throw new DataError(
    `${name}: expected a name of its own for each column, got ${quoted(twice)} twice. Rename one, as columns are matched by name.`,
  );
}

/** The cells of a column. A text that comes again is stored once. */
class Column {
  readonly cells: Cell[] = [];
  readonly #decimal: Decimal;
  readonly #texts = new Map<string, string>();

  constructor(decimal: Decimal) {
    this.#decimal = decimal;
  }

  add(cell: string): void {
    const exact = exactCell(cell, this.#decimal);
    if (typeof exact === 'number') {
      this.cells.push(exact);
    } else if (this.#texts.size <= limits.classes) {
      const known = this.#texts.get(cell) ?? cell;
      this.#texts.set(known, known);
      this.cells.push(known);
      if (this.#texts.size > limits.classes) for (const [row, old] of this.cells.entries()) this.#shrink(old, row);
    } else {
      this.cells.push(cell);
      this.#shrink(cell, this.cells.length - 1);
    }
  }

  /**
   * More texts than a label or a category may have: numbers among them are stored as numbers, which takes
   * less memory.
   */
  #shrink(cell: Cell, row: number): void {
    if (typeof cell !== 'string' || isGap(cell)) return;
    const number = readNumber(cell, this.#decimal);
    if (number && !number.unit) this.cells[row] = number.value;
  }
}

/** A file before it is known whether its first row is a header. Throws `DataError`. */
export function readRaw(file: Uint8Array, name: string, usual?: Partial<Dialect>): RawTable {
  if (file.length > limits.csvBytes) {
    throw new DataError(`${name}: expected at most ${limits.csvBytes} bytes, got ${file.length}. Leave rows out.`);
  }
  const { utf8, encoding } = readText(file, name);
  const dialect = dialectOf(utf8, usual);
  let first: string[] | undefined;
  let columns: Column[] = [];
  const addRow = (cells: string[]): undefined => {
    const long = cells.findIndex(({ length }) => length > limits.cellLength);
    if (long >= 0) {
      throw new DataError(
        `${name}: expected cells of at most ${limits.cellLength} characters, got ${cells[long]!.length} in column ${long + 1}: ` +
          `${quoted(cells[long])}. Close the quote that is open there, or leave the column out.`,
      );
    }
    if (first) {
      for (let i = 0; i < cells.length; i++) columns[i]!.add(cells[i]!);
      return;
    }
    if (cells.length > limits.columns) {
      throw new DataError(`${name}: expected at most ${limits.columns} columns, got ${cells.length}. Leave some out.`);
    }
    first = cells;
    columns = cells.map(() => new Column(dialect.decimal));
  };
  try {
    // Rows are taken apart one by one: all of them as texts would take many times the memory of the file.
    parse(utf8, {
      delimiter: dialect.delimiter,
      skip_empty_lines: true,
      trim: true,
      max_record_size: limits.rowLength,
      on_record: addRow,
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new DataError(
      `${name}: expected CSV, rows of as many cells as the first: ${error.message}. Correct that line.`,
    );
  }
  if (!first) throw new DataError(`${name}: expected rows, got an empty file`);
  const cells = columns.map((column) => column.cells);
  const note = noteOf(dialect, encoding);
  return { name, first, columns: cells, rows: cells[0]!.length, ...dialect, note };
}

const delimiterNames = { ',': 'commas', ';': 'semicolons', '\t': 'tabs', '|': 'vertical bars' } as const;

const noteOf = ({ delimiter, decimal }: Dialect, encoding: TextEncoding): string =>
  `${encoding}, cells separated by ${delimiterNames[delimiter]}, decimal ${decimal === '.' ? 'points' : 'commas'}`;
