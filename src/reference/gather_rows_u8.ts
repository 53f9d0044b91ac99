import { gatherRows } from './gather_rows.ts';

/** Like `gatherRows`, but from bytes: scale * byte + shift. */
export const gatherRowsU8 = (args: Parameters<typeof gatherRows>[0] & { scale: number; shift: number }): Float64Array =>
  gatherRows(args).map((byte) => args.scale * byte + args.shift);
