/** Fuzz targets for data: IDX files, pictures, tables. */
import { encode } from 'fast-png';
import { product } from '../../src/core/shape.ts';
import { tablesToData } from '../../src/data/csv.ts';
import { readTable, readTableLike } from '../../src/data/csv-table.ts';
import { type DataSet, dataSet } from '../../src/data/dataset.ts';
import { parseIdx } from '../../src/data/idx.ts';
import { pngToBytes, pngToInput } from '../../src/data/png.ts';
import { PNG_HEADER_BYTES, pngHeader } from '../../src/data/png-chunks.ts';
import { type Choices, damage, edges, type Target, Wrong } from './choices.ts';

const pictures = [
  { width: 5, height: 4, channels: 1, depth: 8 },
  { width: 3, height: 3, channels: 4, depth: 8 },
  { width: 4, height: 2, channels: 3, depth: 16 },
].map(({ width, height, channels, depth }) => {
  const samples = Array.from({ length: width * height * channels }, (_, i) => (37 * i) % 256);
  const data = depth === 16 ? Uint16Array.from(samples) : Uint8Array.from(samples);
  return encode({ width, height, channels, depth, data } as Parameters<typeof encode>[0]);
});

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** Corrects the checksums of a PNG's chunks, so that the reader gets to the damage inside them. */
function fixChecksums(png: Uint8Array<ArrayBuffer>): void {
  const view = new DataView(png.buffer);
  for (let at = 8; at + 12 <= png.length; ) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > png.length) return;
    let crc = 0xffffffff;
    for (const byte of png.subarray(at + 4, end)) crc = crcTable[(crc ^ byte) & 255]! ^ (crc >>> 8);
    view.setUint32(end, ~crc >>> 0);
    at = end + 4;
  }
}

const numbers = ['0', '1', '-2.5', '3e4', '1e100', '.5', '7.', '1e-320', '00', '-0', '1e30', ' 8 ', '2', '5', '6'];
const texts = [
  'red',
  'blue',
  '__proto__',
  'constructor',
  '"a,b"',
  '"x""y"',
  '"two\nlines"',
  'é',
  '0x10',
  'Infinity',
  '٣',
  'x',
];
const odd = ['', '?', 'NA', 'nan', '1e999', '1e101', '"open', 'a"b', '\u0000', '-', ...numbers, ...texts];
const titles = ['label', 'class', 'size', 'colour', '0', 'x', '', '?', 'label'];

/** Rows with columns of numbers or text, and arbitrary content in some cells. */
function csvText(
  choices: Choices,
  columns: readonly (readonly string[])[],
  header: readonly string[] | undefined,
): string {
  const [mark, end] = [choices.of([',', ',', ';', '\t']), choices.of(['\n', '\n', '\r\n'])];
  const shift = choices.below(16);
  const rows = Array.from({ length: 12 - choices.below(13) }, (_, row) =>
    columns.map((cells, column) => cells[(shift + row * (column + 1)) % cells.length]!),
  );
  for (const cell of choices.list(3, () => choices.of(odd))) {
    const row = choices.of(rows.length ? rows : [[]]);
    row[choices.below(columns.length)] = cell;
  }
  if (choices.below(12) === 11) rows.push(choices.list(4, () => choices.of(odd)));
  const all = header ? [[...header], ...rows] : rows;
  const mark0 = choices.below(8) === 7 ? '\uFEFF' : '';
  return mark0 + all.map((row) => row.join(mark)).join(end) + choices.of([end, end, '']);
}

/**
 * Checks that rows have the same size, are finite, and fit the file: a cell takes a byte and gives at most 256 numbers.
 */
function checkTable({ rows, shape, features, labels, classes, classNames }: DataSet, fileBytes: number): void {
  if (features.length !== rows * product(shape) || labels.length !== rows) throw new Wrong('rows of another size');
  if (features.length > 256 * fileBytes) throw new Wrong(`${features.length} numbers from ${fileBytes} bytes`);
  if (!features.every(Number.isFinite)) throw new Wrong('numbers that are not finite');
  if (classNames?.length !== classes || !labels.every((label) => label < classes))
    throw new Wrong('labels without a name');
}

export const dataTargets: Readonly<Record<string, Target>> = {
  IDX(choices) {
    const shape = choices.list(5, () => choices.of([0, 1, 2, 3, 255, 2 ** 16, 2 ** 32 - 1]));
    const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
    header.setUint32(0, 0x800 + (choices.below(8) ? shape.length : choices.below(256)));
    for (const [i, size] of shape.entries()) header.setUint32(4 + 4 * i, size);
    const size = Math.min(64, product(shape)) + choices.of([0, 0, 0, 1, -1]);
    const body = Uint8Array.from({ length: Math.max(0, size) }, (_, i) => (i * 7) % 256);
    const whole = Uint8Array.from([...new Uint8Array(header.buffer), ...body]);
    const { shape: found, values } = parseIdx(choices.below(2) ? whole : damage(choices, whole), 'fuzz');
    if (product(found) !== values.length) throw new Wrong(`shape ${found} of ${values.length} bytes`);
    const rows = found[0]!;
    const labels = Array.from({ length: Math.min(rows, 100) }, () => choices.of([0, 1, 9, ...edges]));
    const data = dataSet({ features: values, shape: found.slice(1), labels });
    if (data.features.length !== data.rows * product(data.shape)) throw new Wrong('rows of another size');
  },
  PNG(choices) {
    const png = damage(choices, choices.of(pictures));
    if (choices.below(2)) fixChecksums(png);
    const grey = pngToInput(png, [3, 4], choices.of(['auto', true, false] as const));
    if (grey.length !== 12 || !grey.every((value) => value >= -1e-6 && value <= 1 + 1e-6)) {
      throw new Wrong(`grey values ${grey}`);
    }
  },
  'PNG in folders'(choices) {
    const png = damage(choices, choices.of(pictures));
    if (choices.below(2)) fixChecksums(png);
    const { width, height, colour } = pngHeader(png.subarray(0, PNG_HEADER_BYTES), png.length);
    const channels = colour || choices.below(2) ? 3 : 1;
    const size = width * height * channels;
    if (size > 24 * 1032 * png.length) throw new Wrong(`${size} numbers from ${png.length} bytes`);
    const out = new Uint8Array(size + 8).fill(77);
    pngToBytes(png, [height, width, channels], out, 4);
    if ([...out.subarray(0, 4), ...out.subarray(size + 4)].some((byte) => byte !== 77))
      throw new Wrong('bytes beside it');
  },
  CSV(choices) {
    const pools = [numbers, texts, numbers, texts, odd];
    const columns = [numbers, ...choices.list(3, () => choices.of(pools)), choices.of(pools).slice(0, 3)];
    const header = choices.below(2) ? columns.map(() => choices.of(titles)) : undefined;
    const file = () => {
      const whole = new TextEncoder().encode(csvText(choices, columns, header));
      return choices.below(3) < 2 ? whole : damage(choices, whole);
    };
    const [trainFile, testFile] = [file(), choices.below(2) ? file() : undefined];
    const train = readTable(trainFile, 'train.csv', choices.of(['auto', 'auto', true, false] as const));
    const test = testFile && readTableLike(testFile, 'test.csv', train);
    const label = choices.of([undefined, undefined, undefined, '1', 'label', '99', '']);
    const made = tablesToData(train, test, label, 0);
    checkTable(made.train, trainFile.length);
    checkTable(made.test, (testFile ?? trainFile).length);
    if (made.train.rows + (test ? 0 : made.test.rows) !== train.rows) throw new Wrong('rows that are lost');
  },
};
