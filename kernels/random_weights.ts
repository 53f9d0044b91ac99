import { distributions, type ElementwiseName } from '../src/weights/distributions.ts';
import { type Dispatch, linearGrid } from './dispatch.ts';
import source from './random_weights.wgsl';

export interface RandomWeightsArgs<B> {
  /** First input of the slice, which may exceed u32 (SPEC.md, section 1). */
  readonly kFrom: number;
  readonly kCount: number;
  /** Units of the slice. */
  readonly nCount: number;
  readonly weights: ElementwiseName;
  /** (nCount) pairs of u32: `unitKeys` of the slice's units. */
  readonly keys: B;
  /** Scale of f32 weights. If absent, the output is integers. */
  readonly scale?: number;
  /** Whether out is (nCount, kCount); default (kCount, nCount). */
  readonly transposed?: boolean;
  /** (kCount, nCount) i32, or f32 with a scale, written. */
  readonly out: B;
}

/** Writes a slice of a random matrix, as integers or as weights. */
export const randomWeights = <B>(args: RandomWeightsArgs<B>): Dispatch<B> => {
  const { kFrom, kCount, nCount, weights, keys, scale = 0, transposed = false, out } = args;
  const [y, z] = linearGrid(kCount, 1);
  const { weightsPerWord } = distributions[weights];
  return {
    source,
    weights,
    params: {
      word_from: Math.floor(kFrom / weightsPerWord),
      k_from: kFrom % weightsPerWord,
      k_count: kCount,
      n_count: nCount,
      k_stride: transposed ? 1 : nCount,
      n_stride: transposed ? kCount : 1,
      scale,
    },
    buffers: { keys, out },
    grid: [Math.ceil(nCount / 64), y, z],
  };
};
