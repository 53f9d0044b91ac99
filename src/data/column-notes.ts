/** What was made of each column of a table, for people: shown before the training starts. */
import { significant } from '../core/format.ts';
import type { ColumnSpec } from '../model/preparation.ts';
import { nameOf } from './csv-columns.ts';
import { orderText } from './csv-dates.ts';
import type { Table } from './table.ts';
import { countGaps, isMissing, numberOf } from './table-inputs.ts';

export interface ColumnNote {
  readonly column: string;
  /** What the column is taken for. */
  readonly kind: string;
  /** What that follows from. */
  readonly from: string;
  /** Cells that are missing. */
  readonly gaps: number;
  /** Set where the column looks like a number or a name of the row, from which nothing can be learnt. */
  readonly id?: string;
}

/** Why a column is neither input nor target. */
export type LeftOut = 'dropped' | 'label' | 'only gaps';

const MOST_LISTED = 3;

/** Fewer different values may be chance. */
const FEWEST_IDS = 20;

const DAY = 86_400_000;

const dayText = (days: number) => new Date(days * DAY).toISOString().slice(0, 10);

const kinds: {
  readonly [K in ColumnSpec['kind']]: {
    title: string;
    from(column: Extract<ColumnSpec, { kind: K }>): string;
  };
} = {
  number: {
    title: 'number',
    from: ({ mean, deviation, unit }) =>
      `${significant(mean)} \u00b1 ${significant(deviation)}${unit ? `, written with ${unit}` : ''}`,
  },
  date: {
    title: 'date, as days',
    from: ({ mean, deviation, order }) => `${orderText(order)}; ${dayText(mean)} \u00b1 ${significant(deviation)} days`,
  },
  category: {
    title: 'text, one-hot',
    from: ({ categories }) => {
      const more = categories.length > MOST_LISTED ? ', ...' : '';
      return `${categories.length} different: ${categories.slice(0, MOST_LISTED).join(', ')}${more}`;
    },
  },
};

/** Whether the rows have texts that all differ, or integers that follow one another: names and numbers of rows. */
function idReason(table: Table, at: number, column: ColumnSpec, gaps: number): string | undefined {
  const count = table.rows - gaps;
  if (count < FEWEST_IDS) return undefined;
  if (column.kind === 'category') {
    const texts = new Set(table.columns[at]!.filter((cell) => !isMissing(cell, table.decimal)).map(String));
    return texts.size === count ? 'a different text in each row' : undefined;
  }
  if (column.kind === 'date' || gaps > 0) return undefined;
  const values = new Set<number>();
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const cell of table.columns[at]!) {
    const value = numberOf(cell, table.decimal, column.unit ?? '')!;
    if (!Number.isInteger(value) || values.has(value)) return undefined;
    values.add(value);
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return most - least + 1 === count ? 'consecutive integers, a different one in each row' : undefined;
}

/** `specs`: what each column became, or why it became nothing. */
export function columnNotes(table: Table, specs: readonly (ColumnSpec | LeftOut)[]): ColumnNote[] {
  return specs.map((spec, at): ColumnNote => {
    const column = nameOf(table, at);
    if (typeof spec === 'string') return { column, kind: spec, from: '', gaps: 0 };
    const inputs = { kind: 'table', columns: [spec], ignored: [], header: true } as const;
    const counted = countGaps(inputs, [{ ...table, decimal: table.decimal, columns: [table.columns[at]!] }]);
    const gaps = [...counted.values()].reduce((a, b) => a + b, 0);
    const { title, from } = kinds[spec.kind] as { title: string; from(column: ColumnSpec): string };
    const id = idReason(table, at, spec, gaps);
    return { column, kind: title, from: from(spec), gaps, ...(id && { id }) };
  });
}
