/** Rows of a table with their targets, encoded as a preparation says. */
import { DataError } from '../core/errors.ts';
import { quoted } from '../core/quote.ts';
import { columnWidth, type OutputSpec, outputNames, type Preparation, type TableInputs } from '../model/preparation.ts';
import { crc32 } from './crc32.ts';
import { columnNumbered } from './csv-columns.ts';
import { columnFinder, listOf } from './csv-header.ts';
import { readNumber } from './csv-numbers.ts';
import { targetsIn } from './csv-targets.ts';
import { type DataSet, dataSet } from './dataset.ts';
import type { Cell, Table } from './table.ts';
import { encodeTable, type PreparedTable } from './table-inputs.ts';

/** How a model of tables reads rows, and what it answers. */
export interface TablePreparation extends Preparation {
  readonly inputs: TableInputs;
}

export const isTablePreparation = (preparation: Preparation | undefined): preparation is TablePreparation =>
  preparation?.inputs.kind === 'table';

export interface LabelledTable {
  readonly table: Table;
  /** The columns of the inputs, in the order of the preparation. */
  readonly prepared: PreparedTable;
  /** Numbers of the label's columns. */
  readonly at: readonly number[];
  readonly preparation: TablePreparation;
  /** What the preparation belongs to; stands in messages. */
  readonly from: string;
}

/** These rows, or all. Throws `DataError`. */
export function encodeLabelled(
  { table, prepared, at, preparation, from }: LabelledTable,
  rows: readonly number[] = [...Array(table.rows).keys()],
  contents: ArrayLike<number> = contentsOf(table),
): DataSet {
  const { inputs, outputs } = preparation;
  const features = encodeTable(inputs, prepared, rows);
  const shape = [inputs.columns.reduce((sum, column) => sum + columnWidth(column), 0)];
  return {
    ...dataSet({ features, shape, ...targetsIn(table, at, outputs, from, rows), preparation }),
    keys: Uint32Array.from(rows, (row) => contents[row]!),
  };
}

/**
 * Where the targets of a model stand in a table: in the columns that `label` names, else in those that the model was
 * trained on. Throws `DataError`.
 */
export function labelPlaces(table: Table, { inputs, outputs }: TablePreparation, label?: string): number[] {
  const names =
    outputs.task === 'regression' ? outputNames(outputs) : outputs.label === undefined ? [] : [outputs.label];
  if (label !== undefined) {
    const parts = table.header?.includes(label) ? [label] : label.split(',').map((part) => part.trim());
    const expected = outputs.task === 'regression' ? names.length : 1;
    if (parts.length !== expected) {
      throw new DataError(
        `${table.name}: expected ${expected} columns in --label, as the model has; got ${parts.length}`,
      );
    }
    return parts.map((part) => columnNumbered(table, part, '--label'));
  }
  const find = table.header ? columnFinder(table.header) : (name: string) => placeOf(name, table, inputs);
  const found = names.map(find);
  if (found.length && found.every((place) => place !== undefined)) return found;
  const missing = names.filter((_, i) => found[i] === undefined);
  throw new DataError(
    `${table.name}: expected ${missing.length ? `the column ${listOf(missing)}` : 'a column'} with what the model predicts; ` +
      `got ${table.header ? listOf(table.header) : `${table.columns.length} columns without names`}. ` +
      'Add it, or name the column by --label.',
  );
}

/** Without a header, a column is called by its number. */
function placeOf(name: string, { columns }: Table, { header }: TableInputs): number | undefined {
  const place = Number(name) - 1;
  return !header && place in columns ? place : undefined;
}

/**
 * A hash of each row, which decides the part that it belongs to. Numbers count as numbers: how a cell is stored depends on
 * the other rows of its column. The order of named columns does not matter.
 */
export function contentsOf({ header, columns, rows, decimal }: Table): Uint32Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const textOf = (cell: Cell): string => {
    if (typeof cell === 'number' || decimal === undefined) return String(cell);
    const number = readNumber(cell, decimal);
    return number && !number.unit ? String(number.value) : cell;
  };
  const places = [...columns.keys()];
  if (header) places.sort((a, b) => (header[a]! < header[b]! ? -1 : 1));
  return Uint32Array.from({ length: rows }, (_, row) =>
    crc32(encoder.encode(places.map((place) => textOf(columns[place]![row] ?? '')).join('\u001f'))),
  );
}

/** Throws `DataError` for a task that the model was not trained for. */
export function expectTask(name: string, { task }: OutputSpec, asked: string | undefined): void {
  if (asked === undefined || asked === task) return;
  throw new DataError(
    `${name}: expected --task ${task}, as the model was trained for; got ${quoted(asked)}. Leave it out, or train a new model.`,
  );
}
