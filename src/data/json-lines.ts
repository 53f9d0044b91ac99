/** JSON lines: a file of one object a line, each of them a row. For Node. */
import { DataError } from '../core/errors.ts';
import type { TableInputs } from '../model/preparation.ts';
import type { ModelRows } from './csv-rows.ts';
import { limits } from './limits.ts';
import { quotedList } from './names.ts';
import { Records } from './records.ts';
import type { Table } from './table.ts';
import { readText } from './text-encoding.ts';

export const isJsonLinesName = (name: string): boolean => /\.(jsonl|ndjson)$/i.test(name);

const NEWLINE = 10;

/** Throws `DataError` that names the line. */
export function readJsonLines(file: Uint8Array, name: string): Table {
  if (file.length > limits.csvBytes) {
    throw new DataError(`${name}: expected at most ${limits.csvBytes} bytes, got ${file.length}. Leave rows out.`);
  }
  const { utf8, encoding } = readText(file, name);
  const decoder = new TextDecoder();
  const records = new Records(name);
  for (let start = 0, line = 1; start < utf8.length; line++) {
    const found = utf8.indexOf(NEWLINE, start);
    const end = found < 0 ? utf8.length : found;
    if (end - start > limits.jsonLine) {
      throw new DataError(
        `${name}: expected lines of at most ${limits.jsonLine} bytes, got ${end - start} in line ${line}. Write one object ` +
          'a line, without line breaks in it.',
      );
    }
    const text = decoder.decode(utf8.subarray(start, end)).trim();
    if (text !== '') records.add(parseLine(text, name, line));
    start = end + 1;
  }
  return records.table(`${encoding}, JSON lines`);
}

/**
 * A file with the columns of `train`, in its order. `optional`: a column that it may lack, which is then empty. Throws
 * `DataError` for missing and unknown columns.
 */
export function jsonLinesLike(file: Uint8Array, name: string, train: Table, optional?: number): Table {
  const table = readJsonLines(file, name);
  const [wanted, given] = [train.header!, table.header!];
  const unknown = given.filter((key) => !wanted.includes(key));
  const missing = wanted.filter((key, i) => i !== optional && !given.includes(key));
  if (unknown.length || missing.length) {
    const wrong = [
      ...(missing.length ? [`no column ${quotedList(missing)}`] : []),
      ...(unknown.length ? [`the unknown ${quotedList(unknown)}`] : []),
    ];
    throw new DataError(
      `${name}: expected the columns of ${train.name} (${quotedList(wanted)}), got ${wrong.join(' and ')}. Correct the names.`,
    );
  }
  return { ...table, header: wanted, columns: wanted.map((key) => table.columns[given.indexOf(key)] ?? []) };
}

/**
 * The columns of a model, in its order; others are left out, and `notes` name them. Throws `DataError` for a column that
 * no row has.
 */
export function jsonLinesFor(file: Uint8Array, name: string, { columns, ignored }: TableInputs): ModelRows {
  const table = readJsonLines(file, name);
  const given = table.header!;
  const missing = columns.filter((column) => !given.includes(column.name));
  if (missing.length) {
    throw new DataError(
      `${name}: expected the columns of the model (${quotedList(columns.map((column) => column.name))}), got none called ${quotedList(missing.map((column) => column.name))}. Correct the names; ` +
        'null is a missing value.',
    );
  }
  const known = new Set([...columns.map((column) => column.name), ...ignored]);
  const others = given.filter((key) => !known.has(key));
  return {
    ...{ name, table, rows: table.rows, decimal: '.' },
    columns: columns.map((column) => table.columns[given.indexOf(column.name)]!),
    notes: others.length ? [`${name}: columns that the model does not read: ${quotedList(others)}`] : [],
  };
}

function parseLine(text: string, name: string, line: number): unknown {
  const problem = text.startsWith('{') ? undefined : 'another start';
  try {
    if (problem === undefined) return JSON.parse(text);
  } catch {
    // named below
  }
  throw new DataError(
    `${name}: expected a JSON object in line ${line}, such as {"size": 3, "kind": "a"}; got ${problem ?? 'invalid JSON'}. ` +
      'Correct that line.',
  );
}
