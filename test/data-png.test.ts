/** PNG files of every kind against the pixels that were put in, and hostile ones. */
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DataError } from '../src/core/errors.ts';
import { chunk, formats, ihdr, joined, makePng, type Picture, samplesOf, signature } from './make-png.ts';
import { pngToBytes, pngToInput } from './read-png.ts';

type Colour = readonly [red: number, green: number, blue: number, alpha: number];

const suggested = [9, 9, 9, 200, 100, 50];
const paletteOf = (depth: number) => Array.from({ length: 3 * 2 ** depth }, (_, i) => (i * 71 + 13) % 256);

/** The colour of a pixel from 0 to 1, straight from what the picture was made of. */
function colourOf({ type, depth, sample, palette, transparency }: Picture, x: number, y: number): Colour {
  const most = 2 ** depth - 1;
  const samples = Array.from({ length: samplesOf[type] }, (_, channel) => sample(x, y, channel));
  if (type === 3) {
    const [red, green, blue] = palette!.slice(3 * samples[0]!, 3 * samples[0]! + 3) as [number, number, number];
    return [red / 255, green / 255, blue / 255, (transparency?.[samples[0]!] ?? 255) / 255];
  }
  const of = (i: number) => samples[i]! / most;
  if (type === 4) return [of(0), of(0), of(0), of(1)];
  if (type === 6) return [of(0), of(1), of(2), of(3)];
  const key = samples.flatMap((value) => [value >> 8, value & 255]);
  const alpha = transparency && key.join() === transparency.join() ? 0 : 1;
  return type === 0 ? [of(0), of(0), of(0), alpha] : [of(0), of(1), of(2), alpha];
}

const onWhite = (picture: Picture, x: number, y: number): number[] => {
  const [red, green, blue, alpha] = colourOf(picture, x, y);
  return [red, green, blue].map((value) => Math.fround(alpha * value + (1 - alpha)));
};

function expectPixels(picture: Picture): void {
  const { width, height } = picture;
  const file = makePng(picture);
  const colours = Array.from({ length: width * height }, (_, i) =>
    onWhite(picture, i % width, Math.floor(i / width)),
  ).flat();
  expect(pngToInput(file, [height, width, 3], false)).toEqual(Float32Array.from(colours));
  const greys = Array.from({ length: width * height }, (_, i) => {
    const [red, green, blue, alpha] = colourOf(picture, i % width, Math.floor(i / width));
    return alpha * (0.299 * red + 0.587 * green + 0.114 * blue) + (1 - alpha);
  });
  expect(pngToInput(file, [height, width], false)).toEqual(Float32Array.from(greys));
  expect(pngToBytes(file, [height, width, 3])).toEqual(Uint8Array.from(colours, (value) => Math.round(255 * value)));
}

const cases = formats.flatMap(({ type, depth }) =>
  [false, true].flatMap((interlaced) =>
    [false, true].flatMap((transparent) =>
      [false, true].map((plte) => ({ type, depth, interlaced, transparent, plte })),
    ),
  ),
);

describe('PNG of every colour type and depth', () => {
  it.each(cases)(
    'type $type, $depth bits, interlaced $interlaced, tRNS $transparent, PLTE $plte',
    ({ type, depth, interlaced, transparent, plte }) => {
      const sizes = [
        [9, 7],
        [1, 1],
        [5, 3],
        [2, 8],
        [33, 2],
      ] as const;
      for (const [width, height] of sizes) {
        const sample = (x: number, y: number, channel: number) =>
          (x * 7919 + y * 104729 + channel * 31 + 1) % 2 ** depth;
        const picture: Picture = { width, height, type, depth, sample, interlaced, pieces: (width % 3) + 1 };
        const key = Array.from({ length: samplesOf[type] }, (_, channel) => sample(0, 0, channel));
        const transparency =
          type === 3
            ? Array.from({ length: 2 ** depth - 1 }, (_, i) => (i * 97 + 5) % 256)
            : key.flatMap((v) => [v >> 8, v & 255]);
        expectPixels({
          ...picture,
          ...((plte || type === 3) && { palette: type === 3 ? paletteOf(depth) : suggested }),
          ...(transparent && { transparency }),
        });
      }
    },
  );

  it('reads pictures with every chunk that does not change the pixels', () => {
    const before = ['cHRM', 'gAMA', 'iCCP', 'sBIT', 'sRGB', 'bKGD', 'pHYs', 'tIME', 'tEXt', 'zTXt', 'iTXt', 'eXIf'];
    const plain: Picture = { width: 3, height: 2, type: 2, depth: 8, sample: (x, y, c) => 40 * x + 90 * y + c };
    const chunks = [...before.map((type) => chunk(type, [1, 2, 3])), chunk('tEXt'), chunk('sPLT'), chunk('sPLT')];
    expectPixels({ ...plain, before: chunks, after: [chunk('tEXt', [65]), chunk('zzZz')] });
    const after = joined([makePng(plain), Uint8Array.of(1, 2, 3)]);
    expect(pngToInput(after, [2, 3, 3], false)).toEqual(pngToInput(makePng(plain), [2, 3, 3], false));
  });
});

describe('PNG files that are wrong', () => {
  const grey: Picture = { width: 4, height: 4, type: 0, depth: 8, sample: (x, y) => 10 * x + y };
  const indexed: Picture = { ...grey, type: 3, sample: (x) => x % 2, palette: [1, 2, 3, 4, 5, 6] };
  const read = (file: Uint8Array) => () => pngToInput(file, [4, 4]);
  const idat = chunk('IDAT', deflateSync(new Uint8Array(20)));

  it.each<[string, Uint8Array, RegExp]>([
    ['a second header', makePng({ ...grey, before: [ihdr(5000, 5000, 8, 0)] }), /expected IHDR once, got it twice/],
    ['two palettes', makePng({ ...indexed, before: [chunk('PLTE', [1, 2, 3])] }), /expected PLTE once/],
    ['two tRNS', makePng({ ...grey, transparency: [0, 1], before: [chunk('tRNS', [0, 2])] }), /expected tRNS once/],
    ['two profiles', makePng({ ...grey, before: [chunk('iCCP'), chunk('iCCP')] }), /expected iCCP once/],
    ['no palette', makePng({ ...grey, type: 3 }), /expected PLTE before IDAT, got none/],
    ['a late palette', makePng({ ...grey, after: [chunk('PLTE', [1, 2, 3])] }), /expected PLTE before IDAT/],
    ['a late tRNS', makePng({ ...grey, after: [chunk('tRNS', [0, 1])] }), /expected tRNS before IDAT/],
    ['tRNS before PLTE', makePng({ ...indexed, before: [chunk('tRNS', [0])] }), /expected PLTE before tRNS/],
    ['a palette of 4 bytes', makePng({ ...indexed, palette: [1, 2, 3, 4] }), /palette of 1 to 256 colours/],
    ['an empty palette', makePng({ ...indexed, palette: [] }), /palette of 1 to 256 colours/],
    ['too many colours', makePng({ ...indexed, depth: 1, palette: [1, 2, 3, 4, 5, 6, 7, 8, 9] }), /1 to 2 colours/],
    ['tRNS of a third entry', makePng({ ...indexed, transparency: [1, 2, 3] }), /expected tRNS as colour type 3/],
    ['tRNS of 3 bytes', makePng({ ...grey, transparency: [1, 2, 3] }), /expected tRNS as colour type 0/],
    ['IDAT apart', makePng({ ...grey, after: [chunk('tEXt'), idat] }), /expected the chunks IDAT in a row/],
    ['no IDAT', joined([signature, ihdr(4, 4, 8, 0), chunk('IEND')]), /expected the chunk IDAT, got none/],
    ['no IEND', makePng(grey).subarray(0, -12), /expected the chunk IEND/],
    ['an unknown chunk that is needed', makePng({ ...grey, before: [chunk('ABCD')] }), /got ABCD, which is needed/],
    ['a chunk of no letters', makePng({ ...grey, before: [chunk('a\u001b[2')] }), /expected a chunk, got 'a\?\?\?'/],
    ['depth 16 of a palette', makePng({ ...indexed, depth: 16 }), /colour type and bit depth, got 3 and 16/],
    ['colour type 5', joined([signature, ihdr(4, 4, 8, 5), idat, chunk('IEND')]), /bit depth, got 5 and 8/],
    ['interlace 2', joined([signature, ihdr(4, 4, 8, 0, 2), idat, chunk('IEND')]), /interlace 0 or 1, got 0, 0 and 2/],
    [
      'no pixels',
      joined([signature, ihdr(0, 4, 8, 0), idat, chunk('IEND')]),
      /expected 1 to 16777216 pixels, got 0 x 4/,
    ],
    [
      'filter 9',
      joined([signature, ihdr(4, 4, 8, 0), chunk('IDAT', deflateSync(new Uint8Array(20).fill(9))), chunk('IEND')]),
      /filter from 0 to 4, got 9/,
    ],
    ['too few pixels', joined([signature, ihdr(4, 5, 8, 0), idat, chunk('IEND')]), /unpack to 25 bytes, got 20/],
    ['too many pixels', joined([signature, ihdr(4, 3, 8, 0), idat, chunk('IEND')]), /unpack to 15 bytes/],
    [
      'no deflate',
      joined([signature, ihdr(4, 4, 8, 0), chunk('IDAT', [1, 2, 3]), chunk('IEND')]),
      /unpack to 20 bytes/,
    ],
    [
      'Git LFS',
      new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n'),
      /pointer of Git LFS/,
    ],
    ['another format', new TextEncoder().encode('GIF89a'.padEnd(99)), /expected a PNG file, got another format/],
  ])('names %s', (_, file, message) => {
    expect(read(file)).toThrow(DataError);
    expect(read(file)).toThrow(message);
  });

  it('refuses every truncation and every damaged byte of the header, the palette and the checksums', () => {
    const file = makePng({ ...indexed, transparency: [7] });
    for (let i = 0; i < file.length; i++) expect(read(file.subarray(0, i))).toThrow(DataError);
    for (let i = 0; i < file.length; i++) {
      const damaged = file.slice();
      damaged[i]! ^= 1;
      expect(read(damaged)).toThrow(DataError);
    }
  });

  it('bounds the work by the header: pixels and profiles that inflate to a gigabyte are refused or skipped', () => {
    const bomb = deflateSync(new Uint8Array(2 ** 28)); // 256 MiB, in a file of 260 kB
    const before = process.memoryUsage().rss;
    const started = performance.now();
    expect(read(joined([signature, ihdr(4, 4, 8, 0), chunk('IDAT', bomb), chunk('IEND')]))).toThrow(
      /unpack to 20 bytes/,
    );
    expectPixels({ ...grey, before: [chunk('iCCP', [65, 0, 0, ...bomb])] });
    expect(read(joined([signature, ihdr(2 ** 31, 2 ** 31, 8, 0)]))).toThrow(/pixels/);
    expect(read(joined([signature, ihdr(4096, 4096, 16, 6), idat, chunk('IEND')]))).toThrow(/can't hold as many/);
    expect(performance.now() - started).toBeLessThan(2000);
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 26);
  });
});
