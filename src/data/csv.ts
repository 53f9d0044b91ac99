/** Tables as data sets: which column is the label, which rows train, and every other column as inputs. */
import { DataError } from '../core/errors.ts';
import { quoted } from '../core/quote.ts';
import type { ColumnSpec, TableInputs, Task } from '../model/preparation.ts';
import type { Seed } from '../weights/stream.ts';
import { type ColumnNote, columnNotes, type LeftOut } from './column-notes.ts';
import { columnNumbered, columnOf, nameOf } from './csv-columns.ts';
import { datesOf } from './csv-dates.ts';
import { strataOf, type Targets, targetsOf } from './csv-targets.ts';
import type { DataSet } from './dataset.ts';
import { contentsOf, encodeLabelled } from './labelled-table.ts';
import { listed } from './names.ts';
import { splitRows } from './stratify.ts';
import type { Table } from './table.ts';
import { columnTitle, countGaps, encodeTable, type PreparedTable } from './table-inputs.ts';

/** Headers that name the label, where the caller names none and exactly one of them is there. */
const labelNames = ['label', 'class', 'target'];

export interface Parts {
  readonly train: DataSet;
  readonly test: DataSet;
  /** How the data was understood, for people. */
  readonly notes: readonly string[];
  /** Tables: what was made of each column. */
  readonly columns?: readonly ColumnNote[];
  /**
   * CSV: the inputs of rows to be classified. `read` gets the training rows and their label's column, which the rows
   * may lack. Throws `DataError`.
   */
  inputs?(read: (train: Table, label: number) => Table): Float32Array<ArrayBuffer>;
}

/** How the columns of a table are used, each by its name in the header or its number from 1. */
export interface ColumnChoice {
  /** What the label is; default: by what its column holds. */
  task?: Task;
  /** Only these. */
  columns?: readonly string[];
  /** All but these. */
  drop?: readonly string[];
}

/** What the columns of a table become, and how its rows and those of other tables with the same columns are encoded. */
interface Fitted {
  /** The label's columns. */
  readonly at: readonly number[];
  readonly specs: readonly (ColumnSpec | LeftOut)[];
  readonly inputs: TableInputs;
  readonly targets: Targets;
  /** Rows of the training table in each part, where it was split. */
  readonly parts: { readonly train: readonly number[]; readonly test: readonly number[] } | undefined;
  prepared(table: Table): PreparedTable;
  encode(table: Table, rows?: readonly number[]): DataSet;
}

/** `seed`: splits off about a fifth of the rows, which then decide nothing. Throws `DataError`. */
function fitTable(train: Table, label: string | undefined, choice: ColumnChoice, seed?: Seed): Fitted {
  const at = labelColumns(train, label);
  const targets = targetsOf(train, at, choice.task);
  const contents = contentsOf(train);
  const strata = () => strataOf(targets.outputs(undefined), train, at, train.name);
  const parts = seed === undefined ? undefined : splitRows(strata(), contents, seed, train.name);
  const dropped = droppedColumns(train, at, choice);
  const specs = train.columns.map((_, i): ColumnSpec | LeftOut => {
    if (at.includes(i)) return 'label';
    return dropped.has(i) ? 'dropped' : (columnOf(train, i, parts?.train) ?? 'only gaps');
  });
  const used = specs.flatMap((column, place) => (typeof column === 'string' ? [] : [{ column, place }]));
  if (used.length === 0) {
    throw new DataError(`${train.name}: expected columns beside the label, with more than gaps in them; got none`);
  }
  const inputs: TableInputs = {
    kind: 'table',
    columns: used.map(({ column }) => column),
    ignored: specs.flatMap((column, i) => (typeof column === 'string' && column !== 'label' ? [nameOf(train, i)] : [])),
    header: train.header !== undefined,
    ...(train.decimal && { decimal: train.decimal }),
  };
  const outputs = targets.outputs(parts?.train);
  const prepared = (table: Table): PreparedTable => ({
    ...table,
    decimal: table.decimal,
    columns: used.map(({ place }) => table.columns[place]!),
  });
  const preparation = { inputs, outputs };
  const encode = (table: Table, rows?: readonly number[]): DataSet =>
    encodeLabelled(
      { table, prepared: prepared(table), at, preparation, from: train.name },
      rows,
      table === train ? contents : undefined,
    );
  return { at, specs, inputs, targets, parts, prepared, encode };
}

/** All rows of one table, each of which trains. Throws `DataError`. */
export const tableToData = (table: Table, label: string | undefined, choice: ColumnChoice = {}): DataSet =>
  fitTable(table, label, choice).encode(table);

/**
 * `label`: the header of the label's column or its number, from 1; several of them separated by commas, for a regression;
 * default: the one called label, class or target, else the last. Without a test table, about a fifth of the rows
 * become the test part. `test` has the columns of `train`, in the same order. Throws `DataError`.
 */
export function tablesToData(
  train: Table,
  test: Table | undefined,
  label: string | undefined,
  seed: Seed,
  choice: ColumnChoice = {},
): Parts {
  if (test && test.columns.length !== train.columns.length) {
    throw new DataError(
      `${test.name}: expected the ${train.columns.length} columns of ${train.name}, its label among them; got ${test.columns.length}. ` +
        'Give both files the same columns.',
    );
  }
  const { at, specs, inputs, targets, parts, prepared, encode } = fitTable(
    train,
    label,
    choice,
    test ? undefined : seed,
  );
  const made = { train: encode(train, parts?.train), test: test ? encode(test) : encode(train, parts!.test) };
  const count = (kind: ColumnSpec['kind']) => inputs.columns.filter((column) => column.kind === kind).length;
  const notes = [
    targets.note,
    `${count('number')} columns of numbers${count('date') ? ` and ${count('date')} of dates` : ''}, standardised, and ` +
      `${count('category')} of texts, one-hot: ${made.train.shape[0]} inputs`,
    `first row: ${train.header ? 'names of the columns' : 'data'}`,
    ...[train, ...(test ? [test] : [])].flatMap(({ name, note }) => (note ? [`${name}: ${note}`] : [])),
  ];
  if (parts) {
    notes.push(
      `no test file: ${made.train.rows} rows for training, ${made.test.rows} for the test, split by the content of a row and seed ${seed}`,
    );
  }
  for (const column of inputs.columns) {
    if (column.kind === 'number' && column.unit) {
      notes.push(`${columnTitle(inputs, column.name)}: numbers read without ${quoted(column.unit)}`);
    }
  }
  const columns = columnNotes(train, specs);
  notes.push(...dateNotes(train, inputs), ...idNotes(columns));
  const gaps = gapNote(countGaps(inputs, (test ? [train, test] : [train]).map(prepared)));
  if (gaps) notes.push(gaps);
  return { ...made, notes, columns, inputs: (read) => encodeTable(inputs, prepared(read(train, at[0]!))) };
}

/** Dates whose day and month could be swapped. */
const dateNotes = (train: Table, { columns, header }: TableInputs): string[] =>
  train.columns.flatMap((_, i) => {
    const name = nameOf(train, i);
    const isDate = columns.some((column) => column.name === name && column.kind === 'date');
    return isDate && datesOf(train, i)!.ambiguous
      ? [
          `warning: ${columnTitle({ header }, name)}: read with the day first, but the month may come first as well. ` +
            'Write the dates as 2024-01-31 to be sure',
        ]
      : [];
  });

/** Columns that name or number the rows. */
function idNotes(columns: readonly ColumnNote[]): string[] {
  const ids = columns.filter(({ id }) => id !== undefined);
  if (ids.length === 0) return [];
  const found = ids.map(({ column, id }) => `${quoted(column)} (${id})`).join(', ');
  const drop = ids.map(({ column }) => column).join();
  return [`warning: ${found}: if that only names the row, leave it out by --drop ${quoted(drop)}`];
}

/** How many cells were taken as missing, by what stands in them. */
function gapNote(counts: ReadonlyMap<string, number>): string | undefined {
  if (counts.size === 0) return undefined;
  const total = [...counts.values()].reduce((a, b) => a + b, 0);
  const kinds = [...counts].sort(([, a], [, b]) => b - a).map(([text, count]) => `${count} ${text}`);
  return `${total} gaps (${listed(kinds)}): in columns of numbers they count as the mean, in columns of texts as none of them`;
}

/** Numbers of the columns that `label` names: one, or several separated by commas. Throws `DataError`. */
function labelColumns(train: Table, label: string | undefined): number[] {
  const { name, header, columns } = train;
  if (label === undefined) {
    const named = (header ?? []).flatMap((title, i) => (labelNames.includes(title.toLowerCase()) ? [i] : []));
    return [named.length === 1 ? named[0]! : columns.length - 1];
  }
  const parts = header?.includes(label) ? [label] : label.split(',').map((part) => part.trim());
  const found = parts.map((part) => columnNumbered(train, part, '--label'));
  if (new Set(found).size === found.length) return found;
  throw new DataError(`${name}: expected different columns in --label, got ${quoted(label)}`);
}

/** Throws `DataError` for unknown columns, and where the label is among them. */
function droppedColumns(
  train: Table,
  at: readonly number[],
  { columns, drop = [] }: ColumnChoice,
): ReadonlySet<number> {
  const dropped = new Set(drop.map((column) => columnNumbered(train, column, '--drop')));
  const lost = at.find((column) => dropped.has(column));
  if (lost !== undefined) {
    throw new DataError(
      `${train.name}: expected --drop to leave the label's column ${quoted(nameOf(train, lost))} in, got it among ` +
        `${listed(drop)}. Name another column by --label.`,
    );
  }
  if (!columns) return dropped;
  const kept = new Set(columns.map((column) => columnNumbered(train, column, '--columns')));
  for (const i of train.columns.keys()) if (!kept.has(i)) dropped.add(i);
  return dropped;
}
