import { type ElementwiseLoss, lossCode } from '../src/core/losses.ts';
import type { Dispatch } from './dispatch.ts';
import source from './elementwise_loss.wgsl';

export interface ElementwiseLossArgs<B> {
  readonly kind: ElementwiseLoss;
  readonly m: number;
  readonly n: number;
  /** (m, n) f32 each. */
  readonly y: B;
  readonly targets: B;
  /** (m, 2) f32, written: the means of the row's losses and hits. */
  readonly loss: B;
  /** (m, n) f32, written: gradient of the mean over the rows. */
  readonly dy: B;
}

/** A loss of every output by itself, its mean over each row, and its gradient. */
export const elementwiseLoss = <B>({ kind, m, n, ...buffers }: ElementwiseLossArgs<B>): Dispatch<B> => ({
  source,
  constants: { LOSS: lossCode(kind) },
  params: { m, n },
  buffers,
  grid: [Math.ceil(m / 64), 1, 1],
});
