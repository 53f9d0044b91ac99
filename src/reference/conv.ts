import type { Window } from '../core/window.ts';
import { eachWindow, positionsOf } from './windows.ts';

export interface ConvArgs {
  rows: number;
  window: Window;
  filters: number;
}

/** z (positions, filters) = each window of x (rows, height, width, channels) times w (window size, filters). */
export function conv({
  rows,
  window,
  filters,
  x,
  w,
}: ConvArgs & { x: ArrayLike<number>; w: ArrayLike<number> }): Float64Array {
  const z = new Float64Array(positionsOf(rows, window) * filters);
  eachWindow(rows, window, (position, k, element) => {
    for (let n = 0; n < filters; n++) z[position * filters + n]! += x[element]! * w[k * filters + n]!;
  });
  return z;
}
