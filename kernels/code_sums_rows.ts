import type { Dispatch } from './dispatch.ts';
import { type SignSumsArgs, tableDispatch } from './sign_sums.ts';

/** Fetched when it is first compiled: only `codeword` in batches on software adapters needs it. */
const source = { name: 'code_sums_rows', fetch: () => import('./code_sums_rows.wgsl') };

/**
 * The sums of every 16 inputs under the 256 words of signs of `codeword`, four rows side by side: `sums` is
 * (ceil(m / 4), signSumGroups(k, 64), 256, 4) f32.
 */
export const codeSumsRows = <B>(args: SignSumsArgs<B>): Dispatch<B> => tableDispatch(source, args, 64, 4);
