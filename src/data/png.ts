/** A picture as the input of a model: grey, resampled, light on dark as in MNIST. */
import { decode } from 'fast-png';
import { DataError } from '../errors.ts';
import { borderMean, type Grey, resample } from './grey.ts';

/** Pictures with more pixels than this are refused. */
const MOST_PIXELS = 2 ** 24;

/** Samples of a pixel by PNG's type of colour. */
const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Deflate packs no better than this: what a file could not hold is not allocated for it. */
const MOST_PACKED = 1032;

/**
 * Decodes a PNG to (height, width) f32 from 0 to 1: grey by luma (Rec. 601), transparent on white, area-averaged to size.
 * `invert`: 'auto' turns a picture with a light border (dark ink on paper) into light on dark. Throws `DataError`.
 */
export function pngToInput(
  file: Uint8Array,
  [height, width]: readonly [number, number],
  invert: 'auto' | boolean = 'auto',
): Float32Array<ArrayBuffer> {
  const picture = decodePng(file);
  let grey = picture.grey;
  if (invert === 'auto' ? borderMean(picture) > 0.5 : invert) grey = grey.map((value) => 1 - value);
  return resample({ ...picture, grey }, width, height).grey;
}

function decodePng(file: Uint8Array): Grey {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  // The header's size is checked before anything is allocated for it.
  const pixels = file.length >= 24 ? view.getUint32(16) * view.getUint32(20) : 0;
  if (pixels === 0 || pixels > MOST_PIXELS) {
    throw new DataError(`picture: expected a PNG of 1 to ${MOST_PIXELS} pixels, got ${pixels} (or no PNG at all)`);
  }
  const bytes = file.length >= 26 ? (pixels * view.getUint8(24) * (SAMPLES[view.getUint8(25)] ?? 0)) / 8 : 0;
  if (bytes > MOST_PACKED * file.length) {
    throw new DataError(
      `picture: expected ${pixels} pixels, got ${file.length} bytes, which hold fewer. It is damaged.`,
    );
  }
  let png: ReturnType<typeof decode>;
  try {
    png = decode(file);
  } catch (error) {
    throw new DataError(`picture: expected a PNG, could not read it: ${(error as Error).message}`);
  }
  const { width, height, channels, depth, palette, data } = png;
  const most = 2 ** depth - 1;
  const grey = new Float32Array(width * height);
  const perByte = depth < 8 ? 8 / depth : 1;
  const rowBytes = Math.ceil((width * channels * depth) / 8);
  const sample = (x: number, y: number, channel: number): number => {
    if (depth >= 8) return data[(y * width + x) * channels + channel]!;
    const byte = data[y * rowBytes + Math.floor(x / perByte)]!;
    return (byte >> (8 - depth * ((x % perByte) + 1))) & most;
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let [red, green, blue, alpha] = [0, 0, 0, 1];
      if (palette) {
        const entry = palette[sample(x, y, 0)] ?? [0, 0, 0];
        [red, green, blue] = [entry[0]! / 255, entry[1]! / 255, entry[2]! / 255];
        alpha = (entry[3] ?? 255) / 255;
      } else {
        const of = (channel: number) => sample(x, y, channel) / most;
        red = of(0);
        green = channels >= 3 ? of(1) : red;
        blue = channels >= 3 ? of(2) : red;
        alpha = channels === 2 || channels === 4 ? of(channels - 1) : 1;
      }
      grey[y * width + x] = alpha * (0.299 * red + 0.587 * green + 0.114 * blue) + (1 - alpha);
    }
  }
  return { width, height, grey };
}
