/** A picture as the input of a model: resampled, light on dark as in MNIST; or as the bytes of a data set. */
import { decode } from 'fast-png';
import { DataError } from '../core/errors.ts';
import { borderMean, type Grey, resample } from './grey.ts';

/** Pictures with more pixels than this are refused. */
const MOST_PIXELS = 2 ** 24;

/** Samples of a pixel by PNG's type of colour. */
const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Bits of a sample. */
const DEPTHS: readonly number[] = [1, 2, 4, 8, 16];

/** Deflate packs no better than this: what a file could not hold is not allocated for it. */
const MOST_PACKED = 1032;

/** Bytes from a file's start that say all that `pngHeader` tells. */
export const PNG_HEADER_BYTES = 26;

export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** Colours, or a palette. */
  readonly colour: boolean;
}

/** What the start of a file of so many bytes says of its size: checked before anything is allocated for it. Throws `DataError`. */
export function pngHeader(start: Uint8Array, fileBytes = start.length): PngHeader {
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const [width, height] = start.length >= 24 ? [view.getUint32(16), view.getUint32(20)] : [0, 0];
  const pixels = width * height;
  if (pixels === 0 || pixels > MOST_PIXELS) {
    throw new DataError(`picture: expected a PNG of 1 to ${MOST_PIXELS} pixels, got ${pixels} (or no PNG at all)`);
  }
  if (start.length < PNG_HEADER_BYTES) throw new DataError(`picture: expected a PNG, got ${start.length} bytes`);
  const [depth, type] = [view.getUint8(24), view.getUint8(25)];
  const samples = SAMPLES[type];
  if (!samples || !DEPTHS.includes(depth)) {
    throw new DataError(`picture: expected a PNG's depth and type of colour, got ${depth} and ${type}. It is damaged.`);
  }
  const bytes = (pixels * depth * samples) / 8;
  if (bytes > MOST_PACKED * fileBytes) {
    throw new DataError(`picture: expected ${pixels} pixels, got ${fileBytes} bytes, which hold fewer. It is damaged.`);
  }
  return { width, height, colour: type === 2 || type === 3 || type === 6 };
}

/** Channels: each (height, width) from 0 to 1, transparent pixels on white. */
type Channel = Grey;

/**
 * Decodes a PNG to (height, width) f32 from 0 to 1: grey by luma (Rec. 601), transparent on white, area-averaged to size; with
 * a third size of 3 to (height, width, 3) in colours. `invert`: 'auto' turns a picture with a light border (dark ink on paper)
 * into light on dark. Throws `DataError`.
 */
export function pngToInput(
  file: Uint8Array,
  [height, width, channels = 1]: readonly [number, number, (1 | 3)?],
  invert: 'auto' | boolean = 'auto',
): Float32Array<ArrayBuffer> {
  const picture = decodePng(file, channels);
  const turned = invert === 'auto' ? mean(picture.map(borderMean)) > 0.5 : invert;
  const planes = picture.map((channel) => {
    const grey = turned ? channel.grey.map((value) => 1 - value) : channel.grey;
    return resample({ ...channel, grey }, width, height).grey;
  });
  if (channels === 1) return planes[0]!;
  return Float32Array.from({ length: 3 * width * height }, (_, i) => planes[i % 3]![Math.floor(i / 3)]!);
}

/** A picture of this very size as bytes, (height, width) or (height, width, 3), written from `at`. Throws `DataError`. */
export function pngToBytes(
  file: Uint8Array,
  [height, width, channels]: readonly [number, number, 1 | 3],
  out: Uint8Array,
  at: number,
): void {
  const header = pngHeader(file);
  if (header.width !== width || header.height !== height) {
    throw new DataError(
      `picture: expected ${width} x ${height} pixels, got ${header.width} x ${header.height}. Bring all to one size.`,
    );
  }
  for (const [channel, { grey }] of decodePng(file, channels).entries()) {
    for (let i = 0; i < grey.length; i++) out[at + i * channels + channel] = Math.round(255 * grey[i]!);
  }
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

function decodePng(file: Uint8Array, channelCount: 1 | 3): Channel[] {
  pngHeader(file);
  let png: ReturnType<typeof decode>;
  try {
    png = decode(file);
  } catch (error) {
    throw new DataError(`picture: expected a PNG, could not read it: ${(error as Error).message}`);
  }
  const { width, height, channels, depth, palette, data } = png;
  const most = 2 ** depth - 1;
  const planes = Array.from({ length: channelCount }, () => new Float32Array(width * height));
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
      const colours = channelCount === 1 ? [0.299 * red + 0.587 * green + 0.114 * blue] : [red, green, blue];
      for (const [i, value] of colours.entries()) planes[i]![y * width + x] = alpha * value + (1 - alpha);
    }
  }
  return planes.map((grey) => ({ width, height, grey }));
}
