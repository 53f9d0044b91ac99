/** Whether the first row of a CSV file names its columns, and which of them are those of another file. */
import { DataError } from '../core/errors.ts';
import { quoted } from '../core/quote.ts';
import { type Decimal, isNumericGap, readNumber } from './csv-numbers.ts';
import type { Cell, RawTable, Table } from './table.ts';

type Kind = 'number' | 'text' | 'gap';

function kindOf(cell: Cell, decimal: Decimal | undefined): Kind {
  if (typeof cell === 'number') return Number.isNaN(cell) ? 'gap' : 'number';
  if (decimal === undefined) return 'text';
  return isNumericGap(cell) ? 'gap' : readNumber(cell, decimal) ? 'number' : 'text';
}

/** Whether most cells of a column are numbers, gaps apart. */
function isMostlyNumbers(column: readonly Cell[], decimal: Decimal | undefined): boolean {
  const counts = { number: 0, text: 0, gap: 0 };
  for (const cell of column) counts[kindOf(cell, decimal)]++;
  return counts.number > counts.text;
}

/**
 * Names that pandas gives to columns without one: integers that count up. Enough of them, or where each stands in its
 * place.
 */
function countsUp(cells: readonly string[]): boolean {
  const numbers = cells.map((cell) => (/^(0|[1-9]\d{0,8})$/.test(cell) ? Number(cell) : Number.NaN));
  const found = numbers.flatMap((value, place) => (Number.isNaN(value) ? [] : [{ value, place }]));
  const steps = found.every(({ value }, i) => i === 0 || value === found[i - 1]!.value + 1);
  return steps && (found.length > 1 || found.every(({ value, place }) => Math.abs(value - place) <= 1));
}

/** Throws `DataError` where the first row could be either. */
export function isFirstRowHeader({ name, first, columns, rows, decimal }: RawTable): boolean {
  if (rows === 0) return false;
  const kinds = first.map((cell) => kindOf(cell, decimal));
  const numbers = first.filter((_, i) => kinds[i] === 'number');
  if (numbers.some((cell) => !/^\d+$/.test(cell)) || !countsUp(first)) return false; // names are no measurements
  const numeric = columns.map((column) => isMostlyNumbers(column, decimal));
  if (kinds.some((kind, i) => kind === 'text' && numeric[i])) return true;
  const recurs = first.map((cell, i) => columns[i]!.some((other) => String(other) === cell));
  const texts = kinds.flatMap((kind, i) => (kind === 'text' ? [i] : []));
  if (texts.some((i) => recurs[i])) return false;
  if (numbers.length === 0) return texts.length === first.length && new Set(first).size === first.length;
  if (numbers[0] !== '0' || numbers.length < 2) return false;
  if (first[0] === '' && columns[0]!.every((cell, row) => cell === row)) return true; // the index of pandas
  // '0,1,2' or '0,1,kind': names, unless the columns have these very values elsewhere.
  if (kinds.some((kind, i) => kind === 'number' && !numeric[i]) || texts.length > 0) return true;
  if (first.length > 2 && kinds.some((kind, i) => kind === 'number' && !recurs[i])) return true;
  throw new DataError(
    `${name}: expected a first row that is clearly a header or clearly data, got ${quoted(first.slice(0, 5).join())}, which may be both. ` +
      'Decide by --header yes or --header no.',
  );
}

/** By exact name, or by a name that differs only in case if just one does. */
export function columnFinder(names: readonly string[]): (name: string) => number | undefined {
  const exact = new Map(names.map((name, i) => [name, i]));
  const folded = new Map<string, number | undefined>();
  for (const [i, name] of names.entries()) {
    const key = name.toLowerCase();
    folded.set(key, folded.has(key) ? undefined : i);
  }
  return (name) => exact.get(name) ?? folded.get(name.toLowerCase());
}

/**
 * For each column of `train` its place in the file, by name; undefined if the first row is no header. Throws
 * `DataError` for unknown, missing and repeated columns.
 */
export function matchHeader(
  { name, first, decimal }: RawTable,
  train: Table,
  optional: number | undefined,
): (number | undefined)[] | undefined {
  if (!train.header) return undefined;
  const find = columnFinder(train.header);
  const places = first.map(find);
  const known = places.filter((place) => place !== undefined).length;
  if (known < first.length && !looksLikeNames(first, places, train, decimal)) return undefined;
  const inOrder = places.every((place, i) => i === 0 || place === undefined || place > (places[i - 1] ?? -1));
  if (!inOrder && first.every((cell) => /^\d+$/.test(cell))) {
    throw new DataError(
      `${name}: expected a first row that is clearly a header or clearly data, got ${quoted(first.slice(0, 5).join())}, which may be both. ` +
        `Put the columns in the order of ${train.name}.`,
    );
  }
  const order = train.header.map((): number | undefined => undefined);
  for (const [i, place] of places.entries()) {
    if (place === undefined) continue;
    if (order[place] !== undefined) {
      throw new DataError(
        `${name}: expected each column once, got ${quoted(first[order[place]!]!)} and ${quoted(first[i]!)}. Remove one.`,
      );
    }
    order[place] = i;
  }
  const unknown = first.filter((_, i) => places[i] === undefined);
  const missing = train.header.filter((_, i) => order[i] === undefined && i !== optional);
  if (unknown.length === 0 && missing.length === 0) return order;
  const wrong = [
    ...(missing.length ? [`no column ${listOf(missing)}`] : []),
    ...(unknown.length ? [`the unknown ${listOf(unknown)}`] : []),
  ];
  throw new DataError(
    `${name}: expected the columns of ${train.name} (${listOf(train.header)}), matched by name; got ${wrong.join(' and ')}. ` +
      'Correct the header.',
  );
}

/** The first names of a list, quoted. */
export const listOf = (names: readonly string[]) =>
  names.slice(0, 6).map(quoted).join(', ') + (names.length > 6 ? `, ... (${names.length})` : '');

/** Of a first row that has cells which are no names of columns. */
function looksLikeNames(
  first: readonly string[],
  places: readonly (number | undefined)[],
  train: Table,
  decimal: Decimal,
): boolean {
  const known = places.filter((place) => place !== undefined).length;
  if (2 * known > first.length) return true;
  const kinds = first.map((cell) => kindOf(cell, decimal));
  if (kinds.includes('number')) return false;
  if (known > 0) return true;
  return kinds.some(
    (kind, i) => kind === 'text' && train.columns[i] && isMostlyNumbers(train.columns[i], train.decimal),
  );
}
