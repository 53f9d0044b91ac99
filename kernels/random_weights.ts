import { type Dispatch, linearGrid } from '../src/dispatch.ts';
import { distributions, type ElementwiseName } from '../src/weights/distributions.ts';
import source from './random_weights.wgsl';

export interface RandomWeightsArgs<B> {
  /** First input of the slice, which may lie beyond u32 (SPEC.md, section 1), and how many. */
  readonly kFrom: number;
  readonly kCount: number;
  /** Units of the slice. */
  readonly nCount: number;
  readonly weights: ElementwiseName;
  /** (nCount) pairs of u32: `unitKeys` of the slice's units. */
  readonly keys: B;
  /** (kCount, nCount) i32, written. */
  readonly out: B;
}

/** A slice of a random matrix as integers. */
export const randomWeights = <B>({ kFrom, kCount, nCount, weights, keys, out }: RandomWeightsArgs<B>): Dispatch<B> => {
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
    },
    buffers: { keys, out },
    grid: [Math.ceil(nCount / 64), y, z],
  };
};
