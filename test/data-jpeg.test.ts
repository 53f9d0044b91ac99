/** JPEG files: pixels, orientation, and files that are wrong. */
import { describe, expect, it } from 'vitest';
import { DataError } from '../src/core/errors.ts';
import { orientationOf } from '../src/data/exif.ts';
import { readJpeg } from '../src/data/jpeg.ts';
import { jpegHeader } from '../src/data/jpeg-header.ts';
import { limits } from '../src/data/limits.ts';
import { pictureHeader, readPicture } from '../src/data/picture.ts';
import { pictureBytes } from '../src/data/picture-input.ts';
import { exifSegment, jpegSegment, makeJpeg, withSegments } from './make-jpeg.ts';
import { joined } from './make-png.ts';

/** Colours that differ in every quarter, in blocks of 8 x 8 pixels that a JPEG keeps almost exactly. */
const quarters = [
  [
    [200, 30, 30],
    [30, 180, 40],
  ],
  [
    [30, 40, 200],
    [220, 210, 60],
  ],
] as const;
const [width, height] = [32, 16];
const quarter = (x: number, y: number) => quarters[y < height / 2 ? 0 : 1]![x < width / 2 ? 0 : 1]!;

async function bytesOf(file: Uint8Array, channels: 1 | 3 = 3) {
  const picture = await readPicture(file);
  const inputs = { width: picture.width, height: picture.height, channels, fit: 'stretch', invert: false } as const;
  return { width: picture.width, height: picture.height, bytes: pictureBytes(picture, inputs) };
}

/** Greatest difference to the picture that was encoded. */
function worst(
  { bytes, width: across }: { bytes: Uint8Array; width: number },
  wanted: (x: number, y: number) => readonly number[],
): number {
  let most = 0;
  for (let i = 0; i < bytes.length / 3; i++) {
    const colour = wanted(i % across, Math.floor(i / across));
    for (const [channel, value] of colour.entries()) most = Math.max(most, Math.abs(bytes[3 * i + channel]! - value));
  }
  return most;
}

/** A lossy file is this near to its source at quality 95. */
const CLOSE = 6;

describe('JPEG pictures', () => {
  it('reads baseline and progressive, colour and grey, with and without subsampled colours', async () => {
    for (const options of [{ progressive: false, baseline: true }, { progressive: true }]) {
      const file = await makeJpeg(width, height, quarter, options);
      expect(jpegHeader(file)).toMatchObject({ width, height, colour: true, orientation: 1 });
      const read = await bytesOf(file);
      expect([read.width, read.height]).toEqual([width, height]);
      expect(worst(read, quarter)).toBeLessThan(CLOSE);
    }
    // Colours of half the size, as cameras write them, are right in the middle of each quarter.
    const { bytes } = await bytesOf(
      await makeJpeg(width, height, quarter, { progressive: false, chroma_subsample: 2 }),
    );
    for (const [x, y] of [
      [8, 3],
      [24, 3],
      [8, 13],
      [24, 13],
    ] as const) {
      const at = 3 * (y * width + x);
      expect(worst({ bytes: bytes.slice(at, at + 3), width: 1 }, () => quarter(x, y))).toBeLessThan(CLOSE);
    }
    const ramp = (x: number, y: number) => [8 * x, 8 * x, 8 * x + y - y] as const;
    const grey = await makeJpeg(width, 8, ramp, { grey: true });
    expect(jpegHeader(grey)).toMatchObject({ colour: false });
    expect(worst(await bytesOf(grey), ramp)).toBeLessThan(CLOSE);
  });

  // From the upright picture's pixel to the stored one's, as section 4.6.4 of EXIF says of each orientation.
  const [right, bottom] = [width - 1, height - 1];
  it.each<[number, (x: number, y: number) => [number, number]]>([
    [1, (x, y) => [x, y]],
    [2, (x, y) => [right - x, y]],
    [3, (x, y) => [right - x, bottom - y]],
    [4, (x, y) => [x, bottom - y]],
    [5, (x, y) => [y, x]],
    [6, (x, y) => [y, bottom - x]],
    [7, (x, y) => [right - y, bottom - x]],
    [8, (x, y) => [right - y, x]],
  ])('turns orientation %d upright', async (orientation, stored) => {
    const plain = await makeJpeg(width, height, quarter);
    for (const little of [false, true]) {
      const file = withSegments(plain, exifSegment(orientation, little));
      const read = await bytesOf(file);
      const swapped = orientation >= 5;
      expect([read.width, read.height]).toEqual(swapped ? [height, width] : [width, height]);
      expect(worst(read, (x, y) => quarter(...stored(x, y)))).toBeLessThan(CLOSE);
      expect(pictureHeader(file, file.length)).toMatchObject({ width: read.width, height: read.height });
    }
  });

  it('takes a damaged EXIF block as upright', async () => {
    const segment = exifSegment(6);
    for (let length = 0; length < 34; length++) expect(orientationOf(segment.subarray(10, 10 + length))).toBe(1);
    expect(orientationOf(exifSegment(9).subarray(10))).toBe(1);
    expect(orientationOf(exifSegment(0).subarray(10))).toBe(1);
    const file = withSegments(await makeJpeg(width, height, quarter), segment.subarray(0, 4), new Uint8Array(50));
    await expect(readPicture(file)).rejects.toThrow(DataError);
  });

  it('says that it needs more of a file whose previews and profiles come first', async () => {
    const file = withSegments(
      await makeJpeg(8, 8, quarter),
      ...Array(3).fill(jpegSegment(0xe2, new Uint8Array(60_000))),
    );
    expect(pictureHeader(file.subarray(0, 2 ** 14), file.length)).toBeUndefined();
    expect(pictureHeader(file, file.length)).toMatchObject({ width: 8, height: 8 });
    expect((await bytesOf(file)).width).toBe(8);
  });
});

describe('JPEG files that are wrong', () => {
  const [soi, eoi] = [Uint8Array.of(0xff, 0xd8), Uint8Array.of(0xff, 0xd9)];
  const frame = (code: number, height: number, width: number, components: number, depth = 8) =>
    jpegSegment(code, [
      ...[depth, height >> 8, height & 255, width >> 8, width & 255, components],
      ...Array.from({ length: components }, (_, i) => [i + 1, 0x11, 0]).flat(),
    ]);
  const scan = jpegSegment(0xda, [1, 1, 0, 0, 63, 0]);
  const fileOf = (...parts: Uint8Array[]) => joined([soi, ...parts, eoi]);

  it.each<[string, Uint8Array, RegExp]>([
    ['CMYK', fileOf(frame(0xc0, 8, 8, 4), scan), /expected a JPEG file in grey or RGB, got CMYK.*Convert it to RGB/],
    ['two components', fileOf(frame(0xc0, 8, 8, 2), scan), /expected 1 or 3 components, got 2/],
    ['12 bits', fileOf(frame(0xc1, 8, 8, 1, 12), scan), /8 bits a sample, got 12/],
    ['arithmetic coding', fileOf(frame(0xc9, 8, 8, 1), scan), /baseline or progressive.*got the rare process SOF9/],
    ['lossless', fileOf(frame(0xc3, 8, 8, 1), scan), /the rare process SOF3/],
    ['huge', fileOf(frame(0xc0, 65535, 65535, 3), scan), /expected 1 to 16777216 pixels, got 65535 x 65535/],
    ['no height', fileOf(frame(0xc0, 0, 8, 3), scan), /expected 1 to 16777216 pixels, got 8 x 0/],
    ['more than it holds', fileOf(frame(0xc0, 4096, 4096, 1), scan), /4096 x 4096 pixels, got .* can't hold as many/],
    ['two frames', fileOf(frame(0xc0, 8, 8, 1), frame(0xc0, 8, 8, 1), scan), /expected one frame, got two/],
    ['no frame', fileOf(scan), /expected a frame before the pixels, got none/],
    ['no pixels', fileOf(frame(0xc0, 8, 8, 1)), /expected pixels, got none/],
    ['only its start', soi, /PNG or JPEG/],
    ['a short frame', fileOf(jpegSegment(0xc0, [8, 0, 8]), scan), /expected a frame of 8 bytes or more, got 5/],
    [
      'a segment past the end',
      joined([soi, Uint8Array.of(0xff, 0xe0, 0x40, 0, 0)]),
      /expected a segment of 16384 bytes/,
    ],
    ['no marker', joined([soi, Uint8Array.of(0xff, 0xfe, 0, 2, 7, 7, 7, 7)]), /expected a marker, got the byte 7 at 6/],
    ['1e5 segments', fileOf(...Array<Uint8Array>(1e5).fill(jpegSegment(0xfe, []))), /at most 4096 segments/],
    ['1e5 markers', fileOf(...Array<Uint8Array>(1e5).fill(Uint8Array.of(0xff, 1))), /at most 4096 segments/],
    ['1e5 scans', fileOf(frame(0xc2, 8, 8, 1), ...Array<Uint8Array>(1e5).fill(scan)), /at most 64 scans/],
    ['no end', joined([soi, frame(0xc0, 8, 8, 1), scan]), /expected the marker of its end/],
    ['no tables', fileOf(frame(0xc0, 8, 8, 1), scan, Uint8Array.of(1, 2)), /its decoder says '/],
    [
      'another format',
      new TextEncoder().encode('GIF89a'.padEnd(99)),
      /expected a PNG or JPEG file, got another format/,
    ],
    [
      'Git LFS',
      new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n'),
      /pointer of Git LFS/,
    ],
  ])('names %s', async (_, file, message) => {
    const started = performance.now();
    const read = readPicture(file);
    await expect(read).rejects.toThrow(DataError);
    await expect(read).rejects.toThrow(message);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('refuses a file beyond the limit before it reads it', () => {
    expect(() => pictureHeader(joined([soi, frame(0xc0, 8, 8, 1)]), limits.jpegBytes + 1)).toThrow(
      /at most 67108864 bytes/,
    );
  });

  it('refuses every truncation, and survives every damaged byte', async () => {
    const file = await makeJpeg(16, 16, quarter, { progressive: false });
    for (let i = 0; i < file.length; i += 7) await expect(readPicture(file.subarray(0, i))).rejects.toThrow(DataError);
    const first = await bytesOf(file);
    let refused = 0;
    for (let i = 2; i < file.length; i += 3) {
      const damaged = file.slice();
      damaged[i]! ^= 0x55;
      await readPicture(damaged).catch((error) => {
        expect(error).toBeInstanceOf(DataError);
        refused++;
      });
    }
    expect(refused).toBeGreaterThan(20);
    expect(await bytesOf(file)).toEqual(first); // a decoder that failed is not used again
  });

  it('reads the files of a hundred calls at once, damaged ones among them', async () => {
    const file = await makeJpeg(16, 8, quarter);
    const wrong = file.slice(0, -20);
    const read = await Promise.allSettled(
      Array.from({ length: 100 }, (_, i) => readJpeg(i % 3 ? file : joined([wrong, eoi]))),
    );
    expect(read.filter(({ status }) => status === 'rejected')).toHaveLength(34);
  });
});
