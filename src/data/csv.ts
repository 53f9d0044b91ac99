/** Tables as data sets: numbers standardised, texts one-hot, both as the training part says. */
import { DataError } from '../core/errors.ts';
import type { Seed } from '../weights/stream.ts';
import type { Cell, Table } from './csv-table.ts';
import { type DataSet, dataSet } from './dataset.ts';
import { splitRows } from './stratify.ts';

/** A column of more texts than this is no category but a text, or a number of its row: it is refused. */
const MOST_CATEGORIES = 256;

/** So is a label of more values than this. */
const MOST_CLASSES = 1024;

/** So are tables that make more numbers than this (1 GiB). */
const MOST_NUMBERS = 2 ** 28;

/** Headers that name the label, where none is asked for and exactly one is there. */
const labelNames = ['label', 'class', 'target'];

export interface Parts {
  readonly train: DataSet;
  readonly test: DataSet;
  /** What was taken for what, for people. */
  readonly notes: readonly string[];
  /** CSV: the inputs of rows to be classified, with or without the column of the label. Throws `DataError`. */
  inputs?(read: (header: readonly string[] | undefined) => Table): Float32Array<ArrayBuffer>;
}

/** By name and then by number: class 2 stands before class 10. */
export const byName: (a: string, b: string) => number = new Intl.Collator('en', { numeric: true }).compare;

/**
 * `label`: the header of the label's column or its number, from 1; default one called label, class or target, else the last.
 * Without a test table a fifth of the rows is kept for it. Throws `DataError`.
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
  const numbers = new Map(names.map((name, i) => [name, i]));
  const labelsOf = (table: Table) =>
    table.columns[at]!.map((cell, row) => {
      const found = numbers.get(String(cell));
      if (found !== undefined) return found;
      throw new DataError(
        `${table.name}: expected a label of ${train.name} (${listed(names)}) in row ${row + 1}, column ${at + 1}; ` +
          `got '${Number.isNaN(cell) ? '' : cell}'`,
      );
    });
  const labels = labelsOf(train);
  const parts = test ? undefined : splitRows(labels, seed, train.name);
  const encoders = train.columns.flatMap((column, i) =>
    i === at ? [] : [encoder(train, i, parts ? parts.train.map((row) => column[row]!) : column)],
  );
  const width = encoders.reduce((sum, one) => sum + one.width, 0);
  if (width === 0) {
    throw new DataError(`${train.name}: expected columns beside the label, with more than gaps in them; got none`);
  }
  const featuresOf = (table: Table, rows?: readonly number[]): Float32Array<ArrayBuffer> => {
    const count = rows?.length ?? table.rows;
    if (count * width > MOST_NUMBERS) {
      throw new DataError(
        `${table.name}: expected at most ${MOST_NUMBERS} numbers, got ${count} rows of ${width} each. Leave columns or rows out.`,
      );
    }
    const features = new Float32Array(count * width);
    let start = 0;
    for (const one of encoders) {
      const column = table.columns[one.column]!;
      for (let i = 0; i < count; i++) {
        const row = rows ? rows[i]! : i;
        one.write(column[row]!, features, i * width + start, table, row);
      }
      start += one.width;
    }
    return features;
  };
  const encode = (table: Table, rows: readonly number[] | undefined, tableLabels: readonly number[]): DataSet => {
    const features = featuresOf(table, rows);
    const chosen = rows ? rows.map((row) => tableLabels[row]!) : tableLabels;
    return { ...dataSet({ features, shape: [width], labels: chosen, classes: names.length }), classNames: names };
  };
  const made = {
    train: encode(train, parts?.train, labels),
    test: test ? encode(test, undefined, labelsOf(test)) : encode(train, parts!.test, labels),
  };
  const oneHot = encoders.filter(({ categories }) => categories > 0).length;
  const missing = encoders.reduce(
    (sum, { column }) => sum + gapsIn(train, column) + (test ? gapsIn(test, column) : 0),
    0,
  );
  const notes = [
    `label: column ${train.header ? `'${train.header[at]}'` : at + 1}, ${names.length} classes (${listed(names)})`,
    `${encoders.length - oneHot} columns of numbers, standardised, and ${oneHot} of texts, one-hot: ${width} inputs`,
    `first row: ${train.header ? 'names of the columns' : 'data'}`,
  ];
  if (parts) {
    notes.push(
      `no test.csv: ${made.train.rows} rows for training, ${made.test.rows} for the test, parted within each class by seed ${seed}`,
    );
  }
  if (missing) notes.push(`${missing} empty cells: numbers are taken as their column's mean, texts as none of theirs`);
  const inputs: Parts['inputs'] = (read) => {
    const whole = read(train.header);
    const all = train.columns.length;
    if (whole.columns.length === all) return featuresOf(whole);
    const bare = whole.columns.length === all - 1 ? read(train.header?.filter((_, i) => i !== at)) : undefined;
    if (bare) return featuresOf({ ...bare, columns: [...bare.columns.slice(0, at), [], ...bare.columns.slice(at)] });
    throw new DataError(
      `${whole.name}: expected the ${all} columns of ${train.name}, or ${all - 1} without its label; got ${whole.columns.length}`,
    );
  };
  return { ...made, notes, inputs };
}

const gapsIn = (table: Table, column: number): number =>
  table.columns[column]!.reduce((sum: number, cell) => sum + Number(Number.isNaN(cell)), 0);

const listed = (names: readonly string[]) =>
  names.length > 6 ? `${names.slice(0, 5).join(', ')}, ... ${names.at(-1)}` : names.join(', ');

function labelColumn({ name, header, columns }: Table, label: string | undefined): number {
  if (label === undefined) {
    const named = (header ?? []).flatMap((title, i) => (labelNames.includes(title.toLowerCase()) ? [i] : []));
    return named.length === 1 ? named[0]! : columns.length - 1;
  }
  const found = (header ?? []).flatMap((title, i) => (title === label ? [i] : []));
  if (found.length === 1) return found[0]!;
  const asNumber = /^[1-9]\d*$/.test(label) ? Number(label) : 0;
  if (found.length === 0 && asNumber >= 1 && asNumber <= columns.length) return asNumber - 1;
  throw new DataError(
    `${name}: expected --label to be one of its columns (${header ? listed(header) : 'no header: by number'}; 1 to ${columns.length}), ` +
      `got '${label}'${found.length > 1 ? `, which ${found.length} columns are called` : ''}`,
  );
}

function classesOf(train: Table, at: number): string[] {
  const gap = train.columns[at]!.findIndex((cell) => Number.isNaN(cell));
  if (gap >= 0) {
    throw new DataError(
      `${train.name}: expected a label in each row, got none in row ${gap + 1}, column ${at + 1}. ` +
        'Fill it in, drop that row, or name the column of the label by --label.',
    );
  }
  const names = [...new Set(train.columns[at]!.map(String))].sort((a, b) => byName(a, b) || (a < b ? -1 : 1));
  if (names.length >= 2 && names.length <= MOST_CLASSES) return names;
  throw new DataError(
    `${train.name}: expected 2 to ${MOST_CLASSES} classes in the label's column ${at + 1}, got ${names.length}. ` +
      'Name the column of the label by --label. (A number to be predicted is no class: the command line classifies.)',
  );
}

/** From a column to inputs. */
interface Encoder {
  readonly column: number;
  readonly width: number;
  /** 0: numbers. */
  readonly categories: number;
  write(cell: Cell, out: Float32Array, at: number, table: Table, row: number): void;
}

/** Fitted on the cells that train. */
function encoder(train: Table, column: number, cells: readonly Cell[]): Encoder {
  const texts = train.columns[column]!.some((cell) => typeof cell === 'string');
  return texts ? oneHot(train, column, cells) : standardised(train, column, cells as readonly number[]);
}

function oneHot(train: Table, column: number, cells: readonly Cell[]): Encoder {
  const found = new Set<string>();
  for (const cell of cells) if (!Number.isNaN(cell)) found.add(String(cell));
  if (found.size > MOST_CATEGORIES) {
    throw new DataError(
      `${train.name}: expected columns of numbers, or of at most ${MOST_CATEGORIES} different texts; got ${found.size} in ` +
        `column ${column + 1}${train.header ? ` ('${train.header[column]}')` : ''}. Leave it out, or correct what is no number in it.`,
    );
  }
  const order = [...found].sort((a, b) => byName(a, b) || (a < b ? -1 : 1));
  const places = new Map(order.map((name, i) => [name, i]));
  return {
    column,
    width: order.length,
    categories: order.length,
    write(cell, out, at) {
      const place = places.get(String(cell));
      if (place !== undefined) out[at + place] = 1; // a text that training never saw is none of them
    },
  };
}

function standardised(train: Table, column: number, cells: readonly number[]): Encoder {
  const there = cells.filter((value) => !Number.isNaN(value));
  const mean = there.reduce((a, b) => a + b, 0) / there.length;
  const spread = Math.sqrt(there.reduce((sum, value) => sum + (value - mean) ** 2, 0) / there.length);
  return {
    column,
    width: there.length ? 1 : 0,
    categories: 0,
    write(cell, out, at, table, row) {
      if (typeof cell === 'string') {
        throw new DataError(
          `${table.name}: expected a number, as ${train.name} has in column ${column + 1}; got '${cell}' in row ${row + 1}`,
        );
      }
      if (there.length) out[at] = Number.isNaN(cell) || spread === 0 ? 0 : (cell - mean) / spread;
    },
  };
}
