/**
 * The chunks of a PNG file (https://www.w3.org/TR/png-3): checked in number, order and checksum, the pixels unpacked to
 * the size that the header declares and no further. Chunks that do not change the pixels are skipped unread.
 */
import { inflateSync } from 'node:zlib';
import { DataError } from '../core/errors.ts';
import { refuseGitLfs } from '../core/git-lfs.ts';
import { crc32 } from './crc32.ts';
import { BEST_DEFLATE_RATIO, limits } from './limits.ts';

/** 0: grey, 2: RGB, 3: palette, 4: grey with alpha, 6: RGB with alpha. */
export type ColourType = 0 | 2 | 3 | 4 | 6;

/** Samples of a pixel, and the bits that a sample may have. */
const formats: { readonly [T in ColourType]: { readonly samples: number; readonly depths: readonly number[] } } = {
  0: { samples: 1, depths: [1, 2, 4, 8, 16] },
  2: { samples: 3, depths: [8, 16] },
  3: { samples: 1, depths: [1, 2, 4, 8] },
  4: { samples: 2, depths: [8, 16] },
  6: { samples: 4, depths: [8, 16] },
};

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];

/** The signature and the chunk IHDR. */
export const PNG_HEADER_BYTES = 33;

/** Chunks that may come once at most (PNG, third edition, table 7). */
const ONCE = new Set(
  'IHDR PLTE IEND cHRM cICP gAMA iCCP mDCV cLLI sBIT sRGB bKGD hIST tRNS eXIf pHYs tIME acTL'.split(' '),
);

export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** Bits of a sample. */
  readonly depth: number;
  readonly type: ColourType;
  /** Samples of a pixel. */
  readonly samples: number;
  /** Whether its pixels have colours: RGB or a palette. */
  readonly colour: boolean;
  readonly passes: readonly Pass[];
}

/** Pixels (x0 + i * dx, y0 + j * dy) as one small picture: seven of them if the picture is interlaced, else one. */
export interface Pass {
  readonly x0: number;
  readonly y0: number;
  readonly dx: number;
  readonly dy: number;
  readonly width: number;
  readonly height: number;
  /** Where its first row starts. */
  readonly offset: number;
  /** Bytes of a row, without the byte in front of it that names its filter. */
  readonly rowBytes: number;
}

const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

export const isPng = (start: Uint8Array): boolean => SIGNATURE.every((byte, i) => start[i] === byte);

const fail = (expected: string, got: string): DataError =>
  new DataError(`picture: expected ${expected}, got ${got}. The file is damaged: export the picture again.`);

/**
 * Reads the first `PNG_HEADER_BYTES` of a file of `fileBytes` bytes. Throws `DataError` for what is no PNG, and for a
 * picture larger than the limits or than its file could hold.
 */
export function pngHeader(start: Uint8Array, fileBytes = start.length): PngHeader {
  refuseGitLfs(start, 'picture', DataError);
  if (!isPng(start)) {
    throw new DataError('picture: expected a PNG file, got another format. Convert it to PNG.');
  }
  if (fileBytes > limits.pngBytes) {
    throw new DataError(`picture: expected at most ${limits.pngBytes} bytes, got ${fileBytes}. Make it smaller.`);
  }
  if (start.length < PNG_HEADER_BYTES)
    throw fail(`a PNG of ${PNG_HEADER_BYTES} bytes or more`, `${start.length} bytes`);
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  if (view.getUint32(8) !== 13 || chunkType(start, 12) !== 'IHDR') {
    throw fail('the chunk IHDR of 13 bytes first', `${printable(chunkType(start, 12))} of ${view.getUint32(8)}`);
  }
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const pixels = width * height;
  if (pixels === 0 || pixels > limits.pixels) {
    throw new DataError(`picture: expected 1 to ${limits.pixels} pixels, got ${width} x ${height}. Make it smaller.`);
  }
  if (crc32(start.subarray(12, 29)) !== view.getUint32(29)) throw fail('the checksum of IHDR', 'another');
  const [depth, type, packing, filtering, interlace] = start.subarray(24, 29) as unknown as number[];
  const format = Object.hasOwn(formats, type!) ? formats[type as ColourType] : undefined;
  if (!format?.depths.includes(depth!)) throw fail('a valid colour type and bit depth', `${type} and ${depth}`);
  if (packing !== 0 || filtering !== 0 || interlace! > 1) {
    throw fail('compression 0, filter 0 and interlace 0 or 1', `${packing}, ${filtering} and ${interlace}`);
  }
  const { samples } = format;
  const passes = passesOf(width, height, depth! * samples, interlace === 1);
  if (unpackedBytes(passes) > BEST_DEFLATE_RATIO * fileBytes) {
    throw fail(`${width} x ${height} pixels`, `${fileBytes} bytes, which can't hold as many`);
  }
  const colour = type === 2 || type === 3 || type === 6;
  return { width, height, depth: depth!, type: type as ColourType, samples, colour, passes };
}

function passesOf(width: number, height: number, pixelBits: number, interlaced: boolean): Pass[] {
  const passes: Pass[] = [];
  let offset = 0;
  for (const [x0, y0, dx, dy] of interlaced ? ADAM7 : ([[0, 0, 1, 1]] as const)) {
    const size = { width: Math.ceil((width - x0) / dx), height: Math.ceil((height - y0) / dy) };
    if (size.width <= 0 || size.height <= 0) continue;
    const rowBytes = Math.ceil((size.width * pixelBits) / 8);
    passes.push({ x0, y0, dx, dy, ...size, offset, rowBytes });
    offset += size.height * (1 + rowBytes);
  }
  return passes;
}

const unpackedBytes = (passes: readonly Pass[]): number => {
  const { offset, height, rowBytes } = passes.at(-1)!;
  return offset + height * (1 + rowBytes);
};

const chunkType = (file: Uint8Array, at: number): string => String.fromCharCode(...file.subarray(at, at + 4));

/** A chunk's type may be any four bytes: what is no letter is not printed. */
const printable = (type: string): string => type.replace(/[^A-Za-z]/g, '?');

export interface PngFile {
  readonly header: PngHeader;
  /** Bytes of red, green and blue for each entry; only for colour type 3. */
  readonly palette: Uint8Array | undefined;
  /**
   * The bytes of tRNS: alpha of palette entries, or the samples of the transparent colour; undefined for types with
   * alpha.
   */
  readonly transparency: Uint8Array | undefined;
  /** Filtered rows of each pass in turn, each after the byte of its filter. */
  readonly rows: Uint8Array;
}

/** Throws `DataError`. */
export function readPngFile(file: Uint8Array): PngFile {
  const header = pngHeader(file);
  const seen = new Map<string, Uint8Array>();
  const packed: Uint8Array[] = [];
  let last = 'IHDR';
  let chunks = 1;
  for (const { type, data } of chunksOf(file)) {
    if (++chunks > limits.pngChunks) throw fail(`at most ${limits.pngChunks} chunks`, 'more');
    if (type === 'IHDR' || (ONCE.has(type) && seen.has(type))) throw fail(`${type} once`, 'it twice');
    if (type === 'IDAT') {
      if (packed.length && last !== 'IDAT') throw fail('the chunks IDAT in a row', `${last} between them`);
      if (header.type === 3 && !seen.has('PLTE')) throw fail('PLTE before IDAT', 'none');
      packed.push(data);
    } else if (type === 'PLTE' || type === 'tRNS') {
      if (packed.length) throw fail(`${type} before IDAT`, 'it after IDAT');
      if (type === 'PLTE' && seen.has('tRNS')) throw fail('PLTE before tRNS', 'it after tRNS');
    } else if (type !== 'IEND' && type[0]! < 'a') {
      throw fail('chunks that PNG defines', `${type}, which is needed to read the picture`);
    }
    seen.set(type, data);
    last = type;
  }
  if (packed.length === 0) throw fail('the chunk IDAT', 'none');
  return {
    header,
    palette: header.type === 3 ? checkPalette(seen.get('PLTE')!, header.depth) : undefined,
    transparency: checkTransparency(header, seen.get('tRNS'), seen.get('PLTE')),
    rows: inflateRows(packed, unpackedBytes(header.passes)),
  };
}

/** The chunks after IHDR up to IEND; what stands behind is ignored, as other readers do. */
function* chunksOf(file: Uint8Array): Generator<{ type: string; data: Uint8Array }> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  for (let at = PNG_HEADER_BYTES, type = ''; type !== 'IEND'; ) {
    if (at + 12 > file.length) throw fail('the chunk IEND', 'the end of the file');
    const end = at + 8 + view.getUint32(at);
    type = chunkType(file, at + 4);
    if (!/^[A-Za-z]{4}$/.test(type)) throw fail('a chunk', `'${printable(type)}'`);
    if (end + 4 > file.length) throw fail(`${end - at - 8} bytes of ${type}`, 'the end of the file');
    if (crc32(file.subarray(at + 4, end)) !== view.getUint32(end)) throw fail(`the checksum of ${type}`, 'another');
    yield { type, data: file.subarray(at + 8, end) };
    at = end + 4;
  }
}

function checkPalette(palette: Uint8Array, depth: number): Uint8Array {
  const entries = palette.length / 3;
  if (Number.isInteger(entries) && entries >= 1 && entries <= 2 ** depth) return palette;
  throw fail(`a palette of 1 to ${2 ** depth} colours`, `${palette.length} bytes`);
}

function checkTransparency(
  { type }: PngHeader,
  data: Uint8Array | undefined,
  palette: Uint8Array | undefined,
): Uint8Array | undefined {
  if (!data || type === 4 || type === 6) return undefined; // pixels with alpha need no transparent colour
  const fits = type === 3 ? data.length <= palette!.length / 3 : data.length === (type === 0 ? 2 : 6);
  if (fits) return data;
  throw fail(`tRNS as colour type ${type} has it`, `${data.length} bytes`);
}

function inflateRows(packed: readonly Uint8Array[], bytes: number): Uint8Array {
  let rows: Uint8Array;
  try {
    // With room for all in one piece, zlib does not copy the output a second time.
    rows = inflateSync(packed.length === 1 ? packed[0]! : Buffer.concat(packed), {
      maxOutputLength: bytes,
      chunkSize: bytes + 64,
    });
  } catch (error) {
    throw fail(`pixels that unpack to ${bytes} bytes`, (error as NodeJS.ErrnoException).code ?? 'none');
  }
  if (rows.length !== bytes) throw fail(`pixels that unpack to ${bytes} bytes`, `${rows.length}`);
  return rows;
}
