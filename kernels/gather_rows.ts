import { type Dispatch, linearGrid } from './dispatch.ts';
import source from './gather_rows.wgsl';

export interface GatherRowsArgs<B> {
  /** Rows of the batch. */
  readonly rows: number;
  /** 32-bit words per row. */
  readonly columns: number;
  /** Index of the piece's first row in the data set. */
  readonly first: number;
  readonly available: number;
  /** Uniform of shaders/schedule.wgsl with the start of the batch in `indices`. */
  readonly schedule: B;
  /** (rows of the data set) u32. */
  readonly indices: B;
  /** (available, columns) words. */
  readonly piece: B;
  /** (rows, columns) words. Only rows that the piece holds are written. */
  readonly out: B;
}

/** Copies the batch rows that a piece of the data set holds. */
export const gatherRows = <B>({ rows, columns, first, available, ...buffers }: GatherRowsArgs<B>): Dispatch<B> => ({
  source,
  params: { rows, columns, first, available },
  buffers,
  grid: linearGrid(rows, 1),
});
