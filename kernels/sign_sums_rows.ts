import type { Dispatch } from './dispatch.ts';
import { type SignSumsArgs, tableDispatch } from './sign_sums.ts';

/** Fetched when it is first compiled: only signs (`binary`) in batches on software adapters need it. */
const source = { name: 'sign_sums_rows', fetch: () => import('./sign_sums_rows.wgsl') };

/**
 * The sums of every eight inputs under all combinations of signs, four rows side by side: `sums` is
 * (ceil(m / 4), signSumGroups(k, 32), 256, 4) f32.
 */
export const signSumsRows = <B>(args: SignSumsArgs<B>): Dispatch<B> => tableDispatch(source, args, 32, 4);
