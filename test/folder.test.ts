import { mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { encode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { DataError } from '../src/core/errors.ts';
import type { DataSet } from '../src/data/dataset.ts';
import { openFolder } from '../src/data/folder.ts';
import { exifSegment, makeJpeg, withSegments } from './make-jpeg.ts';

async function folderOf(files: Record<string, string | Uint8Array>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weightless-folder-'));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

async function both(
  folder: string,
  options = {},
): Promise<{ train: DataSet; test: DataSet; notes: readonly string[] }> {
  const { load, notes } = await openFolder(folder, options);
  return { train: await load('train'), test: await load('test'), notes };
}

const refused = async (files: Record<string, string | Uint8Array>, message: RegExp, options = {}) => {
  const opened = both(await folderOf(files), options);
  await expect(opened).rejects.toThrow(DataError);
  await expect(opened).rejects.toThrow(message);
};

const rowsOf = ({ features, rows }: DataSet) =>
  Array.from({ length: rows }, (_, i) => [
    ...features.subarray((i * features.length) / rows, ((i + 1) * features.length) / rows),
  ]);

describe('CSV', () => {
  it('standardises by the training part, and takes texts one-hot', async () => {
    const { train, test, notes } = await both(
      await folderOf({
        'train.csv': 'size,colour,class\n1,red,yes\n3,"blue, dark",no\n5,red,yes\n7,"blue, dark",no\n',
        'test.csv': 'size,colour,class\n4,green,no\n9,red,yes\n',
      }),
    );
    expect(train).toMatchObject({
      rows: 4,
      shape: [3],
      classes: 2,
      preparation: { outputs: { classes: ['no', 'yes'] } },
    });
    expect([...train.labels]).toEqual([1, 0, 1, 0]);
    const spread = Math.sqrt(5); // of 1, 3, 5, 7, about 4
    const f = Math.fround;
    expect(rowsOf(train)).toEqual([
      [f(-3 / spread), 0, 1],
      [f(-1 / spread), 1, 0],
      [f(1 / spread), 0, 1],
      [f(3 / spread), 1, 0],
    ]);
    expect(rowsOf(test)).toEqual([
      [0, 0, 0], // green was never seen
      [f(5 / spread), 0, 1],
    ]);
    expect([...test.labels]).toEqual([0, 1]);
    expect(notes.join('\n')).toMatch(
      /label: column 'class', 2 classes \(no, yes\)\n1 columns of numbers.* 1 of texts.*3 inputs/,
    );
  });

  it('takes files without a header, with other marks, gaps, and constant columns', async () => {
    const body = 'a;1;?;8\nb;1;2;8\na;1;4;8\nb;1;NA;8\n';
    const { train, notes } = await both(await folderOf({ 'train.csv': `\uFEFF${body}`, 'test.csv': 'b;1;2;8\r\n' }), {
      label: '1',
    });
    expect(train).toMatchObject({ shape: [3], preparation: { outputs: { classes: ['a', 'b'] } } });
    expect(rowsOf(train)).toEqual([
      [0, 0, 0],
      [0, -1, 0],
      [0, 1, 0],
      [0, 0, 0],
    ]);
    expect(notes).toContain('first row: data');
    expect(notes.join('\n')).toMatch(/2 gaps \(1 '\?', 1 'NA'\)/);
  });

  it('parts a single file, and keeps what the test rows are out of the scale', async () => {
    const lines = Array.from({ length: 50 }, (_, i) => `${i},${i % 2 ? 'odd' : 'even'}`);
    const { train, test, notes } = await both(await folderOf({ 'mine.csv': ['number,label', ...lines].join('\n') }));
    expect(train.rows + test.rows).toBe(50);
    expect(test.rows).toBeGreaterThan(4);
    expect(test.rows).toBeLessThan(16);
    expect(notes.join('\n')).toMatch(
      /no test file: \d+ rows for training, \d+ for the test, split by the content of a row and seed 0/,
    );
    const values = rowsOf(train).flat();
    expect(values.reduce((a, b) => a + b, 0) / train.rows).toBeCloseTo(0, 5);
    expect(values.reduce((a, b) => a + b * b, 0) / train.rows).toBeCloseTo(1, 5);
  });

  it('tells a header from data', async () => {
    const first = async (text: string, options = {}) =>
      (await openFolder(await folderOf({ 'train.csv': text }), options)).notes[2];
    const rows = '1,a\n2,b\n3,a\n4,b\n5,a\n6,b\n';
    expect(await first(`x,y\n${rows}`)).toMatch(/names/);
    expect(await first(rows)).toMatch(/data/);
    expect(await first('p,q\nm,a\nn,b\nm,a\nn,b\nm,a\nn,b\nm,a\nn,b\n')).toMatch(/names/);
    expect(await first('m,a\nn,b\nm,a\nn,b\nm,a\nn,b\nm,a\nn,b\n')).toMatch(/data/);
    expect(await first(rows, { header: true })).toMatch(/names/);
    expect(await first(`0,1,kind\n${rows.replaceAll(',', ',7,').replaceAll('a', '0').replaceAll('b', '1')}`)).toMatch(
      /names/,
    );
  });

  it('takes as label what --label names, or a column called label, or the last', async () => {
    const label = async (header: string, options = {}) =>
      (
        await openFolder(
          await folderOf({ 'train.csv': `${header}\n1,x,5\n2,y,6\n1,x,5\n2,y,6\n1,x,5\n2,y,6\n` }),
          options,
        )
      ).notes[0];
    expect(await label('Label,b,c')).toMatch(/'Label', 2 classes \(1, 2\)/);
    expect(await label('a,b,c')).toMatch(/'c', 2 classes \(5, 6\)/);
    expect(await label('a,b,c', { label: 'b' })).toMatch(/'b', 2 classes \(x, y\)/);
    expect(await label('a,b,c', { label: '2' })).toMatch(/'b'/);
    await expect(label('a,b,c', { label: 'd' })).rejects.toThrow(/expected --label to be one of its columns .*got 'd'/);
  });

  it('refuses what it cannot take, and says where', async () => {
    await refused({ 'train.csv': '' }, /train\.csv: expected rows, got an empty file/);
    await refused({ 'train.csv': 'a,b\n1,2,3\n' }, /train\.csv: expected CSV, rows of as many cells.*line 2/);
    await refused({ 'train.csv': 'a,b\n1,"2\n' }, /train\.csv: expected CSV/);
    await refused(
      { 'train.csv': '1,a\n2,b\n', 'test.csv': '1,c\n' },
      /test\.csv: expected a label of train\.csv \(a, b\) in row 1, column 2; got 'c'/,
    );
    await refused({ 'train.csv': '1,a\n2,b\n', 'test.csv': '1\n' }, /test\.csv: expected the 2 columns of train\.csv/);
    await refused(
      { 'train.csv': '1,a\n2,b\n', 'test.csv': 'x,a\n' },
      /test\.csv: expected a number in column 1, got 'x' in row 1/,
    );
    await refused({ 'train.csv': '1,a\n2,\n' }, /expected a label in each row, got none in row 2, column 2/);
    await refused({ 'train.csv': '1,a\n2,a\n' }, /expected 2 to 1024 classes in the label's column 2, got 1/);
    await refused(
      { 'train.csv': '1e999,a\n2,a\n3,a\n2,b\n' },
      /expected numbers of at most 1e\+100, got 1e999 in row 1, column 1/,
    );
    const names = Array.from({ length: 2000 }, (_, i) => `name ${i},${i % 2}`).join('\n');
    await refused({ 'train.csv': names }, /at most 256 different texts; got 1\d{3} in column 1/);
    await refused({ 'train.csv': names }, /expected 2 to 1024 classes.*got 2000/, { label: '1' });
    await refused({ 'test.csv': '1,a\n' }, /expected train\.csv/);
    await refused({ 'a.csv': '1,a\n', 'b.csv': '1,a\n' }, /expected train\.csv .* got a\.csv, b\.csv/);
  });
});

describe('folders of pictures', () => {
  const grey = (value: number, width = 3, height = 2) =>
    encode({ width, height, channels: 1, data: new Uint8Array(width * height).fill(value) });
  const colour = (...rgb: number[]) =>
    encode({ width: 3, height: 2, channels: 3, data: Uint8Array.from({ length: 18 }, (_, i) => rgb[i % 3]!) });

  it('reads bytes by class, classes by name and number', async () => {
    const folder = await folderOf({
      'train/class 10/a.png': grey(30),
      'train/class 2/b.PNG': grey(10),
      'train/class 2/.DS_Store': 'x',
      'test/class 2/c.png': grey(20),
      'test/class 10/d.png': grey(200),
    });
    await symlink(join(folder, 'train/class 2/b.PNG'), join(folder, 'train/class 2/link.png'));
    const { train, test } = await both(folder);
    expect(train).toMatchObject({
      rows: 3,
      shape: [2, 3],
      preparation: { outputs: { classes: ['class 2', 'class 10'] } },
      scale: 1 / 255,
    });
    expect([...train.labels]).toEqual([0, 0, 1]);
    expect(rowsOf(train).map(([first]) => first)).toEqual([10, 10, 30]);
    expect(rowsOf(test).map((row) => row.at(-1))).toEqual([20, 200]);
  });

  it('reads colours where one picture has them, and parts folders of classes', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 10 }, (_, i) => [`${i % 2 ? 'cat' : 'dog'}/${i}.png`, i ? colour(1, 2, 3 + i) : grey(7)]),
    );
    const { train, test, notes } = await both(await folderOf(files));
    expect(train).toMatchObject({ shape: [2, 3, 3], preparation: { outputs: { classes: ['cat', 'dog'] } } });
    expect(test.rows).toBeGreaterThan(0);
    const found = [...rowsOf(train), ...rowsOf(test)].map((row) => row.slice(0, 3).join());
    expect(found.sort()).toEqual(['7,7,7', ...Array.from({ length: 9 }, (_, i) => `1,2,${4 + i}`)].sort());
    expect(notes.join('\n')).toMatch(/10 pictures of 3 x 2, in colour.*\n.*\d for training, \d for the test.*seed 0/);
  });

  it('resizes pictures of several sizes, JPEG and PNG, to the common one, and says so', async () => {
    const jpeg = await makeJpeg(8, 16, () => [90, 90, 90], { grey: true });
    const three = { 'a/1.png': grey(50), 'a/2.png': grey(50), 'a/3.png': grey(50) };
    const files = { ...three, 'b/1.jpeg': jpeg, 'b/2.png': grey(7, 9, 2) };
    const { train, test, notes } = await both(await folderOf(files), { size: { height: 2, width: 3 } });
    expect(train.shape).toEqual([2, 3]);
    expect([...rowsOf(train), ...rowsOf(test)].map((row) => row.join()).sort()).toEqual(
      [50, 50, 50, 7, 90].map((value) => Array(6).fill(value).join()).sort(),
    );
    expect(notes[0]).toMatch(
      /5 pictures of 3 x 2 to 8 x 16 \(width x height\), 2 of them resized to 3 x 2 \(aspect ratios ignored; see --size/,
    );
    const options = { size: { height: 4, width: 4 }, fit: 'letterbox' } as const;
    const boxed = await both(await folderOf(files), options);
    expect(boxed.train.shape).toEqual([4, 4]);
    const found = [...rowsOf(boxed.train), ...rowsOf(boxed.test)].find((row) => row.includes(90));
    expect(found).toEqual([0, 90, 90, 0, 0, 90, 90, 0, 0, 90, 90, 0, 0, 90, 90, 0]);
    expect(boxed.notes[0]).toMatch(/5 of them resized to 4 x 4 \(with bars/);
  });

  it('takes the most common size, or the median where none is common, at most 128 pixels long', async () => {
    const most = { 'a/1.png': grey(1), 'a/2.png': grey(1), 'b/1.png': grey(1), 'b/2.png': grey(1, 90, 80) };
    expect((await both(await folderOf({ ...most, 'b/3.png': grey(1) }))).train.shape).toEqual([2, 3]);
    const files = Object.fromEntries(
      [4, 5, 6, 7, 8, 9].flatMap((size) => [
        [`a/${size}.png`, grey(size, 100 * size, 10 * size)],
        [`b/${size}.png`, grey(size, 100 * size + 1, 10 * size)],
      ]),
    );
    expect((await both(await folderOf(files))).train.shape).toEqual([13, 128]);
  });

  it('turns pictures upright by their EXIF orientation', async () => {
    const top = await makeJpeg(16, 8, (x) => (x < 8 ? [200, 200, 200] : [20, 20, 20]), { grey: true });
    const files = Object.fromEntries(
      ['a', 'b'].flatMap((name) => [1, 2, 3].map((i) => [`${name}/${i}.jpg`, withSegments(top, exifSegment(6))])),
    );
    const { train } = await both(await folderOf(files));
    expect(train.shape).toEqual([16, 8]);
    const [row] = rowsOf(train);
    for (const value of row!.slice(0, 64)) expect(value).toBeGreaterThan(195);
    for (const value of row!.slice(64)) expect(value).toBeLessThan(25);
  });

  it('reads pictures as a model does, whatever their size', async () => {
    const files = { 'a/1.png': grey(50), 'a/2.png': grey(50), 'a/3.png': grey(50), 'b/1.png': grey(7) };
    const size = { width: 2, height: 5, channels: 3 } as const;
    const model = { kind: 'image', ...size, fit: 'stretch', invert: false, scale: 1 / 255, shift: 0 } as const;
    const { load } = await openFolder(await folderOf(files), {}, model);
    const train = await load('train');
    expect(train.shape).toEqual([5, 2, 3]);
    expect(train.preparation).toEqual({ inputs: model, outputs: { task: 'classification', classes: ['a', 'b'] } });
  });

  it('refuses what it cannot take, and says where', async () => {
    const two = { 'a/1.png': grey(1), 'a/2.png': grey(1), 'a/3.png': grey(1), 'b/1.png': grey(1) };
    await refused({ ...two, 'b/1.png': 'no picture, though it is long enough' }, /b.1\.png: picture: expected a PNG/);
    await refused({ ...two, 'b/1.jpg': 'no picture, though it is long enough' }, /b.1\.jpg: picture: expected a PNG/);
    await refused({ ...two, 'b/1.png': grey(1).subarray(0, 40) }, /b.1\.png: picture: expected/);
    await refused({ ...two, 'b/2.gif': 'x' }, /b: expected only PNG and JPEG files, got '2\.gif'/);
    await refused({ 'a/1.png': grey(1) }, /at least two classes, got a/);
    await refused(
      { 'train/a/1.png': grey(1), 'train/b/1.png': grey(1) },
      /expected the folders train and test.*got train/,
    );
    await refused(
      { 'train/a/1.png': grey(1), 'train/b/1.png': grey(1), 'test/a/1.png': grey(1), 'test/c/1.png': grey(1) },
      /c: expected a class that the training pictures have \(a, b\), got 'c'/,
    );
  });
});

describe('openFolder', () => {
  it('says what it expects where nothing, or too much, is there', async () => {
    await refused(
      { 'notes.txt': 'x' },
      /--data-dir: expected .* to hold one of: IDX files.*train\.csv.*PNG.* Got notes\.txt/,
    );
    await refused({}, /Got an empty folder/);
    await refused(
      { 'train.csv': '1,a\n', 'train-images-idx3-ubyte': 'x' },
      /Got IDX \(train-images-idx3-ubyte\) and CSV \(train\.csv\)\. Keep one/,
    );
    await refused({ 'train-images-idx3-ubyte': 'x' }, /expected CSV or JSON lines with --label, got IDX/, {
      label: 'x',
    });
    await expect(openFolder('/nonexistent')).rejects.toThrow(
      /nonexistent: expected a folder, could not read it: ENOENT/,
    );
  });
});
