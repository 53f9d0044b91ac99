/** Rows of a file for a model of tables: its columns found by name, in any order, among others. */
import { DataError } from '../core/errors.ts';
import { quoted } from '../core/quote.ts';
import { type OutputSpec, outputNames, type Preparation, type TableInputs } from '../model/preparation.ts';
import { columnFinder, listOf } from './csv-header.ts';
import { belowHeader, readRaw, withFirstRow } from './csv-table.ts';
import type { RawTable, Table } from './table.ts';
import { columnTitle, isMissing, type PreparedTable } from './table-inputs.ts';

export interface ModelRows extends PreparedTable {
  /** All columns of the file. */
  readonly table: Table;
  /** What was left out or assumed, for people. */
  readonly notes: readonly string[];
}

/** Columns that the training table had besides the inputs: a file may have them, and nothing needs to be said. */
const knownBeside = (inputs: TableInputs, outputs: OutputSpec): ReadonlySet<string> =>
  new Set([
    ...inputs.ignored,
    ...(outputs.task === 'regression' ? outputNames(outputs) : outputs.label === undefined ? [] : [outputs.label]),
  ]);

/**
 * The columns of the model, in its order. A file has a header, as the training table had; one without is read in the order
 * of the model's columns. `header`: whether the first row is a header; default: whether it names a column of the model.
 * Throws `DataError`.
 */
export function readRows(
  file: Uint8Array,
  name: string,
  { inputs, outputs }: Preparation & { inputs: TableInputs },
  header?: boolean,
): ModelRows {
  const raw = readRaw(file, name, inputs.decimal && { decimal: inputs.decimal });
  const titles = inputs.columns.map((column) => column.name);
  const beside = knownBeside(inputs, outputs);
  const known = new Set([...titles, ...beside].map((title) => title.toLowerCase()));
  const isHeader = header ?? (inputs.header && raw.first.some((cell) => known.has(cell.toLowerCase())));
  if (!isHeader) return inPlace(raw, inputs, beside);
  const find = columnFinder(raw.first);
  const order = titles.map((title) => {
    const at = find(title);
    // A name that differs in case alone must not be that of another column.
    return at === undefined || raw.first[at] === title || !titles.includes(raw.first[at]!) ? at : undefined;
  });
  const missing = titles.filter((_, i) => order[i] === undefined);
  const twice = raw.first.find((title, i) => raw.first.indexOf(title) !== i);
  if (missing.length || twice !== undefined) {
    throw new DataError(
      `${name}: expected the columns of the model (${listOf(titles)}), matched by name; ` +
        `got ${missing.length ? `no column ${listOf(missing)}` : `${quoted(twice)} twice`}. Correct the header.`,
    );
  }
  const table = belowHeader(raw);
  const extra = raw.first.filter((title, i) => !order.includes(i) && !beside.has(title));
  return {
    ...{ name, table },
    decimal: raw.decimal,
    rows: table.rows,
    columns: order.map((at) => table.columns[at!]!),
    notes: extra.length ? [`${name}: left out ${listOf(extra)}, which the model does not know`] : [],
  };
}

/** A file without a header: the inputs alone, or all columns of a training table that had no header either. */
function inPlace(raw: RawTable, inputs: TableInputs, beside: ReadonlySet<string>): ModelRows {
  const { name, decimal } = raw;
  const table = withFirstRow(raw);
  const titles = inputs.columns.map((column) => column.name);
  const got = table.columns.length;
  const made = (places: readonly number[], notes: readonly string[] = []): ModelRows => ({
    ...{ name, table, decimal, rows: table.rows, notes },
    columns: places.map((place) => table.columns[place]!),
  });
  if (!inputs.header && got === titles.length + beside.size) return made(titles.map((title) => Number(title) - 1));
  if (got === titles.length) {
    const note = `${name}: no header: its columns are taken as ${listOf(titles)}`;
    return made([...titles.keys()], inputs.header ? [note] : []);
  }
  throw new DataError(
    `${name}: expected ${inputs.header ? `a header with the columns ${listOf(titles)}` : `${titles.length} columns`}, ` +
      `or rows of these ${titles.length} alone, in this order; got rows of ${got}. Add ${inputs.header ? 'a header' : 'or remove columns'}.`,
  );
}

/** Texts that are no category of their column: a note a column. They count as none of the categories, as gaps do. */
export function unknownNotes({ columns: specs, header }: TableInputs, rows: PreparedTable): string[] {
  return specs.flatMap((spec, place) => {
    if (spec.kind !== 'category') return [];
    const known = new Set(spec.categories);
    const strange = rows.columns[place]!.map(String).filter(
      (cell) => !known.has(cell) && !isMissing(cell, rows.decimal),
    );
    if (strange.length === 0) return [];
    return [
      `warning: ${rows.name}: ${columnTitle({ header }, spec.name)} holds texts that training did not see, in ${strange.length} ` +
        `row${strange.length === 1 ? '' : 's'}: ${listOf([...new Set(strange)])}. They count as none of its categories`,
    ];
  });
}
