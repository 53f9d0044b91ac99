import source from './bit_planes.wgsl';
import { type Dispatch, fold } from './dispatch.ts';

export interface BitPlanesArgs<B> {
  readonly m: number;
  readonly k: number;
  /** (m, ceil(k / 4)) u32, four bytes each. */
  readonly x: B;
  /** Whether the bytes are signed. */
  readonly signed: boolean;
  /** (m, bitPlaneWords(k)) u32, written. */
  readonly planes: B;
  /** (m) i32, written. */
  readonly totals: B;
}

/** Words that the bit planes of a row of `k` inputs take. */
export const bitPlaneWords = (k: number): number => 64 * Math.ceil(k / 256);

/** Bit planes of every 32 inputs, one for each of their 8 bits, and the sum of each row. */
export const bitPlanes = <B>({ m, k, x, signed, planes, totals }: BitPlanesArgs<B>): Dispatch<B> => ({
  source,
  constants: { SIGNED: signed ? 1 : 0 },
  params: { m, k },
  buffers: { x, planes, totals },
  grid: [1, ...fold(m, 1)],
});
