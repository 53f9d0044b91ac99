/** Pictures of any size as the input of a model, or as the bytes of a data set. */
import { bytesToFloats } from '../core/arrays.ts';
import type { ImageInputs } from '../model/preparation.ts';
import { BorderMean } from './grey.ts';
import type { Pixels } from './pixels.ts';
import { Resampler, type Size } from './resample.ts';

/** The part of the input that a picture of this size fills. */
function boxOf(picture: Size, { width, height, fit }: ByteInputs): Size & { left: number; top: number } {
  if (fit === 'stretch') return { width, height, left: 0, top: 0 };
  const scale = Math.min(width / picture.width, height / picture.height);
  const across = Math.max(1, Math.round(picture.width * scale));
  const down = Math.max(1, Math.round(picture.height * scale));
  return { width: across, height: down, left: (width - across) >> 1, top: (height - down) >> 1 };
}

type ByteInputs = Omit<ImageInputs, 'kind' | 'scale' | 'shift'>;

/** (height, width) or (height, width, 3) from 0 to 1. */
export function pictureFloats(picture: Pixels, inputs: ByteInputs): Float32Array<ArrayBuffer> {
  const { width, height, channels, invert } = inputs;
  const box = boxOf(picture, inputs);
  const inverted = invert === 'auto' ? hasLightBorder(picture, channels) : invert;
  const planes = planesOf(picture, channels);
  const resamplers = planes.map(() => new Resampler(picture, box));
  for (let y = 0; y < picture.height; y++) {
    picture.readRow(y, planes);
    for (const [i, plane] of planes.entries()) {
      if (inverted) for (let x = 0; x < plane.length; x++) plane[x] = 1 - plane[x]!;
      resamplers[i]!.addRow(y, plane);
    }
  }
  const out = new Float32Array(width * height * channels);
  for (const [channel, resampler] of resamplers.entries()) {
    const pixels = resampler.result();
    for (let y = 0, from = 0; y < box.height; y++) {
      for (let x = 0, at = (box.top + y) * width + box.left; x < box.width; x++, at++) {
        out[at * channels + channel] = pixels[from++]!;
      }
    }
  }
  return out;
}

/** The same as bytes, rounded: a row of a data set. */
export function pictureBytes(picture: Pixels, inputs: ByteInputs): Uint8Array<ArrayBuffer> {
  const values = pictureFloats(picture, inputs);
  const out = new Uint8Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = Math.round(255 * values[i]!);
  return out;
}

/** The input of a model: a picture has the same numbers as it had in the training data. */
export const pictureInput = (picture: Pixels, inputs: ImageInputs): Float32Array<ArrayBuffer> =>
  bytesToFloats(pictureBytes(picture, inputs), inputs.scale, inputs.shift);

const planesOf = ({ width }: Pixels, channels: 1 | 3) =>
  Array.from({ length: channels }, () => new Float32Array(width));

/** Whether the outermost pixels are lighter than medium grey on average. */
function hasLightBorder(picture: Pixels, channels: 1 | 3): boolean {
  const planes = planesOf(picture, channels);
  const borders = planes.map(() => new BorderMean(picture));
  for (let y = 0; y < picture.height; y++) {
    picture.readRow(y, planes);
    for (const [i, plane] of planes.entries()) borders[i]!.addRow(y, plane);
  }
  return borders.reduce((sum, border) => sum + border.result(), 0) / channels > 0.5;
}
