import { type Window, windowCounts } from '../src/core/window.ts';
import type { Dispatch } from './dispatch.ts';
import source from './max_pool_gradient.wgsl';

export interface MaxPoolGradientArgs<B> {
  /** At most 65,535, as is the height. */
  readonly rows: number;
  /** Without padding and dilation. */
  readonly window: Window;
  /** (rows, height, width, channels) f32. */
  readonly x: B;
  /** (rows, windows down, windows across, channels) f32. */
  readonly dy: B;
  /** (rows, height, width, channels) f32, written. */
  readonly dx: B;
}

/** dx: the gradient of max pooling with respect to its images. */
export const maxPoolGradient = <B>({ rows, window, ...buffers }: MaxPoolGradientArgs<B>): Dispatch<B> => {
  const { height, width, channels, kernel, stride } = window;
  const [down, across] = windowCounts(window);
  const overlap = kernel[0] > stride[0] || kernel[1] > stride[1];
  return {
    source,
    constants: { OVERLAP: Number(overlap) },
    params: {
      height,
      line: width * channels,
      channels,
      down,
      across,
      kernel_y: kernel[0],
      kernel_x: kernel[1],
      stride_y: stride[0],
      stride_x: stride[1],
    },
    buffers,
    grid: [1, overlap ? height : Math.ceil(height / stride[0]), rows],
  };
};
