import { type Dispatch, linearGrid } from './dispatch.ts';
import source from './sgd.wgsl';

export interface SgdArgs<B> {
  readonly count: number;
  readonly momentum: number;
  /** Uniform of shaders/schedule.wgsl. */
  readonly schedule: B;
  /** (count) f32, changed in place. */
  readonly value: B;
  /** (count) f32. */
  readonly gradient: B;
  /** (count) f32, changed in place, zero before the first step. */
  readonly velocity: B;
}

/** One step of gradient descent with momentum. */
export const sgd = <B>({ count, momentum, ...buffers }: SgdArgs<B>): Dispatch<B> => ({
  source,
  params: { count, momentum },
  buffers,
  grid: linearGrid(count, 256),
});
