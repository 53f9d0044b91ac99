import type { LazySource } from '../src/core/kernel-source.ts';
import type { Dispatch } from './dispatch.ts';

/** Fetched when it is first compiled: only signs (`binary`) in small batches need it. */
const source = { name: 'sign_sums', fetch: () => import('./sign_sums.wgsl') };

export interface SignSumsArgs<B> {
  readonly m: number;
  readonly k: number;
  /** (m, k) f32. */
  readonly x: B;
  /** (m, signSumGroups(k, signs), 256) f32, written. */
  readonly sums: B;
}

/** Number of groups of inputs: one per byte of the words that hold `k` signs, `signs` each (32 or 64). */
export const signSumGroups = (k: number, signs: number): number => 4 * Math.ceil(k / signs);

/** The dispatch of a kernel that makes tables of sums: a workgroup for the four groups of a word, of `rows` rows. */
export const tableDispatch = <B>(
  source: LazySource,
  { m, k, x, sums }: SignSumsArgs<B>,
  signs: number,
  rows: number,
): Dispatch<B> => ({
  source,
  params: { m, k },
  buffers: { x, sums },
  grid: [signSumGroups(k, signs) / 4, Math.ceil(m / rows), 1],
});

/** The sums of every eight inputs of a row under all combinations of signs. */
export const signSums = <B>(args: SignSumsArgs<B>): Dispatch<B> => tableDispatch(source, args, 32, 1);
