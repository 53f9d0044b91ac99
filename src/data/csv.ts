/** Tables as data sets: which column is the label, which rows train, and every other column as inputs. */
import { DataError } from '../core/errors.ts';
import { quoted } from '../core/quote.ts';
import type { Seed } from '../weights/stream.ts';
import { type Encoder, encoderOf, isMissing, titleOf } from './csv-columns.ts';
import { type DataSet, dataSet } from './dataset.ts';
import { limits } from './limits.ts';
import { sorted } from './names.ts';
import { splitRows } from './stratify.ts';
import type { Cell, Table } from './table.ts';

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
 * the last. Without a test table a fifth of the rows is kept for it. `test` has the columns of `train`, in the same
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
  const parts = test ? undefined : splitRows(labels, seed, train.name);
  const encoders = train.columns.flatMap((_, i) => (i === at ? [] : [encoderOf(train, i, parts?.train)]));
  const width = encoders.reduce((sum, one) => sum + one.width, 0);
  if (width === 0) {
    throw new DataError(`${train.name}: expected columns beside the label, with more than gaps in them; got none`);
  }
  const encode = (table: Table, rows: readonly number[] | undefined, tableLabels: readonly number[]): DataSet => {
    const features = featuresOf(encoders, width, table, rows);
    const chosen = rows ? rows.map((row) => tableLabels[row]!) : tableLabels;
    return dataSet({ features, shape: [width], labels: chosen, classNames: names });
  };
  const made = {
    train: encode(train, parts?.train, labels),
    test: test ? encode(test, undefined, labelsOf(test, train, at, names)) : encode(train, parts!.test, labels),
  };
  const oneHot = encoders.filter(({ categories }) => categories > 0).length;
  const notes = [
    `label: column ${train.header ? quoted(train.header[at]) : at + 1}, ${names.length} classes (${listed(names)})`,
    `${encoders.length - oneHot} columns of numbers, standardised, and ${oneHot} of texts, one-hot: ${width} inputs`,
    `first row: ${train.header ? 'names of the columns' : 'data'}`,
    ...[train, ...(test ? [test] : [])].flatMap(({ name, note }) => (note ? [`${name}: ${note}`] : [])),
  ];
  if (parts) {
    notes.push(
      `no test.csv: ${made.train.rows} rows for training, ${made.test.rows} for the test, split within each class by seed ${seed}`,
    );
  }
  for (const { column, unit } of encoders) {
    if (unit) notes.push(`${titleOf(train, column)}: numbers read without ${quoted(unit)}`);
  }
  const gaps = gapNote(encoders, test ? [train, test] : [train]);
  if (gaps) notes.push(gaps);
  return { ...made, notes, inputs: (read) => featuresOf(encoders, width, read(train, at), undefined) };
}

function featuresOf(
  encoders: readonly Encoder[],
  width: number,
  table: Table,
  rows: readonly number[] | undefined,
): Float32Array<ArrayBuffer> {
  const count = rows?.length ?? table.rows;
  if (count * width > limits.inputs) {
    throw new DataError(
      `${table.name}: expected at most ${limits.inputs} numbers, got ${count} rows of ${width} each. Leave columns or rows out.`,
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
}

/** How many cells were taken as missing, by what stands in them. */
function gapNote(encoders: readonly Encoder[], tables: readonly Table[]): string | undefined {
  const counts = new Map<string, number>();
  for (const table of tables) {
    for (const { column, missing } of encoders) {
      for (const cell of table.columns[column]!) {
        if (!missing(cell, table)) continue;
        const text = typeof cell === 'number' || cell === '' ? 'empty' : quoted(cell);
        counts.set(text, (counts.get(text) ?? 0) + 1);
      }
    }
  }
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
  const gap = train.columns[at]!.findIndex((cell) => isMissing(cell, train));
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
    const got = isMissing(cell, table) ? "''" : quoted(String(cell));
    throw new DataError(
      `${table.name}: expected a label of ${train.name} (${listed(names)}) in row ${row + 1}, column ${at + 1}; got ${got}`,
    );
  });
}
