import { type Window, windowCounts } from '../src/core/window.ts';
import type { Dispatch } from './dispatch.ts';
import source from './max_pool.wgsl';

export interface MaxPoolArgs<B> {
  /** At most 65,535, as are the windows down. */
  readonly rows: number;
  /** Without padding and dilation. */
  readonly window: Window;
  /** (rows, height, width, channels) f32. */
  readonly x: B;
  /** (rows, windows down, windows across, channels) f32, written. */
  readonly y: B;
}

/** y = the maximum of each window, per channel. */
export const maxPool = <B>({ rows, window, x, y }: MaxPoolArgs<B>): Dispatch<B> => {
  const { height, width, channels, kernel, stride } = window;
  const [down, across] = windowCounts(window);
  return {
    source,
    params: {
      height,
      line: width * channels,
      channels,
      out_line: across * channels,
      kernel_y: kernel[0],
      kernel_x: kernel[1],
      stride_y: stride[0],
      stride_x: stride[1],
    },
    buffers: { x, y },
    grid: [1, down, rows],
  };
};
