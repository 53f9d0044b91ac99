import type { Dispatch } from './dispatch.ts';
import source from './softmax_cross_entropy.wgsl';

export interface SoftmaxCrossEntropyArgs<B> {
  readonly m: number;
  readonly n: number;
  /** (m, n) f32. */
  readonly logits: B;
  /** (m) u32, each below n. */
  readonly labels: B;
  /** (m, 2) f32, written: cross-entropy in nats, and 1 for a hit. */
  readonly loss: B;
  /** (m, n) f32, written: gradient of the mean cross-entropy. */
  readonly dlogits: B;
}

/** Softmax cross-entropy of each row, and its gradient. */
export const softmaxCrossEntropy = <B>({ m, n, ...buffers }: SoftmaxCrossEntropyArgs<B>): Dispatch<B> => ({
  source,
  params: { m, n },
  buffers,
  grid: [Math.ceil(m / 64), 1, 1],
});
