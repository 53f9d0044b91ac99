import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { DataError } from '../src/core/errors.ts';
import { dataSet, featuresAsFloats, head } from '../src/data/dataset.ts';
import { loadFashionMnist } from '../src/data/fashion-mnist.ts';
import { parseIdx } from '../src/data/idx.ts';
import { loadIdxFolder } from '../src/data/idx-folder.ts';
import { loadMnist } from '../src/data/mnist.ts';
import { pngToInput } from '../src/data/png.ts';

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
    expect(() => dataSet({ features, shape: [3], labels: [0, 10], classes: 10 })).toThrow(/0 to 9; got 10 at row 1/);
    expect(() => dataSet({ features, shape: [3], labels: [0, 0.5] })).toThrow(/got 0.5 at row 1/);
    expect(() => dataSet({ features, shape: [3] })).toThrow(/either labels or targets/);
    expect(() => dataSet({ features: new Uint8Array(), shape: [3], labels: [] })).toThrow(/at least one row/);
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
    await expect(loadMnist('test', directory)).rejects.toThrow(/could not read it/);
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
    const checked = { ...folder, sha256: { 'train-images-idx3-ubyte': 'ab' } };
    await expect(loadIdxFolder(checked, 'train')).rejects.toThrow(/expected SHA-256 ab/);
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
