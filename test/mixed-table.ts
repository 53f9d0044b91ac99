/** A table as people have them: numbers with gaps, prices with a currency, texts, dates with times, and an id. */
import { philox4x32 } from '../src/weights/stream.ts';

export type MixedRow = Readonly<Record<string, string>>;

const colours = ['red', 'blue, dark', 'grün', 'NA'];

/** Row `i` is the same in every table. The class follows from size, colour and day. */
export function mixedRow(i: number): MixedRow {
  const [a, b, c, d] = philox4x32([i, 0, 99, 0], [1, 2]).map((word) => word / 2 ** 32) as [
    number,
    number,
    number,
    number,
  ];
  const colour = colours[Math.floor(4 * b)]!;
  const day = new Date(Date.UTC(2022, 0, 1) + Math.floor(c * 700 * 1440) * 60_000);
  const dear = a + (colour === 'red' ? 0.4 : 0) + 0.3 * c > 0.75;
  return {
    id: `A-${1000 + i}`,
    size: d < 0.06 ? '' : (20 + 80 * a).toFixed(2),
    colour,
    price: `$${(1000 + Math.floor(9000 * d)).toLocaleString('en')}`,
    sold: `${day.toISOString().slice(0, 10)} ${day.toISOString().slice(11, 16)}`,
    kind: dear ? 'dear' : 'cheap',
  };
}

/** RFC 4180, with these columns. */
export const csvOf = (rows: readonly MixedRow[], columns: readonly string[]): string =>
  [columns, ...rows.map((row) => columns.map((name) => row[name] ?? ''))]
    .map((cells) => `${cells.map((cell) => (cell.includes(',') ? `"${cell}"` : cell)).join(',')}\n`)
    .join('');

/** The columns in the order of the training file. */
export const mixedColumns = ['id', 'size', 'colour', 'price', 'sold', 'kind'] as const;
