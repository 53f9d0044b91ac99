/** Writes JPEG files, with segments of the caller's choice. */
import { readFileSync } from 'node:fs';
import makeEncoder, { type EncodeOptions } from '@jsquash/jpeg/codec/enc/mozjpeg_enc.js';
import { defaultOptions } from '@jsquash/jpeg/meta.js';
import { joined } from './make-png.ts';

/** A segment: its marker, its length and its content. */
export function jpegSegment(code: number, content: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const length = content.length + 2;
  const out = new Uint8Array(2 + length);
  out.set([0xff, code, length >> 8, length & 255]);
  out.set(content, 4);
  return out;
}

/** An EXIF segment with an orientation, in either byte order. */
export function exifSegment(orientation: number, little = false): Uint8Array<ArrayBuffer> {
  const u16 = (value: number) => (little ? [value & 255, value >> 8] : [value >> 8, value & 255]);
  const u32 = (value: number) => (little ? [...u16(value), 0, 0] : [0, 0, ...u16(value)]);
  const other = [...u16(0x0100), ...u16(4), ...u32(1), ...u32(77)]; // ImageWidth
  const entry = [...u16(0x0112), ...u16(3), ...u32(1), ...u16(orientation), 0, 0];
  const order = little ? [0x49, 0x49] : [0x4d, 0x4d];
  return jpegSegment(0xe1, [...exif, ...order, ...u16(42), ...u32(8), ...u16(2), ...other, ...entry, ...u32(0)]);
}

const exif = [0x45, 0x78, 0x69, 0x66, 0, 0];

/** The file with segments behind its first marker. */
export const withSegments = (file: Uint8Array, ...segments: Uint8Array[]): Uint8Array<ArrayBuffer> =>
  joined([file.subarray(0, 2), ...segments, file.subarray(2)]);

interface Encoder {
  encode(data: Uint8Array, width: number, height: number, options: EncodeOptions): Uint8Array;
}

let encoder: Promise<Encoder> | undefined;

/** The package's own declarations lack what the modules of Emscripten take. */
const newEncoder = makeEncoder as unknown as (options: object) => Promise<Encoder>;

function loadEncoder(): Promise<Encoder> {
  const compiled = new WebAssembly.Module(readFileSync('node_modules/@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm'));
  return newEncoder({
    noInitialRun: true,
    instantiateWasm(imports: WebAssembly.Imports, done: (made: WebAssembly.Instance) => void) {
      const instance = new WebAssembly.Instance(compiled, imports);
      done(instance);
      return instance.exports;
    },
  });
}

export interface JpegOptions extends Partial<EncodeOptions> {
  /** Writes one component. */
  grey?: boolean;
}

/** Encodes a picture of which `pixel` gives red, green and blue as bytes. */
export async function makeJpeg(
  width: number,
  height: number,
  pixel: (x: number, y: number) => readonly [number, number, number],
  { grey = false, ...options }: JpegOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  encoder ??= loadEncoder();
  const data = new Uint8Array(4 * width * height);
  for (let i = 0; i < width * height; i++) data.set([...pixel(i % width, Math.floor(i / width)), 255], 4 * i);
  const quality = { ...defaultOptions, quality: 95, auto_subsample: false, chroma_subsample: 1 };
  const made = (await encoder).encode(data, width, height, { ...quality, ...(grey && { color_space: 1 }), ...options });
  return new Uint8Array(made);
}
