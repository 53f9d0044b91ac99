/**
 * Writes PNG files of every colour type, depth and interlace, with chunks of the caller's choice, right and wrong ones.
 */
import { deflateSync } from 'node:zlib';
import { crc32 } from '../src/data/crc32.ts';

/** A chunk of a PNG, with its length and checksum. */
export function chunk(type: string, data: ArrayLike<number> = []): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(12 + data.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  out.set(new TextEncoder().encode(type), 4);
  out.set(data, 8);
  view.setUint32(8 + data.length, crc32(out.subarray(4, 8 + data.length)));
  return out;
}

export const joined = (parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
};

export const signature = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly type: 0 | 2 | 3 | 4 | 6;
  readonly depth: number;
  /** Sample `channel` of a pixel, from 0 to 2^depth - 1. */
  readonly sample: (x: number, y: number, channel: number) => number;
  readonly interlaced?: boolean;
  readonly palette?: readonly number[];
  readonly transparency?: readonly number[];
  /** Chunks after IHDR, after IDAT, and whether IDAT comes in pieces. */
  readonly before?: readonly Uint8Array[];
  readonly after?: readonly Uint8Array[];
  readonly pieces?: number;
}

export const samplesOf = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 } as const;

/** All 15 combinations that PNG has. */
export const formats = ([0, 2, 3, 4, 6] as const).flatMap((type) =>
  ({ 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] })[type].map((depth) => ({
    type,
    depth,
  })),
);

const passes = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

export const ihdr = (
  width: number,
  height: number,
  depth: number,
  type: number,
  interlace = 0,
): Uint8Array<ArrayBuffer> => {
  const data = new Uint8Array(13);
  new DataView(data.buffer).setUint32(0, width);
  new DataView(data.buffer).setUint32(4, height);
  data.set([depth, type, 0, 0, interlace], 8);
  return chunk('IHDR', data);
};

/** Rows of samples, each with another filter. */
function filteredRows({ depth, type }: Picture, width: number, height: number, sample: Picture['sample']): Uint8Array {
  const samples = samplesOf[type];
  const bytes = Math.ceil((width * samples * depth) / 8);
  const pixel = Math.max(1, (samples * depth) / 8);
  const plain = Array.from({ length: height }, (_, y) => {
    const row = new Uint8Array(bytes);
    for (let i = 0; i < width * samples; i++) {
      const value = sample(Math.floor(i / samples), y, i % samples);
      for (let bit = 0; bit < depth; bit++) {
        const at = i * depth + bit;
        if ((value >> (depth - 1 - bit)) & 1) row[at >> 3]! |= 128 >> (at & 7);
      }
    }
    return row;
  });
  const filtered = plain.map((row, y) => {
    const filter = y % 5;
    const guess = (i: number) => {
      const left = row[i - pixel] ?? 0;
      const up = plain[y - 1]?.[i] ?? 0;
      const corner = plain[y - 1]?.[i - pixel] ?? 0;
      const near = [left, up, corner].sort(
        (a, b) => Math.abs(left + up - corner - a) - Math.abs(left + up - corner - b),
      )[0]!;
      return [0, left, up, Math.floor((left + up) / 2), near][filter]!;
    };
    return Uint8Array.from([filter, ...row.map((byte, i) => byte - guess(i))]);
  });
  return joined(filtered);
}

export function makePng(picture: Picture): Uint8Array<ArrayBuffer> {
  const { width, height, depth, type, sample, interlaced, palette, transparency, before, after, pieces = 1 } = picture;
  const rows = interlaced
    ? joined(
        passes.map(([x0, y0, dx, dy]) => {
          const [w, h] = [Math.ceil((width - x0) / dx), Math.ceil((height - y0) / dy)];
          if (w <= 0 || h <= 0) return new Uint8Array();
          return filteredRows(picture, w, h, (x, y, channel) => sample(x0 + x * dx, y0 + y * dy, channel));
        }),
      )
    : filteredRows(picture, width, height, sample);
  const packed = deflateSync(rows);
  const step = Math.ceil(packed.length / pieces);
  return joined([
    signature,
    ihdr(width, height, depth, type, Number(interlaced ?? false)),
    ...(before ?? []),
    ...(palette ? [chunk('PLTE', palette)] : []),
    ...(transparency ? [chunk('tRNS', transparency)] : []),
    ...Array.from({ length: pieces }, (_, i) => chunk('IDAT', packed.subarray(i * step, (i + 1) * step))),
    ...(after ?? []),
    chunk('IEND'),
  ]);
}
