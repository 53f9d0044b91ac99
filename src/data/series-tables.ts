/** Time series from CSV tables: a row a series, rows of many series in order, or a file a series. */
import { DataError } from '../core/errors.ts';
import { columnNumbered, numbersIn } from './csv-columns.ts';
import { readTable } from './csv-table.ts';
import type { Series, SeriesFile } from './series.ts';
import type { Table } from './table.ts';

export interface SeriesTableOptions {
  /** The column of the class, by its name or its number from 1. Default: the first of a .tsv or .txt, else the last. */
  label?: string;
  /** Long form: the column that tells the series apart, by its name or its number. */
  id?: string;
  /** Whether the first row names the columns. Default: decided by its content. */
  header?: boolean;
  /** Samples of a series of one channel: rows of exactly so many cells have no class, unless `label` is given. */
  length?: number;
}

/** Columns that only say when a row was measured. */
const TIMES = /^(t|time|timestamp|date|datetime)$/i;

/** Throws `DataError`. */
export function readSeriesTable(file: Uint8Array, name: string, options: SeriesTableOptions): SeriesFile {
  const table = readTable(file, name, options.header ?? 'auto');
  return options.id === undefined ? wide(table, options) : long(table, options.id, options);
}

function labelOf(table: Table, { label }: SeriesTableOptions): number {
  if (label !== undefined) return columnNumbered(table, label, '--label');
  return /\.(tsv|txt)$/i.test(table.name) ? 0 : table.columns.length - 1;
}

const textsIn = (table: Table, column: number): string[] => table.columns[column]!.map((cell) => String(cell).trim());

/** A row a series: its samples, and its class. */
function wide(table: Table, options: SeriesTableOptions): SeriesFile {
  const bare = options.label === undefined && table.columns.length === options.length;
  const label = bare ? undefined : labelOf(table, options);
  const samples = table.columns.flatMap((_, i) => (i === label ? [] : [numbersIn(table, i)]));
  if (samples.length === 0) throw new DataError(`${table.name}: expected samples beside the class, got one column`);
  const labels = label === undefined ? undefined : textsIn(table, label);
  return {
    series: Array.from({ length: table.rows }, (_, row): Series => {
      return { label: labels?.[row], channels: [Float64Array.from(samples, (of) => of[row]!)] };
    }),
  };
}

/** Rows of all series in the order of time: an id, a class, and a column for each channel. */
function long(table: Table, id: string, options: SeriesTableOptions): SeriesFile {
  const [ids, label] = [columnNumbered(table, id, '--id'), labelOf(table, options)];
  const channels = table.columns.flatMap((_, i) =>
    i === ids || i === label || TIMES.test(table.header?.[i] ?? '') ? [] : [i],
  );
  if (channels.length === 0)
    throw new DataError(`${table.name}: expected channels beside the id and the class, got none`);
  const numbers = channels.map((column) => numbersIn(table, column));
  const labels = textsIn(table, label);
  const rowsOf = new Map<string, number[]>();
  textsIn(table, ids).forEach((one, row) => {
    const rows = rowsOf.get(one);
    if (rows) rows.push(row);
    else rowsOf.set(one, [row]);
  });
  const series = [...rowsOf].map(([one, rows]): Series => {
    const other = rows.find((row) => labels[row] !== labels[rows[0]!]);
    if (other !== undefined) {
      throw new DataError(
        `${table.name}: expected one class for series '${one}', got '${labels[rows[0]!]}' and '${labels[other]}'`,
      );
    }
    return { label: labels[rows[0]!]!, channels: numbers.map((of) => Float64Array.from(rows, (row) => of[row]!)) };
  });
  return { series, ...(table.header && { channelNames: channels.map((column) => table.header![column]!) }) };
}

/** One file a series: a row a sample, a column a channel. Throws `DataError`. */
export function readSeriesRows(file: Uint8Array, name: string, label: string, { header }: SeriesTableOptions): Series {
  const table = readTable(file, name, header ?? 'auto');
  const channels = table.columns.flatMap((_, i) => (TIMES.test(table.header?.[i] ?? '') ? [] : [numbersIn(table, i)]));
  if (channels.length === 0) throw new DataError(`${name}: expected a column for each channel, got none`);
  return { label, channels };
}
