import { type Dispatch, linearGrid } from './dispatch.ts';
import source from './sum_blocks.wgsl';

export interface SumBlocksArgs<B> {
  readonly m: number;
  readonly k: number;
  readonly blocks: number;
  /** Elements per block, of which the first k are kept. */
  readonly p: number;
  /** (m, blocks, p) f32. */
  readonly parts: B;
  /** (m, k) f32, written. */
  readonly dx: B;
}

/** The sum of the blocks of each row. */
export const sumBlocks = <B>({ m, k, blocks, p, parts, dx }: SumBlocksArgs<B>): Dispatch<B> => ({
  source,
  params: { m, k, blocks, p },
  buffers: { parts, dx },
  grid: linearGrid(m * k, 64),
});
