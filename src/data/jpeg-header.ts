/**
 * The segments of a JPEG file (ITU-T T.81, annex B), checked before anything is decoded: the size that its frame
 * declares, its process, how many scans it has, and whether it ends.
 */
import { DataError } from '../core/errors.ts';
import { orientationOf } from './exif.ts';
import { BEST_JPEG_RATIO, limits } from './limits.ts';
import { type Orientation, swapsSides } from './pixels.ts';

export interface JpegHeader {
  /** Of the upright picture. */
  readonly width: number;
  readonly height: number;
  readonly colour: boolean;
  readonly orientation: Orientation;
  /** Where its first scan starts. */
  readonly scan: number;
}

export const isJpeg = (start: Uint8Array): boolean => start[0] === 0xff && start[1] === 0xd8 && start[2] === 0xff;

const fail = (expected: string, got: string): DataError =>
  new DataError(`picture: expected ${expected}, got ${got}. The file is damaged: export the picture again.`);

const marker = { rst0: 0xd0, rst7: 0xd7, eoi: 0xd9, sos: 0xda, app1: 0xe1, tem: 0x01 } as const;

/** Start of frame: C0 to CF but for the tables C4, C8 and CC. */
const isFrame = (code: number) => code >= 0xc0 && code <= 0xcf && code !== 0xc4 && code !== 0xc8 && code !== 0xcc;

/** Baseline, extended and progressive with Huffman codes: what browsers read. */
const isKnownFrame = (code: number) => code <= 0xc2;

const isExif = (segment: Uint8Array) => [0x45, 0x78, 0x69, 0x66, 0, 0].every((byte, i) => segment[i] === byte);

/**
 * Reads the segments in front of the pixels; undefined where `start`, the first bytes of a file of `fileBytes` bytes,
 * ends before them. Throws `DataError` for a picture larger than the limits or than its file could hold, and for one
 * that is neither grey nor RGB.
 */
export function jpegHeader(start: Uint8Array, fileBytes = start.length): JpegHeader | undefined {
  if (fileBytes > limits.jpegBytes) {
    throw new DataError(`picture: expected at most ${limits.jpegBytes} bytes, got ${fileBytes}. Make it smaller.`);
  }
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  let frame: Pick<JpegHeader, 'width' | 'height' | 'colour'> | undefined;
  let orientation: Orientation = 1;
  for (let at = 2, segments = 0; ; ) {
    while (start[at] === 0xff && start[at + 1] === 0xff) at++; // fill bytes
    if (at + 2 > start.length) return cutOff(start, fileBytes);
    const code = start[at + 1]!;
    if (start[at] !== 0xff || code === 0) throw fail('a marker', `the byte ${start[at]} at ${at}`);
    if (++segments > limits.jpegSegments) {
      throw fail(`at most ${limits.jpegSegments} segments before the pixels`, 'more');
    }
    at += 2;
    if (code === marker.tem || (code >= marker.rst0 && code <= marker.rst7)) continue; // they have no length
    if (code === marker.eoi) throw fail('pixels', 'none');
    if (at + 2 > start.length) return cutOff(start, fileBytes);
    const length = view.getUint16(at);
    if (length < 2) throw fail('segments of 2 bytes or more', `${length}`);
    if (at + length > fileBytes)
      throw fail(`a segment of ${length} bytes`, `the end of the file after ${fileBytes - at}`);
    if (code === marker.sos) {
      if (!frame) throw fail('a frame before the pixels', 'none');
      const { width, height } = frame;
      const upright = swapsSides(orientation) ? { width: height, height: width } : { width, height };
      return { ...frame, ...upright, orientation, scan: at };
    }
    if (at + length > start.length) return undefined;
    const segment = start.subarray(at + 2, at + length);
    if (code === marker.app1 && isExif(segment)) orientation = orientationOf(segment.subarray(6));
    if (isFrame(code)) {
      if (frame) throw fail('one frame', 'two');
      frame = frameOf(code, segment, fileBytes);
    }
    at += length;
  }
}

function cutOff(start: Uint8Array, fileBytes: number): undefined {
  if (start.length >= fileBytes) throw fail('pixels', `the end of the file after ${fileBytes} bytes`);
  return undefined;
}

function frameOf(code: number, frame: Uint8Array, fileBytes: number): Pick<JpegHeader, 'width' | 'height' | 'colour'> {
  if (!isKnownFrame(code)) {
    throw new DataError(
      `picture: expected a baseline or progressive JPEG file, got the rare process SOF${code - 0xc0}. Convert it.`,
    );
  }
  if (frame.length < 6) throw fail('a frame of 8 bytes or more', `${frame.length + 2}`);
  const [depth, h1, h0, w1, w0, components] = frame as unknown as [number, number, number, number, number, number];
  const [height, width] = [256 * h1 + h0, 256 * w1 + w0];
  if (depth !== 8) throw new DataError(`picture: expected a JPEG file of 8 bits a sample, got ${depth}. Convert it.`);
  if (components === 4) {
    throw new DataError('picture: expected a JPEG file in grey or RGB, got CMYK, for print. Convert it to RGB.');
  }
  if (components !== 1 && components !== 3) throw fail('1 or 3 components', `${components}`);
  const pixels = width * height;
  if (pixels === 0 || pixels > limits.pixels) {
    throw new DataError(`picture: expected 1 to ${limits.pixels} pixels, got ${width} x ${height}. Make it smaller.`);
  }
  if (pixels > BEST_JPEG_RATIO * fileBytes) {
    throw fail(`${width} x ${height} pixels`, `${fileBytes} bytes, which can't hold as many`);
  }
  return { width, height, colour: components === 3 };
}

/** Counts scans from the first one on, and finds the end of the picture. Throws `DataError`. */
export function checkScans(file: Uint8Array, first: number): void {
  for (let at = file.indexOf(0xff, first), scans = 1; at >= 0; at = file.indexOf(0xff, at + 1)) {
    const code = file[at + 1];
    if (code === marker.eoi) return;
    if (code === marker.sos && ++scans > limits.jpegScans) {
      throw fail(`at most ${limits.jpegScans} scans`, 'more');
    }
  }
  throw fail('the marker of its end', 'the end of the file');
}
