import { imageSize, type Window, windowCounts } from '../core/window.ts';

/**
 * Visits every element of every window that lies inside its image, with its position among all windows, its number k
 * within the window, and its index into x (rows, height, width, channels).
 */
export function eachWindow(
  rows: number,
  window: Window,
  visit: (position: number, k: number, element: number) => void,
): void {
  const { height, width, channels, kernel, stride, padding, dilation } = window;
  const [down, across] = windowCounts(window);
  for (let row = 0; row < rows; row++) {
    for (let oy = 0; oy < down; oy++) {
      for (let ox = 0; ox < across; ox++) {
        const position = (row * down + oy) * across + ox;
        for (let ky = 0; ky < kernel[0]; ky++) {
          for (let kx = 0; kx < kernel[1]; kx++) {
            const y = oy * stride[0] - padding[0] + ky * dilation[0];
            const x = ox * stride[1] - padding[1] + kx * dilation[1];
            if (y < 0 || y >= height || x < 0 || x >= width) continue;
            for (let c = 0; c < channels; c++) {
              const k = (ky * kernel[1] + kx) * channels + c;
              visit(position, k, row * imageSize(window) + (y * width + x) * channels + c);
            }
          }
        }
      }
    }
  }
}

/** Number of windows over all rows. */
export const positionsOf = (rows: number, window: Window): number => {
  const [down, across] = windowCounts(window);
  return rows * down * across;
};
