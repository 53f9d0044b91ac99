import type { Dispatch } from './dispatch.ts';
import source from './mean_squared_error.wgsl';

export interface MeanSquaredErrorArgs<B> {
  readonly m: number;
  readonly n: number;
  /** (m, n) f32 each. */
  readonly y: B;
  readonly targets: B;
  /** (m, 2) f32, written: the row's mean squared difference, and 0. */
  readonly loss: B;
  /** (m, n) f32, written: gradient of the mean over the rows. */
  readonly dy: B;
}

/** Mean squared error of each row, and its gradient. */
export const meanSquaredError = <B>({ m, n, ...buffers }: MeanSquaredErrorArgs<B>): Dispatch<B> => ({
  source,
  params: { m, n },
  buffers,
  grid: [Math.ceil(m / 64), 1, 1],
});
