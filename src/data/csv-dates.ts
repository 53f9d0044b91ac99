/** Columns of dates, and whether day or month comes first in them. */
import { type DateOrder, readDate } from '../core/dates.ts';
import { DataError } from '../core/errors.ts';
import { quoted } from '../core/quote.ts';
import { isNumericGap } from './csv-numbers.ts';
import { limits } from './limits.ts';
import type { Cell, Table } from './table.ts';

export interface Dates {
  readonly order: DateOrder;
  /** Whether every cell could also be read with day and month swapped. */
  readonly ambiguous: boolean;
}

/** The column by number and name, for messages. */
export const titleOf = ({ header }: Pick<Table, 'header'>, column: number): string =>
  `column ${column + 1}${header ? ` (${quoted(header[column])})` : ''}`;

const isGap = (cell: Cell) => (typeof cell === 'number' ? Number.isNaN(cell) : isNumericGap(cell));

/** The orders in which a cell is a date. A year in front is one in every order. */
function ordersOf(cell: Cell): { day: boolean; month: boolean; year: boolean } {
  if (typeof cell === 'number' || !/^\d/.test(cell)) return { day: false, month: false, year: false };
  const year = readDate(cell, 'ymd') !== undefined;
  return { day: year || readDate(cell, 'dmy') !== undefined, month: year || readDate(cell, 'mdy') !== undefined, year };
}

const words = { ymd: 'year first', dmy: 'day first', mdy: 'month first' } as const satisfies Record<DateOrder, string>;

/** For people. */
export const orderText = (order: DateOrder): string => words[order];

/**
 * How the dates of a column are written; undefined for a column of something else. A column that has dates but for a few
 * cells is an error, and so is one where some cells have the day first and others the month. Throws `DataError`.
 */
export function datesOf(table: Table, column: number): Dates | undefined {
  if (table.decimal === undefined) return undefined; // a format with types: a text is a text
  const strays: number[] = [];
  const firsts: { day?: number; month?: number } = {}; // rows that can be read in one order alone
  let [dates, years, dotted] = [0, 0, true];
  for (const [row, cell] of table.columns[column]!.entries()) {
    if (isGap(cell)) continue;
    const { day, month, year } = ordersOf(cell);
    if (!day && !month) {
      strays.push(row);
      if (dates === 0 && strays.length > limits.classes) return undefined;
      continue;
    }
    dates++;
    if (year) years++;
    else if (!String(cell).includes('.')) dotted = false;
    if (!month) firsts.day ??= row;
    if (!day) firsts.month ??= row;
  }
  if (dates <= strays.length) return undefined;
  if (strays.length > Math.max(limits.strayCells, limits.strayShare * table.rows)) return undefined;
  const cellAt = (row: number) => `${quoted(String(table.columns[column]![row]))} in row ${row + 1}`;
  if (strays.length) {
    const more = strays.length > 3 ? ` and ${strays.length - 3} more` : '';
    throw new DataError(
      `${table.name}: expected dates in ${titleOf(table, column)}, as in ${dates} of its cells; got ` +
        `${strays.slice(0, 3).map(cellAt).join(', ')}${more}. Correct these cells, or empty them: an empty cell is a gap.`,
    );
  }
  if (firsts.day !== undefined && firsts.month !== undefined) {
    throw new DataError(
      `${table.name}: expected the day first in all dates of ${titleOf(table, column)}, or the month first in all; got ` +
        `${cellAt(firsts.day)} and ${cellAt(firsts.month)}. Write them as 2024-01-31.`,
    );
  }
  if (years === dates) return { order: 'ymd', ambiguous: false };
  if (firsts.month !== undefined) return { order: 'mdy', ambiguous: false };
  return { order: 'dmy', ambiguous: firsts.day === undefined && !dotted }; // with dots, the day comes first everywhere
}
