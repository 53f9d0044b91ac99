/** Rows of tables and signals as callers have them, as inputs of a model. */
import { arrayType, toFloat32Array } from '../core/arrays.ts';
import { DataError } from '../core/errors.ts';
import { quoted } from '../core/quote.ts';
import { quotedList } from '../data/names.ts';
import { prepareSeries } from '../data/series.ts';
import { encodeTable, type RawCell } from '../data/table-inputs.ts';
import {
  type ColumnSpec,
  type OutputSpec,
  outputNames,
  type Preparation,
  type SignalInputs,
  type TableInputs,
} from '../model/preparation.ts';

/** Columns of the training table that hold what the model predicts: a row may have them, and they are not read. */
const answerColumns = (outputs: OutputSpec): readonly string[] =>
  outputs.task === 'regression' ? outputNames(outputs) : outputs.label === undefined ? [] : [outputs.label];

/** A value of a caller's row as a cell. Programs write numbers without the unit that a file has. */
function cellOf(title: string, value: unknown, column: ColumnSpec, decimal: '.' | ','): RawCell {
  if (value === null || value === undefined) return Number.NaN;
  if (value instanceof Date || typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value !== 'number') {
    throw new DataError(
      `${title}: expected a number, a text, a Date or null in column ${quoted(column.name)}, got ${arrayType(value)}. Convert it.`,
    );
  }
  if (column.kind === 'date' && !Number.isNaN(value)) {
    throw new DataError(
      `${title}: expected a text or a Date in column ${quoted(column.name)}, got the number ${value}. Pass new Date(...).`,
    );
  }
  const unit = column.kind === 'number' ? column.unit : undefined;
  return unit && Number.isFinite(value) ? `${String(value).replace('.', decimal)}${unit}` : value;
}

/** The values of a row in the order of the columns: by name from an object, by place from an array. */
function valuesOf(
  title: string,
  row: object,
  { inputs, outputs }: { inputs: TableInputs; outputs: OutputSpec },
): readonly unknown[] {
  const { columns, ignored } = inputs;
  if (Array.isArray(row)) {
    if (row.length === columns.length) return row;
    throw new DataError(
      `${title}: expected ${columns.length} cells a row (${quotedList(columns.map(({ name }) => name))}), got ${row.length}. ` +
        'Pass an object with the columns by name, or cells in this order.',
    );
  }
  const given = new Set(Object.keys(row));
  const missing = columns.filter(({ name }) => !given.has(name)).map(({ name }) => name);
  const known = new Set([...columns.map(({ name }) => name), ...ignored, ...answerColumns(outputs)]);
  const unknown = [...given].filter((name) => !known.has(name));
  if (missing.length || unknown.length) {
    const wrong = [
      ...(missing.length ? [`no ${quotedList(missing)}`] : []),
      ...(unknown.length ? [`the unknown ${quotedList(unknown)}`] : []),
    ];
    throw new DataError(
      `${title}: expected the columns ${quotedList(columns.map(({ name }) => name))}; got ${wrong.join(' and ')}. ` +
        'Correct the names; pass null for a missing value.',
    );
  }
  return columns.map(({ name }) => (row as Readonly<Record<string, unknown>>)[name]);
}

/** Errors start with `title`. Throws `DataError`. */
export function tableRows(
  rows: readonly unknown[],
  { inputs, outputs }: Preparation & { inputs: TableInputs },
  title = 'classify',
): Float32Array<ArrayBuffer> {
  const { decimal = '.' } = inputs;
  const values = rows.map((row) => {
    if (typeof row === 'object' && row !== null && !ArrayBuffer.isView(row))
      return valuesOf(title, row, { inputs, outputs });
    if (ArrayBuffer.isView(row)) return valuesOf(title, [...(row as Float32Array)], { inputs, outputs });
    throw new DataError(`${title}: expected rows as objects or arrays, got ${arrayType(row)}`);
  });
  const columns = inputs.columns.map((column, place) =>
    values.map((row) => cellOf(title, row[place], column, decimal)),
  );
  return encodeTable(inputs, { name: title, columns, rows: rows.length, decimal });
}

/** The channels of a signal: from an object by name, or from numbers, (length, channels) row-major. */
function channelsOf(title: string, signal: unknown, { channels, length }: SignalInputs): ArrayLike<number>[] {
  const size = length * channels.length;
  const fail = (got: string): never => {
    throw new DataError(
      `${title}: expected a signal of ${length} samples of ${quotedList(channels)}, as an object with an array for each channel ` +
        `or as ${size} numbers; got ${got}`,
    );
  };
  if (typeof signal !== 'object' || signal === null) return fail(arrayType(signal));
  if (Array.isArray(signal) || ArrayBuffer.isView(signal)) {
    const numbers = signal as unknown as ArrayLike<number>;
    if (numbers.length !== size) fail(`${numbers.length} numbers`);
    toFloat32Array(title, numbers); // checks that they are numbers
    return channels.map((_, c) => Float64Array.from({ length }, (_, i) => numbers[i * channels.length + c]!));
  }
  const given = new Map(Object.entries(signal as Readonly<Record<string, ArrayLike<number>>>));
  return channels.map((name) => {
    const values = given.get(name) ?? fail(`none called ${quoted(name)}`);
    toFloat32Array(`${title}: channel ${quoted(name)}`, values);
    return values;
  });
}

/** Signals as the training data was prepared: NaN is a gap, and channels of another length are stretched. Throws `DataError`. */
export function signalRows(
  signals: readonly unknown[],
  inputs: SignalInputs,
  title = 'classify',
): Float32Array<ArrayBuffer> {
  const size = inputs.length * inputs.channels.length;
  const out = new Float32Array(signals.length * size);
  for (const [row, signal] of signals.entries()) {
    out.set(prepareSeries({ channels: channelsOf(title, signal, inputs) }, inputs), row * size);
  }
  return out;
}
