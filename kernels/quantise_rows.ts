import { type Dispatch, fold } from './dispatch.ts';
import source from './quantise_rows.wgsl';

export interface QuantiseRowsArgs<B> {
  readonly m: number;
  readonly k: number;
  /** (m, k) f32. */
  readonly x: B;
  /** (m, ceil(k / 4)) u32, four int8 each, written. */
  readonly q: B;
  /** (m) f32, written. */
  readonly scales: B;
}

/** Converts each row to int8 and a scale, so that the largest magnitude becomes 127. */
export const quantiseRows = <B>({ m, k, x, q, scales }: QuantiseRowsArgs<B>): Dispatch<B> => ({
  source,
  params: { m, k },
  buffers: { x, q, scales },
  grid: [1, ...fold(m, 1)],
});
