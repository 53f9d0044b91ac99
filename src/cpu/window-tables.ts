/** Byte offsets of window elements in an image with its border: the tables that the image kernels read. */
import { imageSize, type Pair, type Window, windowCounts } from '../core/window.ts';

/** An image inside a border, with `channels` numbers per pixel. Sizes in pixels. */
export interface Frame {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

export const frameWidth = ({ left, width, right }: Frame): number => left + width + right;
export const frameBytes = (frame: Frame): number =>
  4 * (frame.top + frame.height + frame.bottom) * frameWidth(frame) * frame.channels;
/** Byte offset of the first pixel inside the border. */
export const frameStart = (frame: Frame): number => 4 * (frame.top * frameWidth(frame) + frame.left) * frame.channels;
export const isBare = ({ top, left, bottom, right }: Frame): boolean => top + left + bottom + right === 0;

/** The frame of a window's input, padding included. */
export const windowFrame = ({ height, width, channels, padding }: Window): Frame => ({
  ...{ height, width, channels },
  ...{ top: padding[0], bottom: padding[0], left: padding[1], right: padding[1] },
});

const pixel = (frame: Frame, y: number, x: number) => 4 * (y * frameWidth(frame) + x) * frame.channels;

/** Every pair of `down` and `across`, line by line. */
export const grid = ([down, across]: Pair): Pair[] =>
  Array.from({ length: down * across }, (_, i): Pair => [Math.floor(i / across), i % across]);

/** Byte offsets of `down` x `across` places, line by line. Images have millions: no objects, one array. */
function offsets([down, across]: Pair, at: (y: number, x: number) => number): Uint32Array<ArrayBuffer> {
  const made = new Uint32Array(down * across);
  let i = 0;
  for (let y = 0; y < down; y++) for (let x = 0; x < across; x++) made[i++] = at(y, x);
  return made;
}

/** Byte offset of each window. */
export const windowPositions = (window: Window, frame: Frame): Uint32Array<ArrayBuffer> =>
  offsets(windowCounts(window), (y, x) => pixel(frame, y * window.stride[0], x * window.stride[1]));

/** Byte offset of each pixel of a window, relative to the window. */
export const windowPixels = ({ kernel, dilation }: Window, frame: Frame): Uint32Array<ArrayBuffer> =>
  offsets(kernel, (y, x) => pixel(frame, y * dilation[0], x * dilation[1]));

/** Contiguous runs (offset, bytes) of these pixels in order; adjacent pixels are merged. */
export function segmentsOf(pixels: ArrayLike<number>, channels: number): Uint32Array<ArrayBuffer> {
  const segments = new Uint32Array(2 * pixels.length);
  let next = 0;
  let end = Number.NaN;
  for (let i = 0; i < pixels.length; i++) {
    const at = pixels[i]!;
    if (at === end) segments[next - 1]! += 4 * channels;
    else {
      segments[next++] = at; // one before the first pixel wraps around
      segments[next++] = 4 * channels;
    }
    end = at + 4 * channels;
  }
  return segments.slice(0, next);
}

/** Pads to a multiple of four by repeating the last number. */
export function inFours(numbers: ArrayLike<number>): Uint32Array<ArrayBuffer> {
  const padded = new Uint32Array(4 * Math.ceil(numbers.length / 4));
  padded.set(numbers);
  return padded.fill(numbers[numbers.length - 1] ?? 0, numbers.length);
}

/**
 * Pixels of x that see the same taps of the kernel. Their dx is a product of windows over dz. `positions`: where the
 * windows start; `pixels`: offset of each tap's dz from there; `taps`: each tap's number (ky * kernel width + kx).
 */
export interface Phase {
  readonly positions: number[];
  /** Byte offset of each pixel in an image of x. */
  readonly targets: number[];
  readonly pixels: number[];
  readonly taps: number[];
}

/** In one direction: how far pixels reach before the first dz and after the last. */
function reach(size: number, count: number, i: 0 | 1, { kernel, stride, padding, dilation }: Window): Pair {
  const before = Math.max(0, Math.ceil((dilation[i] * (kernel[i] - 1) - padding[i]) / stride[i]));
  return [before, Math.max(0, Math.floor((size - 1 + padding[i]) / stride[i]) - (count - 1))];
}

/** The frame of dz, with a border wide enough that no pixel of x reaches beyond it. */
export function gradientFrame(window: Window, filters: number): Frame {
  const [down, across] = windowCounts(window);
  const [top, bottom] = reach(window.height, down, 0, window);
  const [left, right] = reach(window.width, across, 1, window);
  return { height: down, width: across, channels: filters, top, bottom, left, right };
}

/** The phases of a window: four for a stride of 2 x 2. Pixels that no window sees form a phase without taps. */
export function phasesOf(window: Window, frame: Frame): Phase[] {
  const { height, width, channels, kernel, stride, padding, dilation } = window;
  const lines = (i: 0 | 1, size: number, phase: number) =>
    Array.from({ length: size }, (_, at) => at).filter((at) => (at + padding[i]) % stride[i] === phase);
  return grid(stride).flatMap(([py, px]): Phase[] => {
    const at = lines(0, height, py).flatMap((y) => lines(1, width, px).map((x): Pair => [y, x]));
    if (at.length === 0) return [];
    // Right to left and upwards, so that dz is read left to right and downwards.
    const taps = grid(kernel)
      .reverse()
      .filter(([ky, kx]) => (py - ky * dilation[0]) % stride[0] === 0 && (px - kx * dilation[1]) % stride[1] === 0);
    const start = ([y, x]: Pair) =>
      pixel(frame, frame.top + (y + padding[0] - py) / stride[0], frame.left + (x + padding[1] - px) / stride[1]);
    return [
      {
        positions: at.map(start),
        targets: at.map(([y, x]) => 4 * (y * width + x) * channels),
        pixels: taps.map(([ky, kx]) =>
          pixel(frame, (py - ky * dilation[0]) / stride[0], (px - kx * dilation[1]) / stride[1]),
        ),
        taps: taps.map(([ky, kx]) => ky * kernel[1] + kx),
      },
    ];
  });
}

/** Size in bytes of an image without a border. */
export const imageBytes = (image: Parameters<typeof imageSize>[0]): number => 4 * imageSize(image);
