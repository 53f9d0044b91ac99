import { type Window, windowSize } from '../src/core/window.ts';
import { type ElementwiseName, weightScale } from '../src/weights/distributions.ts';
import type { Dispatch } from './dispatch.ts';
import source from './random_conv_transposed.wgsl';
import { gradientTiles } from './window_tile.ts';

export interface RandomConvTransposedArgs<B> {
  readonly rows: number;
  readonly window: Window;
  readonly filters: number;
  readonly weights: ElementwiseName;
  /** Maximum number of workgroups per eight outputs. By default, as many as there is work for. */
  readonly groups?: number;
  /** (rows, windows down, windows across, filters) f32, with the window's `gradientBorder`. */
  readonly dz: B;
  /** (filters) pairs of u32: `unitKeys`. */
  readonly keys: B;
  /** (rows, height, width, channels) f32, written. */
  readonly dx: B;
}

/** dx: the gradient of the random convolution with respect to its images, with the same filters regenerated. */
export const randomConvTransposed = <B>(args: RandomConvTransposedArgs<B>): Dispatch<B>[] => {
  const { rows, window, filters, weights, groups, dz, keys, dx } = args;
  const scale = weightScale(weights, windowSize(window));
  return gradientTiles(rows, window, filters, groups).map(({ constants, params, grid }) => ({
    source,
    weights,
    constants: { ...constants, ALIGNED: Number(window.channels % 4 === 0) },
    params: { ...params, scale },
    buffers: { dz, keys, dx },
    grid,
  }));
};
