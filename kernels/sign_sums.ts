import type { Dispatch } from './dispatch.ts';

/** Fetched when it is first compiled: only signs (`binary`) in small batches need it. */
const source = { name: 'sign_sums', fetch: () => import('./sign_sums.wgsl') };

export interface SignSumsArgs<B> {
  readonly m: number;
  readonly k: number;
  /** (m, k) f32. */
  readonly x: B;
  /** (m, signSumGroups(k), 256) f32, written. */
  readonly sums: B;
}

/** Number of groups of eight inputs: one per byte of the words that hold `k` signs. */
export const signSumGroups = (k: number): number => 4 * Math.ceil(k / 32);

/** The sums of every eight inputs of a row under all combinations of signs. */
export const signSums = <B>({ m, k, x, sums }: SignSumsArgs<B>): Dispatch<B> => ({
  source,
  params: { k },
  buffers: { x, sums },
  grid: [signSumGroups(k) / 4, m, 1],
});
