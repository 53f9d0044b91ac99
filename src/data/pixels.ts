/** Pictures as rows of pixels: what every decoder yields, and what a page reads from a canvas. */

export interface Pixels {
  readonly width: number;
  readonly height: number;
  /**
   * Writes row `y` from 0 to 1, transparent pixels laid on white, into one plane (grey by luma, Rec. 601) or three
   * (red, green, blue) of `width` numbers each.
   */
  readRow(y: number, planes: readonly Float32Array[]): void;
}

/** Pixels as `ImageData` holds them: (height, width, 4) bytes of red, green, blue and alpha. */
export interface Rgba {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** Writes one pixel, with colours and alpha from 0 to 1. */
export function writePixel(
  planes: readonly Float32Array[],
  x: number,
  red: number,
  green: number,
  blue: number,
  alpha: number,
): void {
  if (planes.length === 1) {
    planes[0]![x] = alpha * (0.299 * red + 0.587 * green + 0.114 * blue) + (1 - alpha);
  } else {
    planes[0]![x] = alpha * red + (1 - alpha);
    planes[1]![x] = alpha * green + (1 - alpha);
    planes[2]![x] = alpha * blue + (1 - alpha);
  }
}

/**
 * EXIF orientation: which row and column of the stored picture are the top and the left of the upright one. 1 is
 * upright; from 5 on, rows and columns swap.
 */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

export const swapsSides = (orientation: Orientation): boolean => orientation >= 5;

/** Where the upright picture's pixel 0 lies in the stored one, and how many pixels a step right and down move there. */
function stepsOf({ width, height }: Rgba, orientation: Orientation): { start: number; right: number; down: number } {
  const [last, bottom] = [width - 1, (height - 1) * width];
  const steps: { readonly [O in Orientation]: readonly [start: number, right: number, down: number] } = {
    1: [0, 1, width],
    2: [last, -1, width],
    3: [bottom + last, -1, -width],
    4: [bottom, 1, -width],
    5: [0, width, 1],
    6: [bottom, -width, 1],
    7: [bottom + last, -width, -1],
    8: [last, width, -1],
  };
  const [start, right, down] = steps[orientation];
  return { start, right, down };
}

/** Reads the bytes of `ImageData`, turned upright. */
export function rgbaPixels(picture: Rgba, orientation: Orientation = 1): Pixels {
  const { data } = picture;
  const { start, right, down } = stepsOf(picture, orientation);
  const [width, height] = swapsSides(orientation) ? [picture.height, picture.width] : [picture.width, picture.height];
  return {
    width,
    height,
    readRow(y, planes) {
      for (let x = 0, at = 4 * (start + y * down); x < width; x++, at += 4 * right) {
        writePixel(planes, x, data[at]! / 255, data[at + 1]! / 255, data[at + 2]! / 255, data[at + 3]! / 255);
      }
    },
  };
}
