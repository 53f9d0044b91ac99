/** Pictures in files, PNG or JPEG by their first bytes, whatever they are called. For Node. */

import { DataError } from '../core/errors.ts';
import { refuseGitLfs } from '../core/git-lfs.ts';
import { onDemand } from '../core/on-demand.ts';
import { isJpeg, jpegHeader } from './jpeg-header.ts';
import type { Pixels } from './pixels.ts';
import { isPng, pngHeader } from './png-chunks.ts';
import { readPng } from './png-pixels.ts';

export const isPictureName = (name: string): boolean => /\.(png|jpe?g)$/i.test(name);

export interface PictureHeader {
  readonly width: number;
  readonly height: number;
  /** Whether its pixels have colours. */
  readonly colour: boolean;
}

const unknown = () => new DataError('picture: expected a PNG or JPEG file, got another format. Convert it.');

/**
 * Size and colours from the first bytes of a file of `fileBytes` bytes; undefined where they do not say: pass the whole
 * file then. Throws `DataError` for what is no picture, and for one larger than the limits or than its file could hold.
 */
export function pictureHeader(start: Uint8Array, fileBytes: number): PictureHeader | undefined {
  refuseGitLfs(start, 'picture', DataError);
  if (isJpeg(start)) return jpegHeader(start, fileBytes);
  if (isPng(start)) return pngHeader(start, fileBytes);
  throw unknown();
}

/** Decodes a picture, upright. The code for JPEG loads when a picture needs it. Throws `DataError`. */
export async function readPicture(file: Uint8Array): Promise<Pixels> {
  refuseGitLfs(file, 'picture', DataError);
  if (isJpeg(file)) return (await onDemand(import('./jpeg.ts'))).readJpeg(file);
  if (isPng(file)) return readPng(file);
  throw unknown();
}
