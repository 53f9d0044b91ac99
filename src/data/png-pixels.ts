/** Pixels of a PNG file, one row at a time: no second copy of the picture is made. */
import { DataError } from '../core/errors.ts';
import { type Pixels, writePixel } from './pixels.ts';
import { type Pass, readPngFile } from './png-chunks.ts';

/** Throws `DataError`. */
export function readPng(file: Uint8Array): Pixels {
  const { header, palette, transparency, rows } = readPngFile(file);
  const { width, height, depth, type, samples, passes } = header;
  for (const pass of passes) unfilter(rows, pass, Math.max(1, (samples * depth) / 8));
  const most = 2 ** depth - 1;
  const sample = sampler(rows, depth);
  const key = !palette && transparency ? keyOf(transparency, most) : undefined;
  const colours = samples >= 3;
  const hasAlpha = type === 4 || type === 6;

  /** Row `y` of the picture, as far as this pass has it. */
  const readPart = ({ x0, y0, dx, dy, width: across, offset, rowBytes }: Pass, y: number, planes: Planes): void => {
    const start = offset + ((y - y0) / dy) * (1 + rowBytes) + 1;
    for (let i = 0; i < across; i++) {
      const first = sample(start, i * samples);
      let red = 0;
      let green = 0;
      let blue = 0;
      let alpha = 1;
      if (palette) {
        red = (palette[3 * first] ?? 0) / 255; // an entry that is not there is black, as in libpng
        green = (palette[3 * first + 1] ?? 0) / 255;
        blue = (palette[3 * first + 2] ?? 0) / 255;
        alpha = (transparency?.[first] ?? 255) / 255;
      } else {
        const second = colours ? sample(start, i * samples + 1) : first;
        const third = colours ? sample(start, i * samples + 2) : first;
        red = first / most;
        green = second / most;
        blue = third / most;
        if (hasAlpha) alpha = sample(start, (i + 1) * samples - 1) / most;
        else if (key && first === key[0] && (!colours || (second === key[1] && third === key[2]))) alpha = 0;
      }
      writePixel(planes, x0 + i * dx, red, green, blue, alpha);
    }
  };
  const readRow = (y: number, planes: Planes): void => {
    for (const pass of passes) if (y >= pass.y0 && (y - pass.y0) % pass.dy === 0) readPart(pass, y, planes);
  };
  return { width, height, readRow };
}

type Planes = readonly Float32Array[];

/** The transparent colour, of 16 bits each, of which a picture of fewer bits uses the lowest. */
const keyOf = (data: Uint8Array, most: number): number[] =>
  Array.from({ length: data.length / 2 }, (_, i) => ((data[2 * i]! << 8) | data[2 * i + 1]!) & most);

/** Reads sample `index` of the row that starts at `start`. */
function sampler(rows: Uint8Array, depth: number): (start: number, index: number) => number {
  if (depth === 16) return (start, index) => (rows[start + 2 * index]! << 8) | rows[start + 2 * index + 1]!;
  if (depth === 8) return (start, index) => rows[start + index]!;
  const most = 2 ** depth - 1;
  return (start, index) => {
    const bit = index * depth;
    return (rows[start + (bit >> 3)]! >> (8 - depth - (bit & 7))) & most;
  };
}

/**
 * Undoes the filters of a pass in place: each byte was stored as a difference from bytes to the left and above. Throws
 * `DataError`.
 */
function unfilter(rows: Uint8Array, { height, offset, rowBytes }: Pass, pixelBytes: number): void {
  const stride = 1 + rowBytes;
  for (let y = 0; y < height; y++) {
    const start = offset + y * stride + 1;
    const filter = rows[start - 1]!;
    if (filter > 4) {
      throw new DataError(
        `picture: expected a filter from 0 to 4, got ${filter} in row ${y + 1}. The file is damaged.`,
      );
    }
    const end = start + rowBytes;
    const first = Math.min(start + pixelBytes, end); // the first pixel has nothing to its left
    const back = y > 0 ? stride : 0;
    // A loop for each filter: one loop that decides at each byte takes twice as long.
    if (filter === 1) {
      for (let i = first; i < end; i++) rows[i] = rows[i]! + rows[i - pixelBytes]!;
    } else if (filter === 2 && back) {
      for (let i = start; i < end; i++) rows[i] = rows[i]! + rows[i - back]!;
    } else if (filter === 3) {
      for (let i = start; i < first; i++) rows[i] = rows[i]! + (back && rows[i - back]! >> 1);
      for (let i = first; i < end; i++) rows[i] = rows[i]! + ((rows[i - pixelBytes]! + (back && rows[i - back]!)) >> 1);
    } else if (filter === 4 && back) {
      for (let i = start; i < first; i++) rows[i] = rows[i]! + rows[i - back]!;
      for (let i = first; i < end; i++) {
        rows[i] = rows[i]! + paeth(rows[i - pixelBytes]!, rows[i - back]!, rows[i - back - pixelBytes]!);
      }
    } else if (filter === 4) {
      for (let i = first; i < end; i++) rows[i] = rows[i]! + rows[i - pixelBytes]!; // with no row above, left is nearest
    }
  }
}

/** The neighbour that is nearest to left + up - before. */
function paeth(left: number, up: number, before: number): number {
  const guess = left + up - before;
  const a = Math.abs(guess - left);
  const b = Math.abs(guess - up);
  const c = Math.abs(guess - before);
  return a <= b && a <= c ? left : b <= c ? up : before;
}
