/**
 * Windows that slide over images. An image is a row of (height, width, channels), channels last; a signal is an image
 * of height 1. Element k = (ky * kernel width + kx) * channels + c of a window meets weight k of a filter.
 */
import { ShapeError } from './errors.ts';
import { MOST_NUMBERS } from './shape.ts';

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

/** Number of windows down and across. Throws `ShapeError` if the kernel is larger than the padded image, or that is too large. */
export function windowCounts({ height, width, channels, kernel, stride, padding, dilation }: Window): [number, number] {
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
  const padded = (height + 2 * padding[0]) * (width + 2 * padding[1]) * channels;
  if (padded > MOST_NUMBERS) {
    throw new ShapeError(
      `expected an image of at most ${MOST_NUMBERS} numbers with its padding, got ${padded}. Pad less.`,
    );
  }
  return [down!, across!];
}

/** Pixels from a window to the next, and from a tap to the next; 1 where there is no next one and any number would do. */
export function windowSteps(window: Window): { readonly stride: Pair; readonly dilation: Pair } {
  const [down, across] = windowCounts(window);
  const { stride, dilation, kernel } = window;
  return {
    stride: [down > 1 ? stride[0] : 1, across > 1 ? stride[1] : 1],
    dilation: [kernel[0] > 1 ? dilation[0] : 1, kernel[1] > 1 ? dilation[1] : 1],
  };
}

/** Number of weights of a filter: its fan-in. */
export const windowSize = ({ kernel, channels }: Window): number => kernel[0] * kernel[1] * channels;

/** Number of elements of an image. */
export const imageSize = ({ height, width, channels }: Pick<Window, 'height' | 'width' | 'channels'>): number =>
  height * width * channels;
