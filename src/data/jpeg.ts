/**
 * JPEG pictures, for Node. The decoder is MozJPEG's libjpeg, whose pixels are those that browsers show. It runs as
 * WebAssembly, so that no damaged file reaches memory outside its own.
 */
import { inflateSync } from 'node:zlib';
import makeDecoder from '@jsquash/jpeg/codec/dec/mozjpeg_dec.js';
import { DataError } from '../core/errors.ts';
import { quoted } from '../core/quote.ts';
import packed from './jpeg-decoder.wasm';
import { checkScans, jpegHeader } from './jpeg-header.ts';
import { type Pixels, type Rgba, rgbaPixels } from './pixels.ts';

interface Decoder {
  decode(file: Uint8Array): Rgba;
  /** What the decoder complained about since the list was cleared. */
  readonly complaints: string[];
}

let compiled: WebAssembly.Module | undefined;
let current: Promise<Decoder> | undefined;

/** A fresh instance of the decoder. After an error it may no longer be used: libjpeg exits. */
async function newDecoder(): Promise<Decoder> {
  compiled ??= new WebAssembly.Module(inflateSync(Buffer.from(packed, 'base64')).subarray(4)); // after its length
  const complaints: string[] = [];
  const module = await (makeDecoder as unknown as Factory)({
    noInitialRun: true,
    print() {},
    printErr: (line) => complaints.push(line),
    instantiateWasm(imports, done) {
      const instance = new WebAssembly.Instance(compiled!, imports);
      done(instance);
      return instance.exports;
    },
  });
  return { complaints, decode: (file) => module.decode(file, false) }; // as it is stored
}

/** The package's own declarations lack what the modules of Emscripten take. */
type Factory = (options: {
  noInitialRun: boolean;
  print(line: string): void;
  printErr(line: string): void;
  instantiateWasm(imports: WebAssembly.Imports, done: (made: WebAssembly.Instance) => void): WebAssembly.Exports;
}) => Promise<{ decode(file: Uint8Array, turnsUpright: boolean): Rgba }>;

/** Decodes a picture and turns it upright. Throws `DataError` for one that is damaged or larger than the limits. */
export async function readJpeg(file: Uint8Array): Promise<Pixels> {
  const { orientation, scan } = jpegHeader(file)!; // of a whole file there is one
  checkScans(file, scan);
  current ??= newDecoder();
  const { complaints, decode } = await current;
  complaints.length = 0;
  let picture: Rgba;
  try {
    picture = decode(file);
  } catch {
    current = undefined;
    throw damaged(complaints.at(-1));
  }
  const short = complaints.find((line) => /premature end|bad Huffman/i.test(line));
  if (short !== undefined) throw damaged(short);
  return rgbaPixels(picture, orientation);
}

const damaged = (complaint = 'an error without a name') =>
  new DataError(
    `picture: expected a whole JPEG file, but its decoder says ${quoted(complaint)}. The file is damaged: export the ` +
      'picture again.',
  );
