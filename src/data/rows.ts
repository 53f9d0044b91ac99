/** `dataSet.fromRows`: objects as a data set, encoded as the command line encodes CSV files. */
import { DataError } from '../core/errors.ts';
import { expectOptions } from '../core/options.ts';
import { quoted } from '../core/quote.ts';
import { columnWidth, type Preparation, type TableInputs } from '../model/preparation.ts';
import { type ColumnChoice, tableToData } from './csv.ts';
import { type DataSet, dataSet } from './dataset.ts';
import { Records, type RowObject } from './records.ts';
import type { Cell, Table } from './table.ts';
import { encodeTable } from './table-inputs.ts';

export interface RowsOptions extends ColumnChoice {
  /** The property to predict. Default: the one called label, class or target, otherwise the last. */
  label?: string;
  /** How the training rows were encoded, so that rows to validate with are encoded alike: `data.preparation`. */
  preparation?: Preparation;
}

const NAME = 'dataSet.fromRows';

/**
 * Objects as rows: texts become one-hot inputs, numbers and dates are standardised, null and undefined are missing values,
 * and texts are read as cells of a CSV file are. The result holds its preparation, so a model that is trained on it
 * predicts from objects. Throws `OptionError`, and `DataError` that names row and column.
 */
export function fromRows(rows: Iterable<RowObject>, options: RowsOptions = {}): DataSet {
  expectOptions(NAME, options, {
    label: 'string',
    task: 'string',
    columns: 'array',
    drop: 'array',
    preparation: 'object',
  });
  const { label, preparation, ...choice } = options;
  if (typeof rows?.[Symbol.iterator] !== 'function' || typeof rows === 'string') {
    throw new DataError(`${NAME}: expected rows as a list of objects, got ${quoted(rows)}`);
  }
  const records = new Records(NAME);
  for (const row of rows) records.add(row);
  const table = records.table('objects');
  return preparation ? encodedAs(table, preparation) : tableToData(table, label, choice);
}

/** Throws `DataError` for columns and classes that the preparation does not have. */
function encodedAs(table: Table, preparation: Preparation): DataSet {
  const { inputs, outputs } = preparation;
  if (inputs.kind !== 'table' || outputs.task !== 'classification' || outputs.label === undefined) {
    throw new DataError(
      `${NAME}: expected the preparation of rows with a label, got another one. Pass data.preparation.`,
    );
  }
  const names = new Map(outputs.classes.map((name, i) => [name, i]));
  const labels = columnNamed(table, outputs.label).map((cell, row) => {
    const label = names.get(String(cell));
    if (label !== undefined) return label;
    throw new DataError(
      `${NAME}: expected a class of the training rows (${outputs.classes.slice(0, 6).join(', ')}) in row ${row + 1}, ` +
        `column ${quoted(outputs.label)}; got ${quoted(String(cell))}`,
    );
  });
  const columns = inputs.columns.map(({ name }) => columnNamed(table, name));
  const features = encodeTable(inputs, { name: NAME, columns, rows: table.rows, decimal: inputs.decimal });
  return dataSet({ features, shape: [widthOf(inputs)], labels, classes: outputs.classes.length, preparation });
}

const widthOf = ({ columns }: TableInputs) => columns.reduce((sum, column) => sum + columnWidth(column), 0);

function columnNamed({ header, columns }: Table, name: string): readonly Cell[] {
  const found = columns[header!.indexOf(name)];
  if (found) return found;
  throw new DataError(`${NAME}: expected the column ${quoted(name)}, which the training rows have; got none. Add it.`);
}
