import { type Window, windowCounts } from '../src/core/window.ts';
import source from './average_pool_gradient.wgsl';
import type { Dispatch } from './dispatch.ts';

export interface AveragePoolGradientArgs<B> {
  /** At most 65,535, as is the height. */
  readonly rows: number;
  /** Without padding and dilation. */
  readonly window: Window;
  /** (rows, windows down, windows across, channels) f32. */
  readonly dy: B;
  /** (rows, height, width, channels) f32, written. */
  readonly dx: B;
}

/** dx: the gradient of average pooling with respect to its images. */
export const averagePoolGradient = <B>({ rows, window, ...buffers }: AveragePoolGradientArgs<B>): Dispatch<B> => {
  const { height, width, channels, kernel, stride } = window;
  const [down, across] = windowCounts(window);
  return {
    source,
    params: {
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
    grid: [1, height, rows],
  };
};
