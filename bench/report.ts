/** The report for people: tables by task and shape. */
import Table from 'cli-table3';
import { group, type Row } from './rows.ts';

const HEAD = [
  'engine',
  'weights',
  'min ms',
  'median',
  'spread',
  'samples',
  'GMAC/s',
  'GB/s',
  'of FMA',
  'of copy',
  'x best peer',
  'verified',
];

/** Three significant digits. */
export const figure = (value: number | undefined): string =>
  value === undefined ? '' : value >= 100 ? value.toFixed(0) : value.toPrecision(3);

const percent = (value: number | undefined): string => (value === undefined ? '' : `${(100 * value).toFixed(0)}%`);

const verdict = (row: Row): string => (row.verified === false ? 'FALSE' : row.verified === undefined ? '' : 'yes');

function cells(row: Row): string[] {
  return [
    row.engine,
    [row.weights, row.note].filter(Boolean).join(', '),
    figure(row.ms?.min),
    figure(row.ms?.median),
    percent(row.ms?.spread),
    row.samples ? `${row.samples} x ${row.calls}` : '',
    figure(row.gmacs),
    figure(row.gbps),
    percent(row.share?.fma),
    percent(row.share?.copy),
    row.ratio ? `${figure(row.ratio)}` : '',
    verdict(row),
  ];
}

/** One table for each task and shape. */
export function tables(rows: readonly Row[]): string {
  const groups = new Map<string, Row[]>();
  for (const row of rows) groups.set(group(row), [...(groups.get(group(row)) ?? []), row]);
  return [...groups]
    .map(([name, members]) => {
      const table = new Table({ head: HEAD, style: { head: [], border: [], compact: true } });
      for (const row of members) table.push(cells(row));
      const errors = members
        .filter(({ error }) => error)
        .map((row) => `  ${row.engine} ${row.weights}: ${row.verified === false ? 'WRONG: ' : ''}${row.error}`);
      return [`\n${name}`, table.toString(), ...errors].join('\n');
    })
    .join('\n');
}
