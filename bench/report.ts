/** The text report: tables by task and shape. */
import Table from 'cli-table3';
import { bytes, figure, percent } from './format.ts';
import { group, type Row } from './rows.ts';

export const HEAD = [
  'engine',
  'weights',
  'min ms',
  'median',
  'p90',
  'spread',
  'GPU ms',
  'samples',
  'GMAC/s',
  'GB/s',
  'of FMA',
  'of copy',
  'x best peer',
  'verified',
];

const verdict = (row: Row): string => (row.verified === false ? 'FALSE' : row.verified === undefined ? '' : 'yes');

const amount = ({ value, unit }: Row): string =>
  value === undefined ? '' : unit?.startsWith('bytes') ? `${bytes(value)}${unit.slice(5)}` : `${figure(value)} ${unit}`;

export function cells(row: Row): string[] {
  return [
    row.engine,
    [row.weights, amount(row), row.note].filter(Boolean).join(', '),
    figure(row.ms?.min),
    figure(row.ms?.median),
    figure(row.ms?.p90),
    percent(row.ms?.spread),
    figure(row.gpuMs),
    row.samples?.length ? `${row.samples.length} x ${row.calls}` : '',
    figure(row.gmacs),
    figure(row.gbps),
    percent(row.share?.fma),
    percent(row.share?.copy),
    row.ratio ? `${figure(row.ratio)}` : '',
    verdict(row),
  ];
}

/** Rows by task and shape. */
export function groups(rows: readonly Row[]): Map<string, Row[]> {
  const found = new Map<string, Row[]>();
  for (const row of rows) found.set(group(row), [...(found.get(group(row)) ?? []), row]);
  return found;
}

/** One table per task and shape. */
export function tables(rows: readonly Row[]): string {
  return [...groups(rows)]
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
