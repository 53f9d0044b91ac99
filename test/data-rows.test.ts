/** Objects and JSON lines as data sets: the same inputs as from a CSV file with the same cells. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DataError, OptionError } from '../src/core/errors.ts';
import { tableToData } from '../src/data/csv.ts';
import { readTable } from '../src/data/csv-table.ts';
import { openFolder } from '../src/data/folder.ts';
import { jsonLinesFor, jsonLinesLike, readJsonLines } from '../src/data/json-lines.ts';
import { limits } from '../src/data/limits.ts';
import { Records } from '../src/data/records.ts';
import { encodeTable } from '../src/data/table-inputs.ts';
import { createContext, createPredictor, dense, sequential } from '../src/index.ts';
import { cosine, dataSet, fit, type RowObject } from '../src/train.ts';

const encode = (text: string) => new TextEncoder().encode(text);
const day = (i: number) => new Date(Date.UTC(2024, 0, 1 + i, 6));

/** Objects, and the same rows as CSV: numbers, texts, dates, gaps. */
const objects = Array.from(
  { length: 60 },
  (_, i): RowObject => ({
    id: `r${i}`,
    size: i % 7 ? i / 8 : null,
    colour: ['red', 'green', undefined][i % 3],
    smokes: i % 5 === 0,
    when: day(i),
    kind: i < 30 ? 'early' : 'late',
  }),
);
const csv = `id,size,colour,smokes,when,kind\n${objects
  .map(({ id, size, colour, smokes, when, kind }) =>
    [id, size ?? '', colour ?? '', smokes, (when as Date).toISOString(), kind].join(),
  )
  .join('\n')}\n`;

describe('dataSet.fromRows', () => {
  it('makes the inputs that the same CSV file makes, and says how', () => {
    const fromCsv = tableToData(readTable(encode(csv), 'train.csv', true), 'kind', { drop: ['id'] });
    const data = dataSet.fromRows(objects, { label: 'kind', drop: ['id'] });
    expect(data).toEqual({ ...fromCsv, keys: data.keys });
    expect(data.shape).toEqual([1 + 2 + 2 + 1]);
    expect(data.preparation).toMatchObject({
      inputs: {
        columns: [
          { name: 'size', kind: 'number' },
          { name: 'colour', categories: ['green', 'red'] },
          { name: 'smokes', categories: ['false', 'true'] },
          { name: 'when', kind: 'date' },
        ],
        ignored: ['id'],
      },
      outputs: { label: 'kind', classes: ['early', 'late'] },
    });
    expect(dataSet.fromRows(objects.map(({ id, ...row }) => row)).features).toEqual(data.features); // the last is the label
  });

  it('encodes rows to validate with as the training rows are', () => {
    const [train, held] = [objects.filter((_, i) => i % 2), objects.filter((_, i) => i % 2 === 0)];
    const data = dataSet.fromRows(train, { label: 'kind', columns: ['size'] });
    const { preparation } = data;
    expect(dataSet.fromRows(train, { preparation: preparation! }).features).toEqual(data.features);
    const validation = dataSet.fromRows(held, { preparation: preparation! });
    const [column] = preparation!.inputs.kind === 'table' ? preparation!.inputs.columns : [];
    if (column?.kind !== 'number') throw new Error('no number');
    const size = held[1]!.size as number;
    expect(validation.features[1]).toBe(Math.fround((size - column.mean) / column.deviation));
    expect(() => dataSet.fromRows([{ kind: 'late' }], { preparation: preparation! })).toThrow(
      /expected the column 'size'/,
    );
    const other = [{ size: 1, kind: 'never' }];
    expect(() => dataSet.fromRows(other, { preparation: preparation! })).toThrow(
      /expected a label of the training rows \(early, late\) in row 1, .*got 'never'/,
    );
  });

  it('encodes numbers and labels to validate with as the training rows are', () => {
    const flats = Array.from({ length: 40 }, (_, i) => ({
      size: i,
      price: 1000 + 10 * i,
      tags: ['a;b', 'a', 'b', ''][i % 4]!,
    }));
    const prices = dataSet.fromRows(flats, { label: 'price', columns: ['size'] });
    const dearer = flats.map((flat) => ({ ...flat, price: flat.price + 100 }));
    const shifted = dataSet.fromRows(dearer, { preparation: prices.preparation! });
    const { outputs } = prices.preparation!;
    const { deviation } = outputs.task === 'regression' ? outputs.targets[0]! : { deviation: 0 };
    for (const [i, target] of shifted.targets!.entries()) {
      expect(target).toBeCloseTo(prices.targets![i]! + 100 / deviation, 5);
    }
    const tags = dataSet.fromRows(flats, { label: 'tags', columns: ['size'] });
    const some = dataSet.fromRows(flats.slice(1, 4), { preparation: tags.preparation! });
    expect([...some.targets!]).toEqual([1, 0, 0, 1, 0, 0]);
    const unknown = [{ size: 1, tags: 'a;c' }];
    expect(() => dataSet.fromRows(unknown, { preparation: tags.preparation! })).toThrow(
      /expected labels of the training rows \(a, b\) in row 1, column 2; got 'c'/,
    );
    expect(() => dataSet.fromRows(flats, { preparation: tags.preparation!, task: 'regression' })).toThrow(
      /expected task multilabel, as the model was trained for/,
    );
  });

  it('trains a model that classifies objects', async () => {
    const context = await createContext({ backend: 'cpu' });
    const data = dataSet.fromRows(objects, { label: 'kind', drop: ['id'] });
    const model = sequential([dense({ units: 2 })], { input: data.shape, seed: 1 });
    for await (const _ of fit(context, model, data, { epochs: 30, batchSize: 10, learningRate: 0.05 }));
    const predictor = await createPredictor(context, model);
    for (const i of [3, 55]) {
      const { id, kind, ...row } = objects[i]!;
      const [best] = await predictor.classify({ ...row, colour: row.colour ?? null }, { top: 1 });
      expect(best!.label).toBe(kind);
    }
    await predictor.dispose();
    context.dispose();
  });

  it('trains a model that estimates numbers in their units, of one row and of many', async () => {
    const context = await createContext({ backend: 'cpu', threads: 1 });
    const flats = Array.from({ length: 200 }, (_, i) => {
      const [size, floor] = [20 + ((i * 37) % 80), i % 5];
      return { size, floor, price: 1000 * size - 5000 * floor, rent: 10 * size + floor };
    });
    const data = dataSet.fromRows(flats, { label: 'price,rent' });
    const model = sequential([dense({ units: 2 })], { input: data.shape, seed: 1 });
    for await (const _ of fit(context, model, data, { epochs: 200, batchSize: 20, learningRate: cosine(0.1) }));
    const predictor = await createPredictor(context, model);
    const [asked, other] = [
      { size: 55, floor: 3 },
      { size: 91, floor: 0 },
    ];
    const one = await predictor.estimate(asked);
    expect(one.map(({ target }) => target)).toEqual(['price', 'rent']);
    expect(one[0]!.value / 40_000).toBeCloseTo(1, 3); // 1000 * 55 - 5000 * 3
    expect(one[1]!.value / 553).toBeCloseTo(1, 3);
    const many = await predictor.estimate([other, asked]);
    expect(many[0]![0]!.value / 91_000).toBeCloseTo(1, 3);
    for (const [i, { value }] of many[1]!.entries()) expect(value).toBeCloseTo(one[i]!.value, 2);
    await expect(predictor.classify(asked)).rejects.toThrow(/Call estimate\(\)/);
    await expect(predictor.estimate({ size: 3 })).rejects.toThrow(DataError);
    context.dispose();
  });

  it.each<[string, unknown, object, RegExp]>([
    ['no list', 5, {}, /expected rows as a list of objects, got 5/],
    ['no rows', [], {}, /expected rows with columns, got none/],
    ['rows as arrays', [[1, 2]], {}, /expected row 1 to be an object, got \[1,2\]/],
    ['a null', [{ a: 1 }, null], {}, /expected row 2 to be an object, got null/],
    ['nested objects', [{ a: 1 }, { a: { b: 1 } }], {}, /got object in row 2, column 'a'/],
    ['lists', [{ a: [1] }], {}, /got array in row 1, column 'a'/],
    ['an unknown label', objects, { label: 'nose' }, /expected label to be one of its columns/],
    [
      'numbers but for a cell',
      objects.map((row, i) => ({ ...row, size: i === 9 ? 'big' : i })),
      {},
      /got 'big' in row 10/,
    ],
    [
      'another preparation',
      objects,
      { preparation: { inputs: { kind: 'numbers' }, outputs: {} } },
      /Pass data\.preparation/,
    ],
  ])('refuses %s', (_, rows, options, message) => {
    const make = () => dataSet.fromRows(rows as RowObject[], { ...options });
    expect(make).toThrow(DataError);
    expect(make).toThrow(message);
  });

  it('refuses unknown options', () => {
    expect(() => dataSet.fromRows(objects, { labels: 'kind' } as object)).toThrow(OptionError);
  });

  it('bounds rows that each have other columns', () => {
    const records = new Records('x');
    const wide = Object.fromEntries(Array.from({ length: limits.columns }, (_, i) => [`c${i}`, 1]));
    records.add(wide);
    wide.more = 1;
    expect(() => new Records('x').add(wide)).toThrow(/at most 65536 columns/);
    const started = performance.now();
    expect(() => {
      for (let i = 0; i < 1e6; i++) records.add({ c1: 2 });
    }).toThrow(/expected at most 33554432 cells, got 65536 columns in row 513/);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

it('rows are not encoded by what no model file could hold', () => {
  for (const preparation of [{}, { inputs: { kind: 'table' } }]) {
    expect(() => dataSet.fromRows(objects, { preparation: preparation as never })).toThrow(/expected preparation\./);
  }
});

describe('JSON lines', () => {
  const lines = objects.map((row) => JSON.stringify(row)).join('\n');

  it('are read like CSV, from a folder, with a test part of other order', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'weightless-jsonl-'));
    await writeFile(join(folder, 'train.jsonl'), `\ufeff${lines}\r\n\r\n`);
    const options = { label: 'kind', drop: ['id'] };
    const whole = await openFolder(folder, options);
    const [train, test] = [await whole.load('train'), await whole.load('test')];
    expect(whole.format).toBe('JSON lines');
    expect(train.rows + test.rows).toBe(60);
    expect(whole.columns!.map(({ kind }) => kind)).toEqual([
      ...['dropped', 'number', 'text, one-hot', 'text, one-hot', 'date, as days', 'label'],
    ]);
    const { kind, ...rest } = objects[40]!;
    await writeFile(join(folder, 'test.jsonl'), JSON.stringify({ kind, ...rest, size: 2, colour: 'red' }));
    const parted = await openFolder(folder, options);
    expect((await parted.load('train')).features).toEqual(dataSet.fromRows(objects, options).features);
    expect([...(await parted.load('test')).labels]).toEqual([1]);
  });

  it.each<[string, string | Uint8Array, RegExp]>([
    ['an empty file', '', /expected rows with columns, got none/],
    ['a list', '[{"a": 1}]', /a JSON object in line 1, such as .*got another start/],
    ['invalid JSON', '{"a": 1}\n\n{"a": 1,}', /a JSON object in line 3.*got invalid JSON/],
    ['a nested object', '{"a": {"b": 1}}', /got object in row 1, column 'a'/],
    ['deep nesting', `{"a": ${'['.repeat(200_000)}${']'.repeat(200_000)}}`, /got array in row 1/],
    ['deep nesting without an end', `{"a": ${'{"a":'.repeat(150_000)}`, /got invalid JSON/],
    ['a long line', `{"a": "${'x'.repeat(2 ** 20)}"}`, /lines of at most 1048576 bytes, got 10485\d\d in line 1/],
    ['a long cell', `{"a": "${'x'.repeat(70_000)}"}`, /cells of at most 65536 characters, got 70000 in row 1/],
    ['gzip', Uint8Array.of(0x1f, 0x8b, 8, 0), /expected text, got a gzip file/],
  ])('refuse %s', (_, file, message) => {
    const read = () => readJsonLines(typeof file === 'string' ? encode(file) : file, 'x.jsonl');
    const started = performance.now();
    let thrown: unknown;
    try {
      read();
    } catch (error) {
      thrown = error;
    }
    expect(performance.now() - started).toBeLessThan(2000);
    expect(thrown).toBeInstanceOf(DataError);
    expect((thrown as Error).message).toMatch(message);
  });

  it('give a model its columns by name', () => {
    const { preparation } = dataSet.fromRows(objects, { label: 'kind', columns: ['size', 'colour'] });
    const { inputs } = preparation!;
    if (inputs.kind !== 'table') throw new Error('no table');
    const rows = jsonLinesFor(
      encode('{"colour": "red", "size": 3, "id": "x", "note": 1}\n{"size": null}'),
      'x',
      inputs,
    );
    expect(rows.columns).toEqual([
      [3, ''],
      ['red', ''],
    ]);
    expect(rows.notes).toEqual(["x: columns that the model does not read: 'note'"]);
    expect([...encodeTable(inputs, rows)].slice(1)).toEqual([0, 1, 0, 0, 0]);
    expect(() => jsonLinesFor(encode('{"size": 1}'), 'x', inputs)).toThrow(
      /expected the columns.*none called 'colour'/,
    );
  });

  it('name columns that other files lack or have too many', () => {
    const train = readJsonLines(encode('{"a": 1, "b": 2}'), 'train.jsonl');
    expect(jsonLinesLike(encode('{"b": 3, "a": 4}'), 'x', train).columns).toEqual([[4], [3]]);
    expect(jsonLinesLike(encode('{"a": 4}'), 'x', train, 1).columns).toEqual([[4], []]);
    expect(() => jsonLinesLike(encode('{"b": 3, "c": 4}'), 'x', train)).toThrow(
      /x: expected the columns of train\.jsonl \('a', 'b'\), got no column 'a' and the unknown 'c'/,
    );
  });
});
