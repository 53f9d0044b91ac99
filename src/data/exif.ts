/** The orientation that a camera wrote into a picture (EXIF 2.32, section 4.6.4). */
import type { Orientation } from './pixels.ts';

const ORIENTATION = 0x0112;
const SHORT = 3;

/** `tiff`: the bytes of an EXIF block, from its byte order on. What is damaged counts as upright, as in browsers. */
export function orientationOf(tiff: Uint8Array): Orientation {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const little = tiff[0] === 0x49;
  if (tiff.length < 14 || tiff[1] !== tiff[0] || (!little && tiff[0] !== 0x4d) || view.getUint16(2, little) !== 42) {
    return 1;
  }
  const directory = view.getUint32(4, little);
  if (directory + 2 > tiff.length) return 1;
  const entries = view.getUint16(directory, little);
  for (let i = 0, at = directory + 2; i < entries && at + 12 <= tiff.length; i++, at += 12) {
    if (view.getUint16(at, little) !== ORIENTATION) continue;
    const value = view.getUint16(at + 8, little);
    const valid = view.getUint16(at + 2, little) === SHORT && value >= 1 && value <= 8;
    return valid ? (value as Orientation) : 1;
  }
  return 1;
}
