/** Targets that are data: IDX files, pictures, arrays and options; tables are in `table-targets.ts`. */
import { constants, deflateRawSync, gzipSync } from 'node:zlib';
import { product } from '../../src/core/shape.ts';
import { crc32 } from '../../src/data/crc32.ts';
import { type DataSetOptions, dataSet } from '../../src/data/dataset.ts';
import { gunzipIdx } from '../../src/data/gunzip.ts';
import { parseIdx } from '../../src/data/idx.ts';
import { checkScans, isJpeg, jpegHeader } from '../../src/data/jpeg-header.ts';
import { PNG_HEADER_BYTES, pngHeader } from '../../src/data/png-chunks.ts';
import { jpegSegment } from '../make-jpeg.ts';
import { chunk, formats, ihdr, joined, makePng, samplesOf, signature } from '../make-png.ts';
import { pngToBytes, pngToInput } from '../read-png.ts';
import { type Choices, damage, edges, type Target, Wrong } from './choices.ts';
import { tableTargets } from './table-targets.ts';

/** Puts right the checksums of a PNG's chunks, so that the decoder gets to see what is damaged in them. */
function fixChecksums(png: Uint8Array<ArrayBuffer>): void {
  const view = new DataView(png.buffer);
  for (let at = 8; at + 12 <= png.length; ) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > png.length) return;
    view.setUint32(end, crc32(png.subarray(at + 4, end)));
    at = end + 4;
  }
}

const zeros = new Uint8Array(2 ** 20);
const megabyte = deflateRawSync(zeros, { finishFlush: constants.Z_FULL_FLUSH });
const packedMegabyte = gzipSync(zeros);
const repeated = (piece: Uint8Array, times: number) => joined(Array<Uint8Array>(times).fill(piece));

/** A stream of zlib that unpacks to half a gigabyte, a few times smaller or larger; its checksum is wrong. */
const bomb = (choices: Choices): Uint8Array =>
  joined([Uint8Array.of(0x78, 0x9c), repeated(megabyte, 2 ** choices.below(10)), Uint8Array.of(3, 0, 0, 0, 0, 0)]);

const chunkTypes =
  'IHDR PLTE IDAT IEND tRNS iCCP gAMA sRGB zTXt tEXt iTXt pHYs sPLT bKGD hIST eXIf acTL fcTL ABCD abcd'.split(' ');

/** A chunk of any type with any content, also a second header or far too much packed data. */
function oddChunk(choices: Choices): Uint8Array<ArrayBuffer> {
  const how = choices.below(8);
  if (how === 0)
    return ihdr(choices.of(edges) >>> 0, choices.of(edges) >>> 0, choices.of([1, 8, 16]), choices.below(7));
  if (how === 1 && choices.below(8) === 0) return chunk(choices.of(['IDAT', 'iCCP', 'zTXt', 'fdAT']), bomb(choices));
  const data = choices.list(choices.of([0, 2, 6, 12]), () => choices.below(256));
  return chunk(choices.of(chunkTypes), data);
}

function oddPng(choices: Choices): Uint8Array<ArrayBuffer> {
  const { type, depth } = choices.of(formats);
  const [width, height] = [1 + choices.below(9), 1 + choices.below(9)];
  const seed = choices.below(1000);
  const sample = (x: number, y: number, channel: number) => (seed + x * 31 + y * 17 + channel * 7) % 2 ** depth;
  const odd = (some: number) => (choices.below(some) ? [] : choices.list(3, () => oddChunk(choices)));
  const palette = Array.from({ length: type === 3 ? 3 * 2 ** depth : 6 }, (_, i) => (i * 37) % 256);
  const key =
    type === 3 ? [0, 128] : Array.from({ length: samplesOf[type] }, () => [0, seed % 2 ** Math.min(8, depth)]).flat();
  return makePng({
    ...{ width, height, type, depth, sample, interlaced: choices.below(2) === 1, pieces: 1 + choices.below(3) },
    ...((type === 3 || choices.below(4) === 0) && { palette }),
    ...(choices.below(3) === 0 && { transparency: key }),
    before: odd(3),
    after: odd(6),
  });
}

function maybeDamaged(choices: Choices, file: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (choices.below(2)) return file;
  const made = damage(choices, file);
  if (choices.below(2)) fixChecksums(made);
  return made;
}

const arrays: readonly ((values: readonly number[]) => unknown)[] = [
  (values) => Float32Array.from(values),
  (values) => Float64Array.from(values),
  (values) => [...values],
  (values) => Int8Array.from(values),
  (values) => Int16Array.from(values),
  (values) => Int32Array.from(values),
  (values) => Uint16Array.from(values),
  (values) => Uint32Array.from(values),
  (values) => Uint8Array.from(values),
  (values) => Uint8ClampedArray.from(values),
  (values) => BigInt64Array.from(values, (value) => BigInt(Math.trunc(Number.isFinite(value) ? value : 0))),
  (values) => new DataView(new ArrayBuffer(values.length)),
  (values) => values.map(String),
  (values) => [values],
  (values) => values.join(),
  (values) => new Set(values),
  () => null,
];

export const dataTargets: Readonly<Record<string, Target>> = {
  IDX(choices) {
    const shape = choices.list(5, () =>
      choices.of([1, 2, 3, 4, ...(choices.below(8) ? [] : [0, 255, 2 ** 16, 2 ** 28, 2 ** 32 - 1])]),
    );
    const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
    header.setUint32(0, 0x800 + (choices.below(8) ? shape.length : choices.below(256)));
    for (const [i, size] of shape.entries()) header.setUint32(4 + 4 * i, size);
    const size = Math.min(64, product(shape)) + choices.of([0, 0, 0, 1, -1]);
    const body = Uint8Array.from({ length: Math.max(0, size) }, (_, i) => (i * 7) % 256);
    const whole = joined([new Uint8Array(header.buffer), body]);
    let file: Uint8Array = choices.below(2) ? whole : damage(choices, whole);
    if (choices.below(4) === 0) {
      const more = choices.below(64) ? [] : [repeated(packedMegabyte, 2 ** choices.below(10))];
      const packed = joined([gzipSync(file), ...more]);
      file = gunzipIdx(choices.below(3) ? packed : damage(choices, packed), 'fuzz');
    }
    const { shape: found, values } = parseIdx(file, 'fuzz');
    if (product(found) !== values.length) throw new Wrong(`shape ${found} of ${values.length} bytes`);
    const rows = found[0]!;
    const labels = Array.from({ length: Math.min(rows, 100) }, () =>
      choices.of([0, 1, 9, ...(choices.below(16) ? [] : edges)]),
    );
    const data = dataSet({ features: values, shape: found.slice(1), labels });
    if (data.features.length !== data.rows * product(data.shape)) throw new Wrong('rows of another size');
  },
  PNG(choices) {
    const grey = pngToInput(maybeDamaged(choices, oddPng(choices)), [3, 4], choices.of(['auto', true, false] as const));
    if (grey.length !== 12 || !grey.every((value) => value >= -1e-6 && value <= 1 + 1e-6)) {
      throw new Wrong(`grey values ${grey}`);
    }
  },
  'PNG chunks'(choices) {
    const size = [choices.of([1, 2, 4, ...edges]) >>> 0, choices.of([1, 2, 4, ...edges]) >>> 0] as const;
    const header = ihdr(...size, choices.of([1, 2, 4, 8, 16, 3]), choices.of([0, 2, 3, 4, 6, 5]), choices.below(3));
    const chunks = choices.list(12, () => oddChunk(choices));
    const png = joined([signature, header, ...chunks, ...(choices.below(4) ? [chunk('IEND')] : [])]);
    const input = pngToInput(maybeDamaged(choices, choices.below(8) ? png : oddPng(choices)), [2, 2, 3]);
    if (input.length !== 12 || !input.every(Number.isFinite)) throw new Wrong(`values ${input}`);
  },
  'PNG in folders'(choices) {
    const png = maybeDamaged(choices, oddPng(choices));
    const { width, height, colour } = pngHeader(png.subarray(0, PNG_HEADER_BYTES), png.length);
    const channels = colour || choices.below(2) ? 3 : 1;
    const size = width * height * channels;
    if (size > 24 * 1032 * png.length) throw new Wrong(`${size} numbers from ${png.length} bytes`);
    if (pngToBytes(png, [height, width, channels]).length !== size) throw new Wrong('bytes of another size');
  },
  'JPEG segments'(choices) {
    const size = (): number[] => [choices.of([0, 0, 1, 8, 255]), choices.of([0, 1, 2, 8, 255])];
    const frame = () => [choices.of([8, 8, 8, 12]), ...size(), ...size(), choices.of([1, 3, 3, 4, 0]), 1, 0x11, 0];
    const tiff = [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, choices.below(10), 0, 0, 0];
    const segments = choices.list(8, () => {
      const code = choices.of([0xc0, 0xc2, 0xc4, 0xd0, 0xdb, 0xe1, 0xe1, 0xfe, choices.below(256)]);
      if (code === 0xe1) return jpegSegment(code, [0x45, 0x78, 0x69, 0x66, 0, 0, ...tiff]);
      if (code === 0xc0 || code === 0xc2) return jpegSegment(code, frame());
      return jpegSegment(
        code,
        choices.list(9, () => choices.below(256)),
      );
    });
    const file = joined([
      Uint8Array.of(0xff, 0xd8),
      ...segments,
      jpegSegment(0xc0, frame()),
      jpegSegment(0xda, [1, 1, 0, 0, 63, 0]),
      ...choices.list(80, () =>
        Uint8Array.of(choices.below(256), choices.of([0xff, 0, 3]), choices.of([0xda, 0, 0xd9])),
      ),
    ]);
    const jpeg = choices.below(2) ? file : damage(choices, file);
    if (!isJpeg(jpeg)) return;
    const header = jpegHeader(jpeg)!;
    const { width, height } = header;
    if (width * height > 512 * jpeg.length) throw new Wrong(`${width} x ${height} from ${jpeg.length} bytes`);
    const part = jpegHeader(jpeg.subarray(0, choices.below(jpeg.length)), jpeg.length);
    if (part && part.width !== width) throw new Wrong('another size from its start');
    checkScans(jpeg, header.scan);
  },
  'data sets'(choices) {
    const values = (count: number) =>
      Array.from({ length: count }, () => choices.of([0, 1, 2, 3, 1, 2, ...(choices.below(8) ? [] : edges)]));
    const [rows, columns] = [1 + choices.below(3), 1 + choices.below(3)];
    const [features, targets] = [values(rows * columns), values(rows * choices.of([1, 2]))];
    const write = () => choices.of(choices.below(2) ? arrays.slice(0, 9) : arrays);
    const options: Record<string, unknown> = {
      features: write()(features),
      shape: choices.below(8) ? [columns] : choices.of([[], [0], 'x', [1.5], [columns, 1], 3]),
      [choices.of(['targets', 'labels'])]: write()(targets.slice(0, choices.below(4) ? rows : undefined)),
      ...(choices.below(6) === 0 && {
        [choices.of(['lables', 'classes', 'scale', 'toString', '__proto__x'])]: choices.of([
          1,
          4,
          'x',
          null,
          Number.NaN,
        ]),
      }),
    };
    const made = dataSet(options as unknown as DataSetOptions);
    const same = (got: ArrayLike<number>, given: unknown) =>
      Array.from(got).every((value, i) => Object.is(value, Math.fround((given as ArrayLike<number>)[i]!)));
    if (made.rows * product(made.shape) !== made.features.length) throw new Wrong('rows of another size');
    if (!same(made.features, options.features)) throw new Wrong('other features');
    if (made.targets && (!(made.targets instanceof Float32Array) || !same(made.targets, options.targets))) {
      throw new Wrong('other targets');
    }
    if (options.labels && !made.labels.every((label, i) => label === (options.labels as number[])[i])) {
      throw new Wrong('other labels');
    }
  },
  ...tableTargets,
};
