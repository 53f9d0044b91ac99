/** Pictures as callers have them, as inputs of a model. */
import { BYTE_SCALE } from '../core/arrays.ts';
import { DataError } from '../core/errors.ts';
import { limits } from '../data/limits.ts';
import { pictureInput } from '../data/picture-input.ts';
import { type Rgba, rgbaPixels } from '../data/pixels.ts';
import { inputSize, type Model } from '../model/model.ts';
import type { ImageInputs, InputSpec } from '../model/preparation.ts';

/** Pixels, or what a page can draw: a canvas, an image or video element, an ImageBitmap, a picture file. */
export type Picture = Rgba | Blob | CanvasImageSource;

const nameOf = (value: unknown) => Object.prototype.toString.call(value).slice(8, -1); // also right in another realm

const isBlob = (value: unknown): value is Blob => ['Blob', 'File'].includes(nameOf(value));

/** Whether a value is a picture: a file, or something with a size that is neither a list nor an array of numbers. */
export const isPicture = (value: unknown): value is Picture =>
  isBlob(value) ||
  (typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value) &&
    'width' in value &&
    'height' in value);

/** What a model takes pictures for that does not say it: light on dark, from 0 to 1, by the shape of its input. */
function imageInputsOf(title: string, model: Model, inputs: InputSpec): ImageInputs {
  if (inputs.kind === 'image') return inputs;
  const [height, width, channels = 1] = model.input;
  const fits = height && width && model.input.length < 4 && (channels === 1 || channels === 3);
  if (inputs.kind !== 'numbers' || !fits) {
    throw new DataError(
      `${title}: expected ${inputSize(model)} numbers (${model.input.join(' x ')}), got a picture. Use a model of pictures.`,
    );
  }
  return { kind: 'image', height, width, channels, scale: BYTE_SCALE, shift: 0, fit: 'stretch', invert: 'auto' };
}

/** Draws what is no pixels yet. Throws `DataError`. */
async function rgbaOf(title: string, picture: Picture): Promise<Rgba> {
  if ('data' in picture) return expectPixels(title, picture);
  if (typeof OffscreenCanvas === 'undefined') {
    throw new DataError(
      `${title}: expected pixels as { width, height, data }, got ${nameOf(picture)}: pictures are decoded in pages and workers alone.`,
    );
  }
  if (isBlob(picture)) {
    const bitmap = await createImageBitmap(picture).catch((error: Error) => {
      throw new DataError(
        `${title}: expected a picture that the browser can decode, got another file: ${error.message}`,
      );
    });
    try {
      return drawn(title, bitmap);
    } finally {
      bitmap.close();
    }
  }
  return drawn(title, picture);
}

function drawn(title: string, picture: CanvasImageSource): Rgba {
  const { naturalWidth, naturalHeight, videoWidth, videoHeight, width, height } = picture as unknown as Readonly<
    Record<string, number | undefined>
  >;
  const size = [naturalWidth ?? videoWidth ?? width, naturalHeight ?? videoHeight ?? height].map(Number);
  const [across, down] = size as [number, number];
  expectSize(title, across, down);
  const context = new OffscreenCanvas(across, down).getContext('2d', { willReadFrequently: true })!;
  context.drawImage(picture, 0, 0, across, down);
  return context.getImageData(0, 0, across, down);
}

function expectSize(title: string, width: number, height: number): void {
  const whole = Number.isSafeInteger(width) && Number.isSafeInteger(height) && width > 0 && height > 0;
  if (whole && width * height <= limits.pixels) return;
  throw new DataError(
    `${title}: expected a picture of 1 to ${limits.pixels} pixels, got ${width} x ${height}. Wait until it has loaded, or make it smaller.`,
  );
}

function expectPixels(title: string, picture: Rgba): Rgba {
  const { width, height, data } = picture;
  expectSize(title, width, height);
  const bytes = /^Uint8(Clamped)?Array$/.test(nameOf(data));
  if (bytes && data.length === 4 * width * height) return picture;
  throw new DataError(
    `${title}: expected data of ${4 * width * height} bytes, red, green, blue and alpha of each pixel; got ` +
      `${bytes ? `${data.length} bytes` : nameOf(data)}.`,
  );
}

/** Pictures as inputs of a model, one after another; errors start with `title`. Throws `DataError`. */
export async function pictureRows(
  title: string,
  pictures: readonly Picture[],
  inputs: ImageInputs,
): Promise<Float32Array<ArrayBuffer>> {
  const size = inputs.height * inputs.width * inputs.channels;
  const out = new Float32Array(pictures.length * size);
  for (const [i, picture] of pictures.entries()) {
    out.set(pictureInput(rgbaPixels(await rgbaOf(title, picture)), inputs), i * size);
  }
  return out;
}

/** Throws `DataError` for a model of something else. */
export const pictureInputs = (pictures: readonly Picture[], model: Model, spec: InputSpec, title = 'classify') =>
  pictureRows(title, pictures, imageInputsOf(title, model, spec));
