import source from './class_weights.wgsl';
import type { Dispatch } from './dispatch.ts';

export interface ClassWeightsArgs<B> {
  readonly m: number;
  readonly n: number;
  /** (m, 2) f32: the loss of each row, and 1 for a hit. */
  readonly loss: B;
  /** (m, n) f32: the gradient of the mean loss. */
  readonly gradient: B;
  /** (m) u32, each below n. */
  readonly labels: B;
  /** (n) f32: the weight of each class. */
  readonly weights: B;
  /** (m, 2) f32, written. */
  readonly weightedLoss: B;
  /** (m, n) f32, written. */
  readonly weightedGradient: B;
}

/** Multiplies the loss and the gradient of each row by the weight of its class. Hits stay as they are. */
export const classWeights = <B>({ m, n, ...buffers }: ClassWeightsArgs<B>): Dispatch<B> => ({
  source,
  params: { m, n },
  buffers,
  grid: [Math.ceil(m / 64), 1, 1],
});
