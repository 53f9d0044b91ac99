/** The label's columns of a table as targets: classes, several labels a cell, or numbers. */
import { DataError } from '../core/errors.ts';
import { quoted } from '../core/quote.ts';
import type { LabelOutputs, OutputSpec, TargetSpec, Task } from '../model/preparation.ts';
import { nameOf, unitOf } from './csv-columns.ts';
import { titleOf } from './csv-dates.ts';
import type { DataSetOptions } from './dataset.ts';
import { limits } from './limits.ts';
import { listed, sorted } from './names.ts';
import type { Cell, Table } from './table.ts';
import { isMissing, numberOf } from './table-inputs.ts';

/** What the label's columns hold, before the rows are split. */
export interface Targets {
  readonly task: Task;
  /** How the task was chosen, for people. */
  readonly note: string;
  /** The outputs of a model that is trained on these rows, or on all. Throws `DataError`. */
  outputs(rows: readonly number[] | undefined): OutputSpec;
}

/** What a data set holds beside its features. */
export type TargetOptions = Pick<DataSetOptions, 'labels' | 'classes' | 'targets'>;

/** Up to so many different whole numbers are classes; more, or numbers with decimals, are numbers to predict. */
const MOST_NUMBERED_CLASSES = 20;

/** Texts that stand between the labels of a cell. */
const separators = [';', '|', ','] as const;

/** From this probability on, a row has a label. */
const THRESHOLD = 0.5;

const hint = 'Name the column of the label by --label, or the task by --task.';

/** The column by its name, or by its number without a header. */
const named = ({ header }: Table, column: number): string => `column ${header ? quoted(header[column]) : column + 1}`;

/** What the columns numbered `at` hold: as `task` says, or as their cells look. Throws `DataError`. */
export function targetsOf(train: Table, at: readonly number[], task?: Task): Targets {
  const [first, ...others] = at as [number, ...number[]];
  const chosen = task ? 'by --task' : 'chosen from the data; --task decides otherwise';
  if (others.length && task !== undefined && task !== 'regression') {
    throw new DataError(`${train.name}: expected one label column for ${task}, got ${at.length}. ${hint}`);
  }
  const separator = separatorOf(train, first);
  const found =
    task ?? (others.length || isNumeric(train, first) ? 'regression' : separator ? 'multilabel' : 'classification');
  if (found === 'regression') return numbers(train, at, chosen);
  if (found === 'multilabel') return labels(train, first, separator ?? separators[0], chosen);
  return classes(train, first, chosen);
}

/** Whether the column holds measurements. */
function isNumeric(train: Table, column: number): boolean {
  const values = new Set<number>();
  let unit: string | undefined;
  try {
    unit = unitOf(train, column);
  } catch (error) {
    // Numbers but for a few cells: a typing mistake among measurements, but names of classes where there are few.
    if (new Set(train.columns[column]).size > MOST_NUMBERED_CLASSES) throw error;
  }
  if (unit === undefined) return false;
  for (const cell of train.columns[column]!) {
    const value = numberOf(cell, train.decimal, unit);
    if (value === undefined) return false;
    if (!Number.isNaN(value)) values.add(value);
  }
  if (values.size <= 2) return false;
  return values.size > MOST_NUMBERED_CLASSES || [...values].some((value) => !Number.isInteger(value));
}

const partsOf = (cell: Cell, separator: string): string[] =>
  String(cell)
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== '');

/**
 * The separator of a column whose cells are lists of labels: the parts must be fewer than the cells that they make, and
 * come again, unlike the words of a sentence with a comma.
 */
function separatorOf(train: Table, column: number): string | undefined {
  const cells = new Set(train.columns[column]!.filter((cell) => !isMissing(cell, train.decimal)).map(String));
  return separators.find((separator) => {
    const parts = new Set([...cells].flatMap((cell) => partsOf(cell, separator)));
    const lists = [...cells].filter((cell) => partsOf(cell, separator).length > 1).length;
    return lists > 0 && parts.size < cells.size && parts.size <= limits.categories;
  });
}

/**
 * The targets of `rows`, as a model with these outputs has them: the columns numbered `at` hold them. `from` has the
 * same outputs and stands in messages. Throws `DataError`.
 */
export function targetsIn(
  table: Table,
  at: readonly number[],
  outputs: OutputSpec,
  from: string,
  rows: readonly number[],
): TargetOptions {
  if (outputs.task === 'classification') {
    const all = labelsOf(table, from, at[0]!, outputs.classes);
    return { labels: rows.map((row) => all[row]!), classes: outputs.classes.length };
  }
  if (outputs.task === 'multilabel') return { targets: memberships(table, at[0]!, outputs, from, rows) };
  const { targets: specs } = outputs;
  const numberAt = (i: number, row: number) => targetNumber(table, at[i]!, row, specs[i]!.unit ?? '');
  return {
    targets: rows.flatMap((row) => specs.map(({ mean, deviation }, i) => (numberAt(i, row) - mean) / deviation)),
  };
}

/** What rows are split within: their classes, where they have some. */
export const strataOf = (outputs: OutputSpec, table: Table, at: readonly number[], from: string): ArrayLike<number> =>
  outputs.task === 'classification' ? labelsOf(table, from, at[0]!, outputs.classes) : new Uint8Array(table.rows);

function classes(train: Table, at: number, chosen: string): Targets {
  const names = classesOf(train, at);
  return {
    task: 'classification',
    note: `task: classification (${chosen}); label: ${named(train, at)}, ${names.length} classes (${listed(names)})`,
    outputs: () => ({ task: 'classification', label: nameOf(train, at), classes: names }),
  };
}

/** Names of the classes: the label strings exactly as they are written. */
function classesOf(train: Table, at: number): string[] {
  expectFilled(train, at);
  const found = new Set<string>();
  for (const cell of train.columns[at]!) found.add(String(cell));
  if (found.size >= 2 && found.size <= limits.classes) return sorted(found);
  throw new DataError(
    `${train.name}: expected 2 to ${limits.classes} classes in the label's column ${at + 1}, got ${found.size}. ${hint}`,
  );
}

function labelsOf(table: Table, from: string, at: number, names: readonly string[]): number[] {
  const numbers = new Map(names.map((name, i) => [name, i]));
  return table.columns[at]!.map((cell: Cell, row) => {
    const found = numbers.get(String(cell));
    if (found !== undefined) return found;
    const got = isMissing(cell, table.decimal) ? "''" : quoted(String(cell));
    throw new DataError(
      `${table.name}: expected a label of ${from} (${listed(names)}) in row ${row + 1}, column ${at + 1}; got ${got}`,
    );
  });
}

/** Throws `DataError` for a gap. */
function expectFilled(train: Table, at: number): void {
  const gap = train.columns[at]!.findIndex((cell) => isMissing(cell, train.decimal));
  if (gap < 0) return;
  throw new DataError(
    `${train.name}: expected a label in each row, got none in row ${gap + 1}, column ${at + 1}. ` +
      'Fill it in, drop that row, or name the column of the label by --label.',
  );
}

/** The labels in a cell; an empty cell has none. */
function labelsIn(table: Table, at: number, row: number, separator: string): string[] {
  const cell = table.columns[at]![row]!;
  return isMissing(cell, table.decimal) ? [] : partsOf(cell, separator);
}

function labels(train: Table, at: number, separator: string, chosen: string): Targets {
  const names = sorted(new Set(train.columns[at]!.flatMap((_, row) => labelsIn(train, at, row, separator))));
  if (names.length < 1 || names.length > limits.categories) {
    throw new DataError(
      `${train.name}: expected 1 to ${limits.categories} labels between ${quoted(separator)} in ${titleOf(train, at)}, got ${names.length}. ${hint}`,
    );
  }
  return {
    task: 'multilabel',
    note:
      `task: several labels a row (${chosen}); label: ${named(train, at)}, ${names.length} labels between ` +
      `${quoted(separator)} (${listed(names)})`,
    outputs: () => ({ task: 'multilabel', label: nameOf(train, at), labels: names, separator, threshold: THRESHOLD }),
  };
}

/** 1 for each label that a row has, 0 for the others: (rows, labels) row-major. */
function memberships(
  table: Table,
  at: number,
  { labels: names, separator }: LabelOutputs,
  from: string,
  rows: readonly number[],
): Float32Array {
  const places = new Map(names.map((name, i) => [name, i]));
  const targets = new Float32Array(rows.length * names.length);
  for (const [i, row] of rows.entries()) {
    for (const part of labelsIn(table, at, row, separator)) {
      const place = places.get(part);
      if (place === undefined) {
        throw new DataError(
          `${table.name}: expected labels of ${from} (${listed(names)}) in row ${row + 1}, column ${at + 1}; got ${quoted(part)}`,
        );
      }
      targets[i * names.length + place] = 1;
    }
  }
  return targets;
}

/** Numbers to predict. Models learn them with mean 0 and deviation 1. */
function numbers(train: Table, at: readonly number[], chosen: string): Targets {
  const units = at.map((column) => {
    expectFilled(train, column);
    return unitOf(train, column) ?? '';
  });
  const columns = at.map((column) => named(train, column)).join(', ');
  return {
    task: 'regression',
    note: `task: regression (${chosen}); ${at.length === 1 ? 'target' : `${at.length} targets`}: ${columns}`,
    outputs: (rows = [...Array(train.rows).keys()]) => ({
      task: 'regression',
      targets: at.map((column, i): TargetSpec => {
        const values = rows.map((row) => targetNumber(train, column, row, units[i]!));
        const mean = values.reduce((a, b) => a + b, 0) / values.length;
        const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
        if (deviation > 0) return { name: nameOf(train, column), mean, deviation, ...(units[i] && { unit: units[i] }) };
        throw new DataError(
          `${train.name}: expected different numbers to predict in ${titleOf(train, column)}, got ${mean} in all rows. ${hint}`,
        );
      }),
    }),
  };
}

function targetNumber(table: Table, column: number, row: number, unit: string): number {
  const cell = table.columns[column]![row]!;
  const value = numberOf(cell, table.decimal, unit);
  if (value !== undefined && Math.abs(value) <= limits.magnitude) return value;
  throw new DataError(
    `${table.name}: expected a number to predict in row ${row + 1}, ${titleOf(table, column)}, got ${quoted(String(cell))}. ${hint}`,
  );
}
