import { imageSize } from '../core/window.ts';
import type { ConvArgs } from './conv.ts';
import { eachWindow } from './windows.ts';

/** dx (rows, height, width, channels) of z = conv(x, w), from dz (positions, filters). */
export function convInputGradient({
  rows,
  window,
  filters,
  dz,
  w,
}: ConvArgs & { dz: ArrayLike<number>; w: ArrayLike<number> }): Float64Array {
  const dx = new Float64Array(rows * imageSize(window));
  eachWindow(rows, window, (position, k, element) => {
    for (let n = 0; n < filters; n++) dx[element]! += dz[position * filters + n]! * w[k * filters + n]!;
  });
  return dx;
}
