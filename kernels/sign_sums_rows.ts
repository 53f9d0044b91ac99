import type { Dispatch } from './dispatch.ts';
import { type SignSumsArgs, signSumGroups } from './sign_sums.ts';

/** Fetched when it is first compiled: only signs (`binary`) in batches on software adapters need it. */
const source = { name: 'sign_sums_rows', fetch: () => import('./sign_sums_rows.wgsl') };

/**
 * The sums of every eight inputs under all combinations of signs, four rows side by side: `sums` is
 * (ceil(m / 4), signSumGroups(k), 256, 4) f32.
 */
export const signSumsRows = <B>({ m, k, x, sums }: SignSumsArgs<B>): Dispatch<B> => ({
  source,
  params: { m, k },
  buffers: { x, sums },
  grid: [signSumGroups(k) / 4, Math.ceil(m / 4), 1],
});
