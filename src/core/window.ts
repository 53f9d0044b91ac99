/**
 * Windows that slide over images. An image is a row of (height, width, channels), channels last; a signal is an image
 * of height 1. Element k = (ky * kernel width + kx) * channels + c of a window meets weight k of a filter.
 */
import { ShapeError } from './errors.ts';

/** Down, then across. */
export type Pair = readonly [y: number, x: number];

export interface Window {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly kernel: Pair;
  readonly stride: Pair;
  /** Zeros before and after each line and column. */
  readonly padding: Pair;
  /** Distance between neighbouring taps; 1: adjacent pixels. */
  readonly dilation: Pair;
}

/** Number of windows down and across. Throws `ShapeError` if the kernel is larger than the padded image. */
export function windowCounts({ height, width, kernel, stride, padding, dilation }: Window): [number, number] {
  const [down, across] = [height, width].map((size, i) => {
    const room = size + 2 * padding[i]! - dilation[i]! * (kernel[i]! - 1) - 1;
    return Math.floor(room / stride[i]!) + 1;
  });
  if (!(down! >= 1 && across! >= 1)) {
    throw new ShapeError(
      `expected a kernel that fits into the image, got ${kernel.join(' x ')}${dilation.some((d) => d > 1) ? ` (dilation ${dilation.join(' x ')})` : ''} ` +
        `over ${height} x ${width} with padding ${padding.join(' x ')}`,
    );
  }
  return [down!, across!];
}

/** Number of weights of a filter: its fan-in. */
export const windowSize = ({ kernel, channels }: Window): number => kernel[0] * kernel[1] * channels;

/** Number of elements of an image. */
export const imageSize = ({ height, width, channels }: Pick<Window, 'height' | 'width' | 'channels'>): number =>
  height * width * channels;
