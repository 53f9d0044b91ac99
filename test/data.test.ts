import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { encode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { DataError, OptionError } from '../src/core/errors.ts';
import { type DataSetOptions, dataSet, featuresAsFloats, head } from '../src/data/dataset.ts';
import { loadFashionMnist } from '../src/data/fashion-mnist.ts';
import { openFolder } from '../src/data/folder.ts';
import { parseIdx } from '../src/data/idx.ts';
import { loadIdxFolder } from '../src/data/idx-folder.ts';
import { loadMnist } from '../src/data/mnist.ts';
import { pngToInput } from './read-png.ts';

describe('dataSet', () => {
  it('refuses NaN, and says where', () => {
    const features = new Float32Array([1, 2, 3, 4, Number.NaN, 6]);
    const make = () => dataSet({ features, shape: [3], labels: [0, 1] });
    expect(make).toThrow(DataError);
    expect(make).toThrow(/expected finite features, got NaN at row 1, column 1/);
  });

  it('refuses sizes and labels that do not fit', () => {
    const features = new Uint8Array(6);
    expect(() => dataSet({ features, shape: [3], labels: [0, 1, 2] })).toThrow(
      /3 numbers a row.*got 6 numbers for 3 rows/,
    );
    expect(() => dataSet({ features, shape: [3], labels: [0, 10], classes: 10 })).toThrow(/0 to 9, got 10 at row 1/);
    expect(() => dataSet({ features, shape: [3], labels: [0, 0.5] })).toThrow(/got 0.5 at row 1/);
    expect(() => dataSet({ features, shape: [3] })).toThrow(/either labels or targets/);
    expect(() => dataSet({ features: new Uint8Array(), shape: [3], labels: [] })).toThrow(/at least one row/);
    expect(() => dataSet({ features, shape: [4], targets: [1, 2, 3] })).toThrow(/got 6 numbers for 1.5 rows/);
    expect(() => dataSet({ features, shape: [3], targets: [] })).toThrow(/2 rows and 0 targets/);
    for (const shape of [[], [0], [1.5], [-3]]) {
      expect(() => dataSet({ features, shape, labels: [0, 1] })).toThrow(/expected shape to be the sizes of one row/);
    }
  });

  it('takes numbers of any array type, as f32', () => {
    const truth = [100, 101.5, -102, 103];
    const typed = (Type: { from(values: number[]): ArrayLike<number> }) =>
      dataSet({ features: Type.from([1, 2, 3, 4]), shape: [1], targets: Type.from(truth) });
    for (const Type of [Float32Array, Float64Array, Array]) {
      const { features, targets } = typed(Type);
      expect(features).toEqual(Float32Array.of(1, 2, 3, 4));
      expect(targets).toEqual(Float32Array.from(truth));
    }
    for (const Type of [Int8Array, Int16Array, Int32Array, Uint16Array, Uint32Array]) {
      const { features, targets } = typed(Type);
      expect(features).toEqual(Float32Array.of(1, 2, 3, 4));
      expect(targets).toEqual(Float32Array.from(Type.from(truth)));
    }
    const bytes = dataSet({ features: Uint8Array.of(5, 6), shape: [1], targets: Uint8Array.of(7, 8) });
    expect([bytes.features, bytes.targets]).toEqual([Uint8Array.of(5, 6), Float32Array.of(7, 8)]);
    const labelled = (labels: ArrayLike<number>) => dataSet({ features: [1, 2], shape: [1], labels }).labels;
    for (const labels of [[0, 3], Float64Array.of(0, 3), Uint8Array.of(0, 3), new Uint32Array([0, 3])]) {
      expect(labelled(labels)).toEqual(Uint32Array.of(0, 3));
    }
  });

  it('takes arrays of another realm', () => {
    const of = (code: string) => runInNewContext(code);
    const features = of('Float32Array.of(1, 2)');
    expect(features).not.toBeInstanceOf(Float32Array);
    expect(dataSet({ features, shape: [1], labels: of('[0, 1]') }).features).toEqual(Float32Array.of(1, 2));
    const bytes = dataSet({ features: of('Uint8Array.of(9, 0, 255).subarray(1)'), shape: [1], labels: [0, 1] });
    expect(featuresAsFloats(bytes)).toEqual(Float32Array.of(0, 1));
  });

  it.each([
    ['canvas pixels', { features: new Uint8ClampedArray(8), labels: [0, 1] }, /features: .*getImageData.*four bytes/],
    ['BigInt64Array', { features: new BigInt64Array(2), labels: [0, 1] }, /features: .*got BigInt64Array/],
    ['a DataView', { features: new DataView(new ArrayBuffer(8)), labels: [0, 1] }, /features: .*got DataView/],
    ['an ArrayBuffer', { features: new ArrayBuffer(8), labels: [0, 1] }, /features: .*got object/],
    ['a string', { features: '12', labels: [0, 1] }, /features: .*got string/],
    ['nothing', { labels: [0, 1] }, /features: .*got undefined/],
    ['nested arrays', { features: [[1], [2]], labels: [0, 1] }, /features: .*flat array.*got Array at index 0/],
    ['strings', { features: [1, 2], targets: [1, '2'] }, /targets: .*got string at index 1/],
    ['numbers beyond f32', { features: [1, 2], targets: [1, 1e300] }, /targets: .*float32.*got 1e\+300 at index 1/],
    ['labels as text', { features: [1, 2], labels: ['a', 'b'] }, /labels: .*got string at index 0/],
    ['negative labels', { features: [1, 2], labels: Int8Array.of(0, -1) }, /labels: .*got -1 at row 1/],
    ['no class', { features: [1, 2], labels: [0, 0], classes: 0 }, /expected classes to be an integer/],
    [
      'a scale of NaN',
      { features: [1, 2], labels: [0, 0], scale: Number.NaN },
      /expected scale to be of type number, got NaN/,
    ],
    [
      'an infinite scale',
      { features: [1, 2], labels: [0, 0], scale: Number.POSITIVE_INFINITY },
      /expected scale and shift to be finite/,
    ],
  ])('refuses %s by name', (what, options, message) => {
    const make = () => dataSet({ shape: [1], ...options } as unknown as DataSetOptions);
    expect(make).toThrow(what === 'a scale of NaN' ? OptionError : DataError);
    expect(make).toThrow(message);
  });

  it('refuses unknown options and values of the wrong type', () => {
    const make = (options: object) => () =>
      dataSet({ features: [1, 2], shape: [1], labels: [0, 1], ...options } as DataSetOptions);
    expect(make({ lables: [0, 1] })).toThrow(OptionError);
    expect(make({ lables: [0, 1] })).toThrow(
      /^dataSet: unknown option 'lables'\. Expected only features, shape, labels/,
    );
    expect(make({ constructor: 1 })).toThrow(/unknown option 'constructor'/);
    expect(make({ classes: '2' })).toThrow(/expected classes to be of type number, got string/);
    expect(make({ shape: 1 })).toThrow(/expected shape to be of type array, got number/);
    expect(make({ scale: null })).toThrow(/expected scale to be of type number, got null/);
    expect(() => dataSet([] as unknown as DataSetOptions)).toThrow(/expected an object with options, got array/);
    expect(make({ classes: undefined })().classes).toBe(2);
  });

  it('takes the first rows, labels and targets', () => {
    const data = dataSet({
      features: Float32Array.of(1, 2, 3, 4, 5, 6),
      shape: [2],
      targets: Float32Array.of(7, 8, 9),
    });
    const part = head(data, 2);
    expect([...part.features]).toEqual([1, 2, 3, 4]);
    expect([...part.targets!]).toEqual([7, 8]);
    expect(head(data, 99).rows).toBe(3);
  });

  it('scales bytes', () => {
    const data = dataSet({ features: Uint8Array.of(0, 255), shape: [1], labels: [0, 1] });
    expect([...featuresAsFloats(data)]).toEqual([0, 1]);
  });
});

describe('parseIdx', () => {
  const good = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6);
  it('reads shape and values', () => {
    expect(parseIdx(good, 'good')).toEqual({ shape: [2, 3], values: Uint8Array.of(1, 2, 3, 4, 5, 6) });
  });
  it('refuses every truncation, and other files', () => {
    for (let i = 0; i < good.length; i++) expect(() => parseIdx(good.subarray(0, i), 'short')).toThrow(DataError);
    expect(() => parseIdx(Uint8Array.of(1, 2, 3, 4, 5), 'other')).toThrow(/expected an IDX file/);
    expect(() => parseIdx(Uint8Array.of(...good, 0), 'long')).toThrow(/expected 18 bytes for shape 2 x 3, got 19/);
  });
});

describe('loadMnist', () => {
  it('is the real one', async () => {
    const [train, test] = await Promise.all([loadMnist('train'), loadMnist('test')]);
    expect([train.rows, test.rows, ...train.shape]).toEqual([60000, 10000, 28, 28]);
    expect([...train.labels.subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
  });

  it('refuses a file with another SHA-256, and a missing one', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'weightless-'));
    await expect(loadMnist('test', directory)).rejects.toThrow(
      /expected one file t10k-images-idx3-ubyte \(or \.gz\) in .*, found none\. Run: npm install/,
    );
    for (const name of ['t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'])
      await writeFile(join(directory, name), 'x');
    await expect(loadMnist('test', directory)).rejects.toThrow(/expected SHA-256/);
  });
});

describe('pngToInput', () => {
  const picture = (pixels: number[], width: number, channels: 1 | 2 | 3 | 4) =>
    encode({ width, height: pixels.length / width / channels, data: Uint8Array.from(pixels), channels });

  it('reads grey, averages areas', () => {
    const file = picture([0, 0, 255, 255, 0, 0, 255, 255], 4, 1);
    expect([...pngToInput(file, [1, 2], false)]).toEqual([0, 1]);
    expect([...pngToInput(file, [1, 1], false)]).toEqual([0.5]);
  });

  it('turns dark on light into light on dark', () => {
    const file = picture([255, 255, 255, 255, 0, 255, 255, 255, 255], 3, 1);
    expect(pngToInput(file, [3, 3])[4]).toBe(1);
    expect(pngToInput(file, [3, 3], false)[4]).toBe(0);
  });

  it('lays transparent pixels on white', () => {
    expect([...pngToInput(picture([0, 0, 0, 0], 1, 4), [1, 1], false)]).toEqual([1]);
  });

  it('refuses what is no PNG, or too large', () => {
    expect(() => pngToInput(Uint8Array.of(1, 2, 3), [28, 28])).toThrow(DataError);
    const bad = picture([0], 1, 1).slice();
    new DataView(bad.buffer).setUint32(16, 2 ** 31);
    expect(() => pngToInput(bad, [28, 28])).toThrow(/pixels/);
  });
});

describe('loadIdxFolder', () => {
  it('reads gzipped files of any size, and names what is missing', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'weightless-idx-'));
    const folder = { title: 'mine', directory, hint: 'Look again.' };
    await expect(loadIdxFolder(folder, 'train')).rejects.toThrow(/^mine: expected .*train-images.* Look again\.$/);
    const images = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6);
    await writeFile(join(directory, 'train-images-idx3-ubyte.gz'), gzipSync(images));
    await writeFile(join(directory, 'train-labels-idx1-ubyte'), Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 4, 0));
    const data = await loadIdxFolder(folder, 'train');
    expect(data).toMatchObject({ rows: 2, shape: [1, 3], classes: 5 });
    expect([...data.features]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...data.labels]).toEqual([4, 0]);
    await writeFile(join(directory, 'train-labels-idx1-ubyte'), Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 4));
    await expect(loadIdxFolder(folder, 'train')).rejects.toThrow(/a label for each of the 2 images.*got 1/);
    const checked = { ...folder, sha256: { 'train-images-idx3-ubyte': 'ab' } };
    await expect(loadIdxFolder(checked, 'train')).rejects.toThrow(/expected SHA-256 ab/);
  });
});

describe('IDX files under other names, packed, damaged or replaced', () => {
  const images = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6);
  const labels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 4, 0);
  const open = async (files: Record<string, Uint8Array>) => {
    const directory = await mkdtemp(join(tmpdir(), 'weightless-idx-'));
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(directory, name), bytes);
    return { title: 'mine', directory, hint: 'Look again.' };
  };

  it.each<[string, Record<string, Uint8Array>]>([
    ['MNIST', { 'train-images-idx3-ubyte': images, 'train-labels-idx1-ubyte': labels }],
    ['dots', { 'train-images.idx3-ubyte': images, 'train-labels.idx1-ubyte': labels }],
    [
      'dots, packed',
      { 'train-images.idx3-ubyte.gz': gzipSync(images), 'train-labels.idx1-ubyte.gz': gzipSync(labels) },
    ],
    ['EMNIST', { 'emnist-letters-train-images-idx3-ubyte': images, 'emnist-letters-train-labels-idx1-ubyte': labels }],
    ['unpacked, still called .gz', { 'train-images-idx3-ubyte.gz': images, 'train-labels-idx1-ubyte.gz': labels }],
    [
      'packed, not called .gz',
      { 'train-images-idx3-ubyte': gzipSync(images), 'train-labels-idx1-ubyte': gzipSync(labels) },
    ],
    [
      'both',
      {
        'train-images-idx3-ubyte': images,
        'train-images-idx3-ubyte.gz': gzipSync(images),
        'train-labels-idx1-ubyte': labels,
      },
    ],
  ])('reads files named as %s', async (_, files) => {
    const folder = await open(files);
    const data = await loadIdxFolder(folder, 'train');
    expect([...data.features, ...data.labels]).toEqual([1, 2, 3, 4, 5, 6, 4, 0]);
    expect((await openFolder(folder.directory)).format).toBe('IDX');
  });

  it('reads the test part by both of its names', async () => {
    for (const part of ['t10k', 'test']) {
      const folder = await open({ [`${part}-images-idx3-ubyte`]: images, [`${part}-labels-idx1-ubyte`]: labels });
      expect((await loadIdxFolder(folder, 'test')).rows).toBe(2);
    }
  });

  const large = Uint8Array.of(0, 0, 8, 3, 0, 0, 0x40, 0, 0, 0, 0x40, 0, 0, 0, 0, 1); // 2^28 pixels
  it.each<[string, Uint8Array, RegExp]>([
    [
      'Git LFS',
      new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\noid sha256:1\n'),
      /pointer of Git LFS.*git lfs pull/,
    ],
    ['a damaged gzip file', gzipSync(images).subarray(0, 20), /expected a gzip file, could not unpack it.*damaged/],
    [
      'more than the header declares',
      gzipSync(new Uint8Array([...images, ...new Uint8Array(2 ** 26)])),
      /could not unpack it: ERR_BUFFER_TOO_LARGE/,
    ],
    [
      'less than the header declares',
      gzipSync(images.subarray(0, 20)),
      /expected 22 bytes for shape 2 x 1 x 3, got 20/,
    ],
    ['more than its bytes can hold', gzipSync(large), /got a header that declares 268435472/],
    [
      'a packed text',
      gzipSync(new TextEncoder().encode('no images, but long enough to be a header')),
      /expected an IDX file/,
    ],
  ])('names %s', async (_, file, message) => {
    const loaded = loadIdxFolder(await open({ 'train-images-idx3-ubyte.gz': file }), 'train');
    await expect(loaded).rejects.toThrow(DataError);
    await expect(loaded).rejects.toThrow(message);
  });

  it('asks where several files could be meant', async () => {
    const folder = await open({ 'emnist-letters-train-images-idx3-ubyte': images, 'train-images-idx3-ubyte': images });
    await expect(loadIdxFolder(folder, 'train')).rejects.toThrow(/expected one file .*found 'emnist-.*, 'train-/);
  });
});

describe('loadFashionMnist', () => {
  it('says how to get what is missing, and refuses other files', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'weightless-fashion-'));
    await expect(loadFashionMnist('test', directory)).rejects.toThrow(/apt-get install dataset-fashion-mnist/);
    await writeFile(join(directory, 't10k-images-idx3-ubyte'), Uint8Array.of(1));
    await writeFile(join(directory, 't10k-labels-idx1-ubyte'), Uint8Array.of(1));
    await expect(loadFashionMnist('test', directory)).rejects.toThrow(/expected SHA-256/);
  });
});
