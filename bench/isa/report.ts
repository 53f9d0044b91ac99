/** Formats the figures, and compares ours with the committed table. */
import Table from 'cli-table3';
import { figure } from '../format.ts';
import type { Figures, IsaRow } from './rows.ts';

const HEAD = [
  'engine',
  'kernel',
  'VGPRs',
  'spilled',
  'scratch',
  'LDS B',
  'waves',
  'MACs/turn',
  'cycles/MAC',
  'checked',
  '1/4 rate',
  'LDS/MAC',
  'VMEM/MAC',
  'SMEM/MAC',
];

/** Constants that do not affect the hot loop. */
const QUIET = new Set(['EPILOGUE', 'ACTIVATION']);

export const nameOf = ({ kernel, weights, constants, shapes = [] }: IsaRow): string =>
  [
    kernel,
    weights,
    ...Object.entries(constants).flatMap(([name, value]) => (QUIET.has(name) ? [] : [`${name}=${value}`])),
    ...shapes,
  ]
    .filter(Boolean)
    .join(' ');

const small = (value: number | undefined) =>
  value === undefined ? '' : value === 0 ? '0' : value.toFixed(value < 0.1 ? 4 : 3);

function cells(row: Figures): string[] {
  const { spilled, spilledSgprs, turn } = row;
  return [
    row.engine,
    nameOf(row),
    `${row.vgprs}`,
    spilledSgprs ? `${spilled} + ${spilledSgprs} s` : `${spilled}`,
    `${row.scratch}`,
    `${row.lds}`,
    `${row.waves}`,
    turn ? `${turn.macs}` : '',
    `${small(row.cyclesPerMac)}${row.nested ? ' *' : ''}`,
    small(row.checked.cyclesPerMac),
    turn ? figure(turn.quarter) : '',
    small(row.ldsPerMac),
    small(row.vmemPerMac),
    small(row.smemPerMac),
  ];
}

/** One table per GPU, the peers first. */
export function tables(rows: readonly IsaRow[]): string {
  return [...new Set(rows.map(({ gpu }) => gpu))]
    .map((gpu) => {
      const table = new Table({ head: HEAD, style: { head: [], border: [], compact: true } });
      const members = rows.filter((row) => row.gpu === gpu);
      for (const row of members) if (!('error' in row)) table.push(cells(row));
      const errors = members.flatMap((row) => ('error' in row ? [`  ${row.engine} ${nameOf(row)}: ${row.error}`] : []));
      const nested = members.some((row) => 'nested' in row)
        ? ['* inside a loop whose turns the code does not tell']
        : [];
      return [`\n${gpu}`, table.toString(), ...nested, ...errors].join('\n');
    })
    .join('\n');
}

export interface IsaTable {
  /** The driver whose compiler produced the figures. */
  readonly compiler: string;
  readonly rows: readonly IsaRow[];
}

const key = (row: IsaRow) => `${row.gpu} ${row.engine} ${nameOf(row)} ${JSON.stringify(row.constants)}`;

/** JSON with one row per line, so that a changed figure changes one line. */
export const serialize = ({ compiler, rows }: IsaTable): string =>
  `{"compiler": ${JSON.stringify(compiler)}, "rows": [\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]}\n`;

/** The differences between the committed table and the present one, one line each. */
export function differences(golden: IsaTable, now: IsaTable): string[] {
  const before = new Map(golden.rows.map((row) => [key(row), row]));
  const found: string[] = [];
  for (const row of now.rows) {
    const name = `${row.gpu} ${row.engine} ${nameOf(row)}`;
    const old = before.get(key(row)) as Record<string, unknown> | undefined;
    before.delete(key(row));
    if (!old) {
      found.push(`${name}: not in the table`);
      continue;
    }
    for (const field of new Set([...Object.keys(old), ...Object.keys(row)])) {
      const [was, is] = [old[field], (row as unknown as Record<string, unknown>)[field]].map((one) =>
        JSON.stringify(one),
      );
      if (was !== is) found.push(`${name}: ${field} was ${was}, is ${is}`);
    }
  }
  for (const row of before.values())
    found.push(`${row.gpu} ${row.engine} ${nameOf(row)}: in the table, but no kernel now`);
  return found;
}
