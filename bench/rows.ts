/** The rows of the report: figures from samples. */
import { figure } from './format.ts';
import { type Summary, summarise } from './statistics.ts';

/** The result of one task for one engine. */
export interface Measured {
  readonly task: string;
  readonly engine: string;
  readonly weights: string;
  readonly peer: boolean;
  /** Set if the adapter is not involved. */
  readonly cpu?: boolean;
  /** Shape of the layer or of the first layer: rows, inputs, units. */
  readonly m?: number;
  readonly k?: number;
  readonly n?: number;
  /** Milliseconds per call, one number per sample. */
  readonly samples?: readonly number[];
  /** Calls per sample. */
  readonly calls?: number;
  /** Milliseconds of one call by the GPU's own clock, if it has one. */
  readonly gpuMs?: number;
  /** Minimum number of bytes that a call moves, and its multiply-accumulates. */
  readonly bytes?: number;
  readonly macs?: number;
  /** Whether the result matches the float64 reference; absent without a result or without a reference. */
  readonly verified?: boolean;
  /** Why there is no figure, or why it is wrong. */
  readonly error?: string;
  readonly note?: string;
  /** The figure of a task that measures something other than milliseconds. */
  readonly value?: number;
  readonly unit?: string;
}

export interface Row extends Measured {
  /** Summary of the samples, if there are any. */
  readonly ms?: Summary;
  /** At the minimum time: 10^9 bytes and 10^9 multiply-accumulates per second, and their shares of the ceilings. */
  readonly gbps?: number;
  readonly gmacs?: number;
  readonly share?: { readonly copy: number; readonly fma: number };
  /** Minimum of the fastest peer on the same task and shape, divided by this row's: above 1 this row is faster. */
  readonly ratio?: number;
}

/** The adapter's measured ceilings: GB/s of a copy, GMAC/s of independent FMAs. */
export interface Ceilings {
  readonly gbps: number;
  readonly gmacs: number;
}

/** Rows of the same group are compared with one another. */
export const group = (row: Pick<Measured, 'task' | 'm' | 'k' | 'n'>): string =>
  [row.task, shapeName(row)].filter(Boolean).join(' ');

export const shapeName = ({ m, k, n }: { m?: number; k?: number; n?: number }): string =>
  m === undefined ? '' : `${m}x${k}x${n}`;

/** Whether every word of the filter, or one of its alternatives a|b, occurs in the names of the row. */
export function matches(filter: string | undefined, row: Partial<Omit<Measured, 'samples'>>): boolean {
  const text = [row.task, row.engine, row.weights, shapeName(row)].filter(Boolean).join(' ').toLowerCase();
  return (filter ?? '')
    .toLowerCase()
    .split(/\s+/)
    .every((word) => word.split('|').some((one) => text.includes(one)));
}

export function buildRows(measured: readonly Measured[], ceilings?: Ceilings): Row[] {
  const rows = measured.map((row): Row => {
    if (!row.samples?.length) return row;
    const ms = summarise(row.samples);
    const perSecond = (amount: number | undefined) => (amount ? amount / ms.min / 1e6 : undefined);
    const [gbps, gmacs] = [perSecond(row.bytes), perSecond(row.macs)];
    return {
      ...row,
      ms,
      ...(gbps && { gbps }),
      ...(gmacs && { gmacs }),
      ...(ceilings &&
        gbps &&
        gmacs &&
        !row.cpu && { share: { copy: gbps / ceilings.gbps, fma: gmacs / ceilings.gmacs } }),
    };
  });
  const best = new Map<string, number>();
  for (const row of rows) {
    if (!row.peer || !row.ms || row.verified === false) continue;
    best.set(group(row), Math.min(best.get(group(row)) ?? Number.POSITIVE_INFINITY, row.ms.min));
  }
  return rows.map((row) => {
    const peer = best.get(group(row));
    return row.ms && peer ? { ...row, ratio: peer / row.ms.min } : row;
  });
}

/** Each random distribution with the stored formats of the same weights. */
const OPPONENTS = { normal: ['f32', 'f16', 'int8'], binary: ['1-bit'] } as const;

/** For each shape, whether reading packed weights beats regenerating them, comparing kernels with the same tile. */
export function findings(rows: readonly Row[]): string[] {
  const forward = rows.filter(({ task, ms, verified }) => task === 'forward' && ms && verified);
  return [...new Set(forward.map(group))].flatMap((name) => {
    const members = forward.filter((row) => group(row) === name);
    return Object.entries(OPPONENTS).flatMap(([distribution, formats]) => {
      const ours = members.find(({ engine, weights }) => engine === 'weightless' && weights === distribution);
      const [best] = members
        .filter(({ engine, weights }) => engine === 'stored' && (formats as readonly string[]).includes(weights))
        .sort((a, b) => a.ms!.min - b.ms!.min);
      if (!ours || !best) return [];
      const ratio = best.ms!.min / ours.ms!.min;
      const [faster, slower] = ratio < 1 ? [best.ms!, ours.ms!] : [ours.ms!, best.ms!];
      const verdict =
        slower.min <= faster.median
          ? `reading ${best.weights} and regenerating ${distribution} are equally fast: their samples overlap`
          : ratio < 1
            ? `reading ${best.weights} beats regenerating ${distribution}, ${figure(1 / ratio)} times faster`
            : `regenerating ${distribution} beats reading ${best.weights}, ${figure(ratio)} times faster`;
      return [`${name}: ${verdict} (${figure(best.ms!.min)} and ${figure(ours.ms!.min)} ms)`];
    });
  });
}
