/** A CSV file as columns of numbers, texts and gaps. */
import { CsvError, parse } from 'csv-parse/sync';
import { DataError } from '../core/errors.ts';

/** Files of more bytes are refused. */
export const MOST_CSV_BYTES = 2 ** 28;

/** So are rows of more columns. */
const MOST_COLUMNS = 2 ** 16;

/** Numbers beyond this are refused: their squares have to be finite. */
const LARGEST_NUMBER = 1e100;

/** A number, a text, or NaN where the file has a gap. */
export type Cell = number | string;

export interface Table {
  /** Stands in errors. */
  readonly name: string;
  readonly header: readonly string[] | undefined;
  /** By column, then by row. */
  readonly columns: readonly (readonly Cell[])[];
  readonly rows: number;
}

/** Whether the first row names the columns: 'auto' looks. Or the header of another file, which this one may repeat. */
export type Header = 'auto' | boolean | readonly string[] | undefined;

const gaps = new Set(['', '?', 'na', 'nan', 'n/a', 'null']);
const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** `header` undefined: there is none. Cells are separated by commas, semicolons or tabs, whichever the first line has most of. Throws `DataError`. */
export function readTable(file: Uint8Array, name: string, header: Header): Table {
  if (file.length > MOST_CSV_BYTES) {
    throw new DataError(`${name}: expected at most ${MOST_CSV_BYTES} bytes, got ${file.length}. Leave rows out.`);
  }
  let first: string[] | undefined;
  let columns: Cell[][] = [];
  const known: Map<string, string>[] = [];
  const addRow = (cells: string[]): undefined => {
    if (!first) {
      if (cells.length > MOST_COLUMNS) {
        throw new DataError(`${name}: expected at most ${MOST_COLUMNS} columns, got ${cells.length}`);
      }
      first = cells;
      columns = cells.map(() => []);
      for (let i = 0; i < cells.length; i++) known.push(new Map());
      return;
    }
    const row = columns[0]!.length;
    for (let i = 0; i < cells.length; i++) columns[i]!.push(readCell(cells[i]!, known[i]!, name, row, i));
  };
  try {
    // A row is taken apart as soon as it is there: all rows as texts would take many times the memory of the file.
    parse(file, { bom: true, delimiter: delimiterOf(file), skip_empty_lines: true, trim: true, on_record: addRow });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new DataError(
      `${name}: expected CSV, rows of as many cells as the first: ${error.message}. Correct that line.`,
    );
  }
  if (!first) throw new DataError(`${name}: expected rows, got an empty file`);
  const names = first;
  const isHeader =
    header === 'auto'
      ? looksLikeHeader(names, columns)
      : typeof header === 'object'
        ? names.length === header.length && names.every((cell, i) => cell === header[i])
        : header === true;
  if (!isHeader) {
    for (let i = 0; i < names.length; i++) columns[i]!.unshift(readCell(names[i]!, known[i]!, name, 0, i));
  }
  const rows = columns[0]!.length;
  if (rows === 0) throw new DataError(`${name}: expected rows below its header, got none`);
  return { name, header: isHeader ? names : undefined, columns, rows };
}

function readCell(cell: string, known: Map<string, string>, name: string, row: number, column: number): Cell {
  if (number.test(cell)) {
    const value = Number(cell);
    if (Math.abs(value) <= LARGEST_NUMBER) return value;
    throw new DataError(
      `${name}: expected numbers of at most ${LARGEST_NUMBER}, got ${cell} in row ${row + 1}, column ${column + 1}`,
    );
  }
  if (gaps.has(cell.toLowerCase())) return Number.NaN;
  const same = known.get(cell); // each text is kept once, however many rows have it
  if (same !== undefined) return same;
  known.set(cell, cell);
  return cell;
}

const isText = (cell: string) => !number.test(cell) && !gaps.has(cell.toLowerCase());

/** A first row that stands out: a text above a column of numbers; or texts alone, none of which its column has again. */
function looksLikeHeader(first: readonly string[], columns: readonly (readonly Cell[])[]): boolean {
  if (columns[0]!.length === 0) return false;
  const above = first.some(
    (cell, i) =>
      isText(cell) && columns[i]!.every((other) => typeof other === 'number') && !columns[i]!.every(Number.isNaN),
  );
  return above || first.every((cell, i) => isText(cell) && !columns[i]!.includes(cell));
}

function delimiterOf(file: Uint8Array): string {
  const end = file.findIndex((byte) => byte === 10 || byte === 13);
  const line = file.subarray(0, end < 0 ? file.length : end);
  const counts = [...',;\t'].map((mark) => {
    let quoted = false;
    let count = 0;
    for (const byte of line) {
      if (byte === 34) quoted = !quoted;
      else if (!quoted && byte === mark.charCodeAt(0)) count++;
    }
    return { mark, count };
  });
  return counts.reduce((best, one) => (one.count > best.count ? one : best)).mark;
}
