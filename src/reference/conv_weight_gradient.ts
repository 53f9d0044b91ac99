import { windowSize } from '../core/window.ts';
import type { ConvArgs } from './conv.ts';
import { eachWindow } from './windows.ts';

/** dw (window size, filters) of z = conv(x, w), from dz (positions, filters). */
export function convWeightGradient({
  rows,
  window,
  filters,
  x,
  dz,
}: ConvArgs & { x: ArrayLike<number>; dz: ArrayLike<number> }): Float64Array {
  const dw = new Float64Array(windowSize(window) * filters);
  eachWindow(rows, window, (position, k, element) => {
    for (let n = 0; n < filters; n++) dw[k * filters + n]! += x[element]! * dz[position * filters + n]!;
  });
  return dw;
}
