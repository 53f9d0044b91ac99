import { type Dispatch, fold } from './dispatch.ts';
import source from './half_rows.wgsl';

export interface HalfRowsArgs<B> {
  readonly m: number;
  readonly k: number;
  /** (m, k) f32. */
  readonly x: B;
  /** (m, halfRowWords(k)) u32, two f16 each, written. */
  readonly h: B;
  /** (m) f32, written. */
  readonly scales: B;
}

/** Words of a row of `k` inputs in f16, padded to a multiple of eight inputs. */
export const halfRowWords = (k: number): number => 4 * Math.ceil(k / 8);

/** Converts each row to f16 between -1 and 1 and a scale, a power of two. */
export const halfRows = <B>({ m, k, x, h, scales }: HalfRowsArgs<B>): Dispatch<B> => ({
  source,
  params: { m, k },
  buffers: { x, h, scales },
  grid: [1, ...fold(m, 1)],
});
