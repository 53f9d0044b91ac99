import type { Dispatch } from './dispatch.ts';
import source from './pad_image.wgsl';

/** Zeros around an image: lines above and below, columns to the left and right. None may be negative. */
export interface Border {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

export const isBare = (border: Border): boolean => Object.values(border).every((size) => size === 0);

/** Number of elements of a padded image. */
export const paddedSize = (
  { height, width, channels }: { height: number; width: number; channels: number },
  { top, bottom, left, right }: Border,
): number => (height + top + bottom) * (width + left + right) * channels;

export interface PadImageArgs<B> {
  /** At most 65,535, as are the lines of a padded image. */
  readonly rows: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly border: Border;
  /** (rows, height, width, channels) f32. */
  readonly x: B;
  /** (rows, height + top + bottom, width + left + right, channels) f32, written. */
  readonly out: B;
}

/** Copies the images into a border of zeros. */
export const padImage = <B>({ rows, height, width, channels, border, x, out }: PadImageArgs<B>): Dispatch<B> => ({
  source,
  params: {
    height,
    line: width * channels,
    padded_line: (width + border.left + border.right) * channels,
    top: border.top,
    left: border.left * channels,
  },
  buffers: { x, out },
  grid: [1, height + border.top + border.bottom, rows],
});
