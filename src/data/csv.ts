/** Tables as data sets: which column is the label, which rows train, and every other column as inputs. */
import { DataError } from '../core/errors.ts';
import { quoted } from '../core/quote.ts';
import { columnWidth, type Preparation, type TableInputs } from '../model/preparation.ts';
import type { Seed } from '../weights/stream.ts';
import { crc32 } from './crc32.ts';
import { columnOf, nameOf } from './csv-columns.ts';
import { readNumber } from './csv-numbers.ts';
import { type DataSet, dataSet } from './dataset.ts';
import { limits } from './limits.ts';
import { sorted } from './names.ts';
import { splitRows } from './stratify.ts';
import type { Cell, Table } from './table.ts';
import { columnTitle, countGaps, encodeTable, isMissing, type PreparedTable } from './table-inputs.ts';

/** Headers that name the label, where the caller names none and exactly one of them is there. */
const labelNames = ['label', 'class', 'target'];

export interface Parts {
  readonly train: DataSet;
  readonly test: DataSet;
  /** How the data was understood, for people. */
  readonly notes: readonly string[];
  /**
   * CSV: the inputs of rows to be classified. `read` gets the training rows and their label's column, which the rows
   * may lack. Throws `DataError`.
   */
  inputs?(read: (train: Table, label: number) => Table): Float32Array<ArrayBuffer>;
}

/**
 * `label`: the header of the label's column or its number, from 1; default: the one called label, class or target, else
 * the last. Without a test table about a fifth of the rows is kept for it. `test` has the columns of `train`, in the same
 * order. Throws `DataError`.
 */
export function tablesToData(train: Table, test: Table | undefined, label: string | undefined, seed: Seed): Parts {
  const at = labelColumn(train, label);
  if (test && test.columns.length !== train.columns.length) {
    throw new DataError(
      `${test.name}: expected the ${train.columns.length} columns of ${train.name}, its label among them; got ${test.columns.length}. ` +
        'Give both files the same columns.',
    );
  }
  const names = classesOf(train, at);
  const labels = labelsOf(train, train, at, names);
  const parts = test ? undefined : splitRows(labels, contentsOf(train), seed, train.name);
  const found = train.columns.map((_, i) => (i === at ? undefined : columnOf(train, i, parts?.train)));
  const used = found.flatMap((column, place) => (column ? [{ column, place }] : []));
  if (used.length === 0) {
    throw new DataError(`${train.name}: expected columns beside the label, with more than gaps in them; got none`);
  }
  const inputs: TableInputs = {
    kind: 'table',
    columns: used.map(({ column }) => column),
    ignored: found.flatMap((column, i) => (column || i === at ? [] : [nameOf(train, i)])),
    header: train.header !== undefined,
    ...(train.decimal && { decimal: train.decimal }),
  };
  const outputs = { task: 'classification', label: nameOf(train, at), classes: names } as const;
  const preparation: Preparation = { inputs, outputs };
  const prepared = (table: Table): PreparedTable => ({
    ...table,
    decimal: table.decimal,
    columns: used.map(({ place }) => table.columns[place]!),
  });
  const width = used.reduce((sum, { column }) => sum + columnWidth(column), 0);
  const encode = (table: Table, rows: readonly number[] | undefined, tableLabels: readonly number[]): DataSet => {
    const features = encodeTable(inputs, prepared(table), rows);
    const keys = contentsOf(table);
    return {
      ...dataSet({
        features,
        shape: [width],
        labels: rows ? rows.map((row) => tableLabels[row]!) : tableLabels,
        classes: names.length,
        preparation,
      }),
      keys: rows ? Uint32Array.from(rows, (row) => keys[row]!) : keys,
    };
  };
  const made = {
    train: encode(train, parts?.train, labels),
    test: test ? encode(test, undefined, labelsOf(test, train, at, names)) : encode(train, parts!.test, labels),
  };
  const oneHot = inputs.columns.filter(({ kind }) => kind === 'category').length;
  const notes = [
    `label: column ${train.header ? quoted(train.header[at]) : at + 1}, ${names.length} classes (${listed(names)})`,
    `${found.length - 1 - oneHot} columns of numbers, standardised, and ${oneHot} of texts, one-hot: ${width} inputs`,
    `first row: ${train.header ? 'names of the columns' : 'data'}`,
    ...[train, ...(test ? [test] : [])].flatMap(({ name, note }) => (note ? [`${name}: ${note}`] : [])),
  ];
  if (parts) {
    notes.push(
      `no test.csv: ${made.train.rows} rows for training, ${made.test.rows} for the test, split by the content of a row and seed ${seed}`,
    );
  }
  for (const column of inputs.columns) {
    if (column.kind === 'number' && column.unit) {
      notes.push(`${columnTitle(inputs, column.name)}: numbers read without ${quoted(column.unit)}`);
    }
  }
  const gaps = gapNote(countGaps(inputs, (test ? [train, test] : [train]).map(prepared)));
  if (gaps) notes.push(gaps);
  return { ...made, notes, inputs: (read) => encodeTable(inputs, prepared(read(train, at))) };
}

/**
 * A hash of each row, which decides the part that it belongs to. Numbers count as numbers: how a cell is stored depends on
 * the other rows of its column.
 */
function contentsOf({ columns, rows, decimal }: Table): Uint32Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const textOf = (cell: Cell): string => {
    if (typeof cell === 'number' || decimal === undefined) return String(cell);
    const number = readNumber(cell, decimal);
    return number && !number.unit ? String(number.value) : cell;
  };
  return Uint32Array.from({ length: rows }, (_, row) =>
    crc32(encoder.encode(columns.map((cells) => textOf(cells[row] ?? '')).join('\u001f'))),
  );
}

/** How many cells were taken as missing, by what stands in them. */
function gapNote(counts: ReadonlyMap<string, number>): string | undefined {
  if (counts.size === 0) return undefined;
  const total = [...counts.values()].reduce((a, b) => a + b, 0);
  const kinds = [...counts].sort(([, a], [, b]) => b - a).map(([text, count]) => `${count} ${text}`);
  return `${total} gaps (${listed(kinds)}): in columns of numbers they count as the mean, in columns of texts as none of them`;
}

const listed = (names: readonly string[]) =>
  names.length > 6 ? `${names.slice(0, 5).join(', ')}, ... ${names.at(-1)}` : names.join(', ');

function labelColumn({ name, header, columns }: Table, label: string | undefined): number {
  if (label === undefined) {
    const named = (header ?? []).flatMap((title, i) => (labelNames.includes(title.toLowerCase()) ? [i] : []));
    return named.length === 1 ? named[0]! : columns.length - 1;
  }
  const found = (header ?? []).indexOf(label);
  if (found >= 0) return found;
  const asNumber = /^[1-9]\d{0,6}$/.test(label) ? Number(label) : 0;
  if (asNumber >= 1 && asNumber <= columns.length) return asNumber - 1;
  throw new DataError(
    `${name}: expected --label to be one of its columns (${header ? listed(header) : 'no header: by number'}; 1 to ${columns.length}), ` +
      `got ${quoted(label)}`,
  );
}

/** Names of the classes: the label strings exactly as they are written. */
function classesOf(train: Table, at: number): string[] {
  const gap = train.columns[at]!.findIndex((cell) => isMissing(cell, train.decimal));
  if (gap >= 0) {
    throw new DataError(
      `${train.name}: expected a label in each row, got none in row ${gap + 1}, column ${at + 1}. ` +
        'Fill it in, drop that row, or name the column of the label by --label.',
    );
  }
  const found = new Set<string>();
  for (const cell of train.columns[at]!) found.add(String(cell));
  if (found.size >= 2 && found.size <= limits.classes) return sorted(found);
  throw new DataError(
    `${train.name}: expected 2 to ${limits.classes} classes in the label's column ${at + 1}, got ${found.size}. ` +
      'Name the column of the label by --label. (The command line classifies; a number to be predicted is no class.)',
  );
}

function labelsOf(table: Table, train: Table, at: number, names: readonly string[]): number[] {
  const numbers = new Map(names.map((name, i) => [name, i]));
  return table.columns[at]!.map((cell: Cell, row) => {
    const found = numbers.get(String(cell));
    if (found !== undefined) return found;
    const got = isMissing(cell, table.decimal) ? "''" : quoted(String(cell));
    throw new DataError(
      `${table.name}: expected a label of ${train.name} (${listed(names)}) in row ${row + 1}, column ${at + 1}; got ${got}`,
    );
  });
}
