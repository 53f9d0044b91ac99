import source from './adam.wgsl';
import { type Dispatch, linearGrid } from './dispatch.ts';

export interface AdamArgs<B> {
  readonly count: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Uniform of shaders/schedule.wgsl. */
  readonly schedule: B;
  /** (count) f32, changed in place. */
  readonly value: B;
  /** (count) f32. */
  readonly gradient: B;
  /** (count) f32 each, changed in place, zero before the first step. */
  readonly moment1: B;
  readonly moment2: B;
}

/** One step of Adam with decoupled weight decay. */
export const adam = <B>({ count, beta1, beta2, epsilon, weightDecay, ...buffers }: AdamArgs<B>): Dispatch<B> => ({
  source,
  params: { count, beta1, beta2, epsilon, decay: weightDecay },
  buffers,
  grid: linearGrid(count, 256),
});
