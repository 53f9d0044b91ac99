import { type Dispatch, linearGrid } from './dispatch.ts';
import source from './dropout.wgsl';

export interface DropoutArgs<B> {
  readonly count: number;
  /** Share of elements to drop: 0 or more, below 1. */
  readonly rate: number;
  /** Uniform of shaders/schedule.wgsl with the step. */
  readonly schedule: B;
  /** (1) pair of u32: `unitKeys` of the layer. */
  readonly keys: B;
  /** (count) f32. */
  readonly x: B;
  /** (count) f32, written. */
  readonly y: B;
}

/** y = x / (1 - rate), or 0 where the step's mask drops the element. */
export const dropout = <B>({ count, rate, ...buffers }: DropoutArgs<B>): Dispatch<B> => ({
  source,
  params: { count, threshold: Math.round(rate * 2 ** 32), factor: 1 / (1 - rate) },
  buffers,
  grid: linearGrid(count, 64),
});
