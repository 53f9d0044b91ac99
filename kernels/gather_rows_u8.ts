import { type Dispatch, linearGrid } from './dispatch.ts';
import type { GatherRowsArgs } from './gather_rows.ts';
import source from './gather_rows_u8.wgsl';

/** Like `gatherRows`, but converts a piece of (available, columns) bytes to f32: scale * byte + shift. */
export const gatherRowsU8 = <B>(
  args: GatherRowsArgs<B> & { readonly scale: number; readonly shift: number },
): Dispatch<B> => {
  const { rows, columns, first, available, scale, shift, ...buffers } = args;
  return {
    source,
    params: { rows, columns, first, available, scale, shift },
    buffers,
    grid: linearGrid(rows, 1),
  };
};
