/** How a CSV file separates its cells and writes its numbers, recognised from its first rows. */
import { parse } from 'csv-parse/sync';
import { type Decimal, decimalEvidence, readNumber } from './csv-numbers.ts';

export const delimiters = [',', ';', '\t', '|'] as const;
export type Delimiter = (typeof delimiters)[number];

export interface Dialect {
  readonly delimiter: Delimiter;
  readonly decimal: Decimal;
}

/** What is looked at: so many bytes and rows from the start. */
const SAMPLE_BYTES = 2 ** 20;
const SAMPLE_ROWS = 4096;

/** `usual`: the dialect of another file of the same data, for what this one does not tell. */
export function dialectOf(utf8: Uint8Array, usual?: Partial<Dialect>): Dialect {
  const cut = utf8.length > SAMPLE_BYTES ? utf8.lastIndexOf(10, SAMPLE_BYTES) : -1;
  const sample = utf8.subarray(0, cut > 0 ? cut : SAMPLE_BYTES);
  const samples = delimiters.map((delimiter) => ({ delimiter, rows: sampleRows(sample, delimiter) }));
  const isUsual = ({ delimiter }: { delimiter: Delimiter }) => delimiter === usual?.delimiter;
  const even = samples.filter(
    (one) => width(one.rows) > (isUsual(one) ? 0 : 1) && one.rows.every((row) => row.length === width(one.rows)),
  );
  const scored = even.map((one) => ({ ...one, score: scoreOf(one.rows) }));
  const best = scored.sort(
    (a, b) => b.score - a.score || Number(isUsual(b)) - Number(isUsual(a)) || width(b.rows) - width(a.rows),
  )[0];
  // Rows of unequal length under every delimiter: the one that the first row has most often, so that the error names
  // the odd row.
  const fallback = () => samples.reduce((most, one) => (width(one.rows) > width(most.rows) ? one : most));
  const { delimiter, rows } = best ?? fallback();
  return { delimiter, decimal: decimalOf(rows, delimiter, usual?.decimal) };
}

const width = (rows: readonly string[][]) => rows[0]?.length ?? 0;

function sampleRows(sample: Uint8Array, delimiter: Delimiter): string[][] {
  const rows: string[][] = [];
  try {
    const options = { delimiter, to: SAMPLE_ROWS, skip_empty_lines: true, trim: true, relax_column_count: true };
    parse(sample, {
      ...options,
      on_record: (row: string[]) => {
        rows.push(row);
        return undefined;
      },
    });
  } catch {
    // A quote that the sample cuts open, or one out of place: the rows before it tell enough.
  }
  return rows;
}

/**
 * Share of the cells that are numbers, less the share of texts with another delimiter in them. The right delimiter has
 * the highest score: '1,5;a' is a number and a text by semicolons, but by commas a number and '5;a'.
 */
function scoreOf(rows: readonly string[][]): number {
  let score = 0;
  let cells = 0;
  for (const row of rows) {
    cells += row.length;
    for (const cell of row) {
      if (readNumber(cell, '.') ?? readNumber(cell, ',')) score++;
      else if (delimiters.some((mark) => cell.includes(mark))) score--;
    }
  }
  return score / cells;
}

function decimalOf(rows: readonly string[][], delimiter: Delimiter, usual: Decimal | undefined): Decimal {
  const counts = { '.': 0, ',': 0, either: 0 };
  let commas = false;
  for (const cell of rows.flat()) {
    const evidence = decimalEvidence(cell);
    if (evidence) counts[evidence]++;
    commas ||= evidence === 'either' && cell.includes(',');
  }
  if (counts[','] !== counts['.']) return counts[','] > counts['.'] ? ',' : '.';
  return usual ?? (commas && delimiter !== ',' ? ',' : '.');
}
