/** Pooling on the CPU, image by image. */
import { type Window, windowCounts } from '../core/window.ts';
import type { Machine } from './machine.ts';
import { imageBytes, windowFrame, windowPixels, windowPositions } from './window-tables.ts';

export interface Pooling {
  readonly rows: number;
  readonly window: Window;
}

/** Tables of a window, and a loop over the rows that advances x by an image and y by its windows. */
function prepared(machine: Machine, { rows, window }: Pooling) {
  const frame = windowFrame(window);
  const numbers = windowPixels(window, frame);
  const [down, across] = windowCounts(window);
  const count = down * across;
  const tables = [
    machine.place(windowPositions(window, frame)),
    count,
    machine.place(numbers),
    numbers.length,
    window.channels,
  ] as const;
  const each = (run: (x: number, y: number) => void) => {
    for (let row = 0; row < rows; row++) run(row * imageBytes(window), row * 4 * count * window.channels);
  };
  const clear = (dx: number) => machine.floats(dx, (rows * imageBytes(window)) / 4).fill(0);
  return { tables, each, clear, kernels: machine.kernels };
}

export function maxPool(machine: Machine, pooling: Pooling) {
  const { tables, each, kernels } = prepared(machine, pooling);
  return (x: number, y: number) => each((i, o) => kernels.maxPool(x + i, ...tables, y + o));
}

export function maxPoolGradient(machine: Machine, pooling: Pooling) {
  const { tables, each, clear, kernels } = prepared(machine, pooling);
  return (x: number, dy: number, dx: number) => {
    clear(dx);
    each((i, o) => kernels.maxPoolGradient(x + i, ...tables, dy + o, dx + i));
  };
}

export function averagePool(machine: Machine, pooling: Pooling) {
  const { tables, each, kernels } = prepared(machine, pooling);
  return (x: number, y: number) => each((i, o) => kernels.averagePool(x + i, ...tables, y + o));
}

export function averagePoolGradient(machine: Machine, pooling: Pooling) {
  const { tables, each, clear, kernels } = prepared(machine, pooling);
  return (dy: number, dx: number) => {
    clear(dx);
    each((i, o) => kernels.averagePoolGradient(...tables, dy + o, dx + i));
  };
}
