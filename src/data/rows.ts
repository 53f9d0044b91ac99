/** `dataSet.fromRows`: objects as a data set, encoded as the command line encodes CSV files. */
import { DataError } from '../core/errors.ts';
import { expectOptions } from '../core/options.ts';
import { quoted } from '../core/quote.ts';
import { type Preparation, tasks } from '../model/preparation.ts';
import { expectPreparation } from '../model/preparation-metadata.ts';
import { type ColumnChoice, tableToData } from './csv.ts';
import type { DataSet } from './dataset.ts';
import { encodeLabelled, expectTask, isTablePreparation, labelPlaces } from './labelled-table.ts';
import { Records, type RowObject } from './records.ts';
import type { Cell, Table } from './table.ts';

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
    task: tasks,
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
  try {
    return preparation ? encodedAs(table, preparation, options) : tableToData(table, label, choice);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    // Tables name their options as the command line does.
    throw new DataError(error.message.replaceAll(/--(label|task|columns|drop)\b/g, '$1'));
  }
}

/** Throws `DataError` for columns and targets that the preparation does not have. */
function encodedAs(table: Table, preparation: Preparation, { label, task }: RowsOptions): DataSet {
  expectPreparation(NAME, preparation);
  if (!isTablePreparation(preparation)) {
    throw new DataError(
      `${NAME}: expected the preparation of rows, got one of ${preparation.inputs.kind}. Pass data.preparation.`,
    );
  }
  expectTask(NAME, preparation.outputs, task);
  const { inputs } = preparation;
  const columns = inputs.columns.map(({ name }) => columnNamed(table, name));
  const prepared = { name: NAME, columns, rows: table.rows, decimal: inputs.decimal };
  const at = labelPlaces(table, preparation, label);
  return encodeLabelled({ table, prepared, at, preparation, from: 'the training rows' });
}

function columnNamed({ header, columns }: Table, name: string): readonly Cell[] {
  const found = columns[header!.indexOf(name)];
  if (found) return found;
  throw new DataError(`${NAME}: expected the column ${quoted(name)}, which the training rows have; got none. Add it.`);
}
