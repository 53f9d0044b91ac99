import type { Window } from '../src/core/window.ts';
import source from './conv_input_gradient.wgsl';
import type { Dispatch } from './dispatch.ts';
import { gradientTiles } from './window_tile.ts';

export interface ConvInputGradientArgs<B> {
  readonly rows: number;
  readonly window: Window;
  readonly filters: number;
  /** (rows, windows down, windows across, filters) f32, with the window's `gradientBorder`. */
  readonly dz: B;
  /** (window size, filters) f32 row-major. */
  readonly w: B;
  /** (rows, height, width, channels) f32, written. */
  readonly dx: B;
}

/** dx: the gradient of the convolution with respect to its images. */
export const convInputGradient = <B>({ rows, window, filters, dz, w, dx }: ConvInputGradientArgs<B>): Dispatch<B>[] =>
  gradientTiles(rows, window, filters).map(({ constants, params, grid }) => ({
    source,
    constants,
    params: { ...params, scale: 1 },
    buffers: { dz, w, dx },
    grid,
  }));
