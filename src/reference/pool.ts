import { imageSize, type Window } from '../core/window.ts';
import { eachWindow, positionsOf } from './windows.ts';

export interface PoolArgs {
  rows: number;
  window: Window;
}

/** Visits every number of every window, channel by channel: the element of y (positions, channels), the element of x. */
export function eachPooled({ rows, window }: PoolArgs, visit: (y: number, x: number) => void): void {
  const { channels } = window;
  eachWindow(rows, window, (position, k, element) => visit(position * channels + (k % channels), element));
}

export const pooledSize = ({ rows, window }: PoolArgs): number => positionsOf(rows, window) * window.channels;
export const imagesSize = ({ rows, window }: PoolArgs): number => rows * imageSize(window);
