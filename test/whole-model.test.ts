/** A model of a table predicts from its file alone, the same on the command line, in JavaScript, in ONNX and in Python. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OnnxRuntime } from 'onnxruntime-web';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDate } from '../src/core/dates.ts';
import { DataError } from '../src/core/errors.ts';
import { readNumber } from '../src/data/csv-numbers.ts';
import { openFolder } from '../src/data/folder.ts';
import type { TableInputs } from '../src/model/preparation.ts';
import { preparationOf } from '../src/model/preparation-metadata.ts';
import { readModel } from '../src/model/safetensors.ts';
import { createContext } from '../src/open.ts';
import { loadModel } from '../src/predict/load.ts';
import { csvOf, type MixedRow, mixedColumns, mixedRow } from './mixed-table.ts';

const cli = join(import.meta.dirname, '../dist/cli.js');
const folder = mkdtempSync(join(tmpdir(), 'weightless-whole-model-'));
afterAll(() => rmSync(folder, { recursive: true }));

function run(...args: string[]): { out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', cwd: folder });
  expect(status, stderr).toBe(0);
  return { out: stdout, err: stderr };
}

const rows = Array.from({ length: 12 }, (_, i) => mixedRow(1000 + i));
const table = Array.from({ length: 300 }, (_, i) => mixedRow(i));
const data = join(folder, 'houses');
/** Probability of 'dear', by the command line. */
let expected: number[];
const model = () => readFileSync(join(folder, 'houses.safetensors'));
const predicted = (...args: string[]) =>
  JSON.parse(run('predict', 'houses.safetensors', ...args, '--json', '--backend', 'cpu').out).map(
    ({ scores }: { scores: number[] }) => scores[1]!,
  );
const expectSame = (got: readonly number[]) => {
  expect(got).toHaveLength(expected.length);
  for (const [i, value] of got.entries()) expect(Math.abs(value - expected[i]!), `row ${i}`).toBeLessThan(1e-5);
};

beforeAll(async () => {
  mkdirSync(data);
  writeFileSync(join(data, 'houses.csv'), csvOf(table, mixedColumns));
  const size = ['--units', '24', '--epochs', '12', '--batch', '16', '--rate', '0.02', '--backend', 'cpu'];
  run('train', '--data-dir', 'houses', '--label', 'kind', '--drop', 'id', ...size, '--out', 'houses.safetensors');
  writeFileSync(join(folder, 'rows.csv'), csvOf(rows, ['size', 'colour', 'price', 'sold']));
  expected = predicted('rows.csv');
}, 120_000);

describe('a model of a table', () => {
  it('has the columns, but not the id, and tells the classes apart', () => {
    const { inputs, outputs } = preparationOf(readModel(model()))!;
    const { columns, ignored } = inputs as TableInputs;
    expect(columns.map(({ name, kind }) => [name, kind])).toEqual([
      ['size', 'number'],
      ['colour', 'category'],
      ['price', 'number'],
      ['sold', 'date'],
    ]);
    expect(ignored).toContain('id');
    expect(outputs).toMatchObject({ task: 'classification', classes: ['cheap', 'dear'] });
    const right = expected.filter((dear, i) => (dear > 0.5 ? 'dear' : 'cheap') === rows[i]!.kind);
    expect(right.length).toBeGreaterThan(9);
  });

  it('adding rows moves no earlier row to another part', async () => {
    const before = await openFolder(data, { label: 'kind' });
    writeFileSync(
      join(data, 'houses.csv'),
      csvOf([mixedRow(900), ...table, mixedRow(901), mixedRow(902)], mixedColumns),
    );
    const after = await openFolder(data, { label: 'kind' });
    for (const part of ['train', 'test'] as const) {
      const kept = new Set((await after.load(part)).keys);
      expect([...(await before.load(part)).keys!].filter((key) => !kept.has(key))).toEqual([]);
    }
  });

  it('predicts the same without its folder, with columns in another order and others beside them', () => {
    rmSync(data, { recursive: true });
    const shuffled = ['sold', 'note', 'kind', 'price', 'id', 'colour', 'size'];
    writeFileSync(join(folder, 'shuffled.csv'), csvOf(rows, shuffled));
    const { out, err } = run('predict', 'houses.safetensors', 'shuffled.csv', '--csv', '--backend', 'cpu');
    expect(err).toContain("shuffled.csv: left out 'note', which the model does not know");
    const lines = out.trim().split('\n');
    expect(lines[0]).toBe('file,row,class,probability');
    const dear = lines.slice(1).map((line) => line.split(','));
    expectSame(
      dear.map(([, , name, probability]) => (name === 'dear' ? Number(probability) : 1 - Number(probability))),
    );
    expectSame(predicted('shuffled.csv'));
  });

  it('eval finds what predict answers, on other rows, with columns in another order and others beside them', () => {
    // Larger houses alone: standardised by themselves, they would look like those of the training.
    const others = Array.from({ length: 200 }, (_, i) => mixedRow(3000 + i)).filter(({ size }) => Number(size) > 70);
    const order = ['sold', 'note', 'kind', 'price', 'id', 'colour', 'size'];
    writeFileSync(join(folder, 'others.csv'), csvOf(others, order));
    const right = predicted('others.csv').filter(
      (dear: number, i: number) => dear > 0.5 === (others[i]!.kind === 'dear'),
    );
    const accuracy = right.length / others.length;
    const evaluated = (name: string, ...args: string[]) =>
      JSON.parse(run('eval', 'houses.safetensors', '--data-dir', name, '--json', '--backend', 'cpu', ...args).out);
    mkdirSync(join(folder, 'only-test'));
    writeFileSync(join(folder, 'only-test/test.csv'), csvOf(others, order));
    expect(evaluated('only-test')).toMatchObject({ images: others.length, accuracy });
    const renamed = [
      order.map((name) => (name === 'kind' ? 'answer' : name)).join(),
      ...csvOf(others, order).split('\n').slice(1),
    ];
    writeFileSync(join(folder, 'only-test/test.csv'), renamed.join('\n'));
    expect(evaluated('only-test', '--label', 'answer')).toMatchObject({ images: others.length, accuracy });
    mkdirSync(join(folder, 'lines'));
    const numbers = others.map(({ size, ...row }) => ({ ...row, size: size === '' ? null : Number(size) }));
    writeFileSync(join(folder, 'lines/test.jsonl'), numbers.map((row) => `${JSON.stringify(row)}\n`).join(''));
    expect(evaluated('lines')).toMatchObject({ images: others.length, accuracy });
    const missing = spawnSync(process.execPath, [cli, 'eval', 'houses.safetensors', '--data-dir', 'only-test'], {
      ...{ encoding: 'utf8', cwd: folder },
    });
    expect(missing.stderr).toMatch(
      /DataError: test\.csv: expected the column 'kind' with what the model predicts; got 'sold'/,
    );
  });

  it('says which texts training did not see', () => {
    const [first, second] = rows;
    writeFileSync(join(folder, 'pink.csv'), csvOf([{ ...first!, colour: 'pink' }, second!], mixedColumns));
    const { err } = run('predict', 'houses.safetensors', 'pink.csv', '--backend', 'cpu');
    expect(err).toMatch(
      /warning: pink\.csv: column 'colour' holds texts that training did not see, in 1 row: 'pink'\. They count as none/,
    );
  });

  it('predicts the same in JavaScript, from texts and from values', async () => {
    const predictor = await loadModel(createContext({ backend: 'cpu' }), model());
    const dearOf = (found: { label: string; probability: number }[][]) =>
      found.map((each) => each.find(({ label }) => label === 'dear')!.probability);
    const named = ({ size, colour, price, sold }: MixedRow) => ({ sold, size, price, colour });
    expectSame(dearOf(await predictor.classify(rows.map(named))));
    const values = ({ size, colour, price, sold }: MixedRow) => ({
      size: size === '' ? null : Number(size),
      colour: colour === 'NA' ? undefined : colour,
      price: readNumber(price!, '.')!.value,
      sold: new Date(`${sold!.replace(' ', 'T')}Z`),
      id: 5,
    });
    expectSame(dearOf(await predictor.classify(rows.map(values))));
    const [one] = await predictor.classify(values(rows[0]!), { top: 1 });
    expect(one!.probability).toBeCloseTo(Math.max(expected[0]!, 1 - expected[0]!), 5);
    for (const [row, message] of [
      [{ size: 1 }, /expected the columns 'size', 'colour', 'price', 'sold'; got no 'colour', 'price', 'sold'/],
      [{ ...values(rows[0]!), colours: 'red' }, /got the unknown 'colours'/],
      [{ ...values(rows[0]!), size: 'big' }, /expected a number in column 'size', got 'big' in row 1/],
      [{ ...values(rows[0]!), sold: '31/31/2022' }, /expected a date in column 'sold', got '31\/31\/2022'/],
    ] as const) {
      await expect(predictor.classify(row)).rejects.toThrow(message);
      await expect(predictor.classify(row)).rejects.toThrow(DataError);
    }
    await predictor.dispose();
  });

  it('predicts the same in ONNX Runtime and in Python', async () => {
    run('export', 'houses.safetensors', '--onnx', 'houses.onnx', '--numpy-check', 'houses.py');
    const python = spawnSync('python3', ['houses.py', 'houses.safetensors', 'shuffled.csv'], {
      encoding: 'utf8',
      cwd: folder,
    });
    expect(python.status, python.stderr).toBe(0);
    expectSame(
      python.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).dear),
    );

    const require = createRequire(join(import.meta.dirname, '../bench/package.json'));
    const { InferenceSession, Tensor, env } = require('onnxruntime-web') as OnnxRuntime;
    env.wasm.numThreads = 1;
    env.logLevel = 'error';
    const session = await InferenceSession.create(readFileSync(join(folder, 'houses.onnx')), {
      executionProviders: ['wasm'],
    });
    const column = (read: (row: MixedRow) => number) =>
      new Tensor('float64', Float64Array.from(rows, read), [rows.length, 1]);
    const { probabilities } = await session.run({
      size: column(({ size }) => (size === '' ? Number.NaN : Number(size))),
      colour: new Tensor(
        'string',
        rows.map(({ colour }) => colour!),
        [rows.length, 1],
      ),
      price: column(({ price }) => readNumber(price!, '.')!.value),
      sold: column(({ sold }) => readDate(sold!, 'ymd')!),
    });
    const numbers = (await probabilities!.getData()) as Float32Array;
    expectSame(rows.map((_, i) => numbers[2 * i + 1]!));
    await session.release();
  });
});
