/** A picture as the input of a model: resampled, light on dark as in MNIST; or as the bytes of a data set. */
import { DataError } from '../core/errors.ts';
import { AreaMean, BorderMean } from './grey.ts';
import { pngHeader } from './png-chunks.ts';
import { type PngPixels, readPng } from './png-pixels.ts';

/**
 * Decodes a PNG to (height, width) f32 from 0 to 1: grey by luma (Rec. 601), transparent on white, area-averaged to
 * size; with a third size of 3 to (height, width, 3) in colours. `invert`: 'auto' turns a picture with a light border
 * (dark ink on paper) into light on dark. Throws `DataError`.
 */
export function pngToInput(
  file: Uint8Array,
  [height, width, channels = 1]: readonly [number, number, (1 | 3)?],
  invert: 'auto' | boolean = 'auto',
): Float32Array<ArrayBuffer> {
  const picture = readPng(file);
  const inverted = invert === 'auto' ? hasLightBorder(picture, channels) : invert;
  const planes = planesOf(picture, channels);
  const means = planes.map(() => new AreaMean(picture, { width, height }));
  for (let y = 0; y < picture.height; y++) {
    picture.readRow(y, planes);
    for (const [i, plane] of planes.entries()) {
      if (inverted) for (let x = 0; x < plane.length; x++) plane[x] = 1 - plane[x]!;
      means[i]!.addRow(y, plane);
    }
  }
  const pixels = means.map((mean) => mean.result());
  if (channels === 1) return pixels[0]!;
  return Float32Array.from({ length: 3 * width * height }, (_, i) => pixels[i % 3]![Math.floor(i / 3)]!);
}

/**
 * Writes a picture of exactly this size into `out` from `at` on, as bytes, (height, width) or (height, width, 3).
 * Throws `DataError`.
 */
export function pngToBytes(
  file: Uint8Array,
  [height, width, channels]: readonly [number, number, 1 | 3],
  out: Uint8Array,
  at: number,
): void {
  const header = pngHeader(file);
  if (header.width !== width || header.height !== height) {
    throw new DataError(
      `picture: expected ${width} x ${height} pixels, got ${header.width} x ${header.height}. Resize all pictures to one size.`,
    );
  }
  const picture = readPng(file);
  const planes = planesOf(picture, channels);
  for (let y = 0; y < height; y++) {
    picture.readRow(y, planes);
    for (const [channel, plane] of planes.entries()) {
      for (let x = 0; x < width; x++) out[at + (y * width + x) * channels + channel] = Math.round(255 * plane[x]!);
    }
  }
}

const planesOf = ({ width }: PngPixels, channels: 1 | 3) =>
  Array.from({ length: channels }, () => new Float32Array(width));

/** Whether the outermost pixels are lighter than medium grey in the mean. */
function hasLightBorder(picture: PngPixels, channels: 1 | 3): boolean {
  const planes = planesOf(picture, channels);
  const borders = planes.map(() => new BorderMean(picture));
  for (let y = 0; y < picture.height; y++) {
    picture.readRow(y, planes);
    for (const [i, plane] of planes.entries()) borders[i]!.addRow(y, plane);
  }
  return borders.reduce((sum, border) => sum + border.result(), 0) / channels > 0.5;
}
