import source from './accumulate_loss.wgsl';
import type { Dispatch } from './dispatch.ts';

/** Adds the column sums of loss (m, 2) to total (2), f32. */
export const accumulateLoss = <B>({
  m,
  ...buffers
}: {
  readonly m: number;
  readonly loss: B;
  readonly total: B;
}): Dispatch<B> => ({
  source,
  params: { m },
  buffers,
  grid: [1, 1, 1],
});
