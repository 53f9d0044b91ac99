/** Where the numbers of windows lie, as byte offsets into an image with its border: what the kernels of images read. */
import { imageSize, type Pair, type Window, windowCounts } from '../core/window.ts';

/** An image of so many lines and columns inside a border, `channels` numbers a pixel. Sizes in pixels. */
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
/** Of the first pixel inside the border. */
export const frameStart = (frame: Frame): number => 4 * (frame.top * frameWidth(frame) + frame.left) * frame.channels;
export const isBare = ({ top, left, bottom, right }: Frame): boolean => top + left + bottom + right === 0;

/** The input of a window, its padding written. */
export const windowFrame = ({ height, width, channels, padding }: Window): Frame => ({
  ...{ height, width, channels },
  ...{ top: padding[0], bottom: padding[0], left: padding[1], right: padding[1] },
});

const pixel = (frame: Frame, y: number, x: number) => 4 * (y * frameWidth(frame) + x) * frame.channels;

/** Every pair of `down` and `across`, line by line. */
export const grid = ([down, across]: Pair): Pair[] =>
  Array.from({ length: down * across }, (_, i): Pair => [Math.floor(i / across), i % across]);

/** Where each window starts. */
export const windowPositions = (window: Window, frame: Frame): number[] =>
  grid(windowCounts(window)).map(([y, x]) => pixel(frame, y * window.stride[0], x * window.stride[1]));

/** Each pixel of a window, from its start on. */
export const windowPixels = ({ kernel, dilation }: Window, frame: Frame): number[] =>
  grid(kernel).map(([y, x]) => pixel(frame, y * dilation[0], x * dilation[1]));

/** Runs of numbers (offset, bytes) of pixels in this order, neighbours joined. */
export function segmentsOf(pixels: readonly number[], channels: number): Uint32Array<ArrayBuffer> {
  const segments: number[] = [];
  for (const at of pixels) {
    const last = segments.length - 2;
    if (last >= 0 && segments[last]! + segments[last + 1]! === at) segments[last + 1]! += 4 * channels;
    else segments.push(at, 4 * channels);
  }
  return Uint32Array.from(segments, (value) => value >>> 0);
}

/** Filled up to a multiple of four with its last number. */
export function inFours(numbers: readonly number[]): Uint32Array<ArrayBuffer> {
  const last = numbers.length - 1;
  return Uint32Array.from({ length: Math.ceil(numbers.length / 4) * 4 }, (_, i) => numbers[Math.min(i, last)]! >>> 0);
}

/**
 * Pixels of x that see the same taps of the kernel. Their dx is the product of windows over dz: `positions` says where they start,
 * `pixels` how far the dz of each tap is from there, `taps` which number (ky * kernel width + kx) each has.
 */
export interface Phase {
  readonly positions: number[];
  /** Byte offset of each pixel in an image of x. */
  readonly targets: number[];
  readonly pixels: number[];
  readonly taps: number[];
}

/** One direction: the dz that the pixels reach, before the first and after the last. */
function reach(size: number, count: number, i: 0 | 1, { kernel, stride, padding, dilation }: Window): Pair {
  const before = Math.max(0, Math.ceil((dilation[i] * (kernel[i] - 1) - padding[i]) / stride[i]));
  return [before, Math.max(0, Math.floor((size - 1 + padding[i]) / stride[i]) - (count - 1))];
}

/** dz as an image in a border so wide that no pixel of x looks beyond it. */
export function gradientFrame(window: Window, filters: number): Frame {
  const [down, across] = windowCounts(window);
  const [top, bottom] = reach(window.height, down, 0, window);
  const [left, right] = reach(window.width, across, 1, window);
  return { height: down, width: across, channels: filters, top, bottom, left, right };
}

/** A stride of 2 x 2 makes four phases; pixels that no window sees have one without taps. */
export function phasesOf(window: Window, frame: Frame): Phase[] {
  const { height, width, channels, kernel, stride, padding, dilation } = window;
  const lines = (i: 0 | 1, size: number, phase: number) =>
    Array.from({ length: size }, (_, at) => at).filter((at) => (at + padding[i]) % stride[i] === phase);
  return grid(stride).flatMap(([py, px]): Phase[] => {
    const at = lines(0, height, py).flatMap((y) => lines(1, width, px).map((x): Pair => [y, x]));
    if (at.length === 0) return [];
    // From right to left and upwards, so that dz is read from left to right and downwards.
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

/** Bytes of an image without a border. */
export const imageBytes = (image: Parameters<typeof imageSize>[0]): number => 4 * imageSize(image);
