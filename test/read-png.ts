/** PNG files as inputs and as bytes. */
import { pictureBytes, pictureFloats } from '../src/data/picture-input.ts';
import { readPng } from '../src/data/png-pixels.ts';

type Shape = readonly [height: number, width: number, channels?: 1 | 3];

export const pngToInput = (
  file: Uint8Array,
  [height, width, channels = 1]: Shape,
  invert: 'auto' | boolean = 'auto',
): Float32Array => pictureFloats(readPng(file), { height, width, channels, fit: 'stretch', invert });

export const pngToBytes = (file: Uint8Array, [height, width, channels = 1]: Shape): Uint8Array =>
  pictureBytes(readPng(file), { height, width, channels, fit: 'stretch', invert: false });
