import type { Dispatch } from './dispatch.ts';
import { type SignSumsArgs, tableDispatch } from './sign_sums.ts';

/** Fetched when it is first compiled: only `codeword` needs it. */
const source = { name: 'code_sums', fetch: () => import('./code_sums.wgsl') };

/** The sums of every 16 inputs of a row under the 256 words of signs of `codeword`. */
export const codeSums = <B>(args: SignSumsArgs<B>): Dispatch<B> => tableDispatch(source, args, 64, 1);
