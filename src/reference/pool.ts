import { imageSize, type Window } from '../core/window.ts';
import { eachWindow, positionsOf } from './windows.ts';

export interface PoolArgs {
  rows: number;
  window: Window;
}

/** Visits every element of every window, per channel, with the indices into y (positions, channels) and x. */
export function eachPooled({ rows, window }: PoolArgs, visit: (y: number, x: number) => void): void {
  const { channels } = window;
  eachWindow(rows, window, (position, k, element) => visit(position * channels + (k % channels), element));
}

export const pooledSize = ({ rows, window }: PoolArgs): number => positionsOf(rows, window) * window.channels;
export const imagesSize = ({ rows, window }: PoolArgs): number => rows * imageSize(window);
