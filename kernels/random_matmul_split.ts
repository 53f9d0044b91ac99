import type { Dispatch } from './dispatch.ts';
import { type RandomMatmulArgs, randomMatmulDispatch } from './random_matmul.ts';
import { wide } from './random_matmul_wide.ts';
import { sumParts } from './sum_parts.ts';

/** Fetched when it is first compiled: software adapters use other kernels. */
const split = { name: 'random_matmul_split', fetch: () => import('./random_matmul_split.wgsl') };

/** Rows of the tiles. A tile of 32 rows has three units per invocation, the others have four. */
export type SplitRows = 2 | 4 | 8 | 32;

/** A GPU is assumed to be busy with this many invocations. */
const BUSY = 16384;
const unitsOf = (rows: SplitRows) => (rows === 32 ? 3 : 4);

/** The number of parts that the inputs are split into, and the inputs of a part: whole words of signs. */
export function splitParts({ m, k, n }: { m: number; k: number; n: number }, rows: SplitRows) {
  const invocations = Math.ceil(m / rows) * Math.ceil(n / unitsOf(rows));
  const wanted = Math.min(Math.ceil(BUSY / invocations), 32);
  const part = Math.max(64, 32 * Math.ceil(k / 32 / wanted));
  return { parts: Math.ceil(k / part), part };
}

/**
 * y = g(u * (x r') + b): r (n, k) regenerated, scale included. If `sums`, (parts, m, n) f32, is given, the inputs are
 * split among workgroups and a second dispatch adds the parts. Without it there is one part.
 */
export function randomMatmulSplit<B>(args: RandomMatmulArgs<B>, rows: SplitRows, sums?: B): Dispatch<B>[] {
  const { m, k, n } = args;
  const { parts, part } = sums === undefined ? { parts: 1, part: k } : splitParts(args, rows);
  const { constants, buffers, ...common } = randomMatmulDispatch(parts > 1 ? { ...args, epilogue: undefined } : args);
  const product = {
    source: rows === 32 ? wide : split,
    ...common,
    constants: { ...constants, ...(rows < 32 && { ROWS: rows }) },
    params: { ...common.params, part },
    buffers: parts > 1 ? { ...buffers, y: sums! } : buffers,
    grid: [Math.ceil(n / (32 * unitsOf(rows))), Math.ceil(m / rows), parts],
  } as const;
  return parts > 1 ? [product, sumParts(args, parts, sums!)] : [product];
}
