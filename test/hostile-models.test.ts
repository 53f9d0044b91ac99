/** Model files that ask for more than they hold, or hold something else: each is refused by name before anything is allocated, or answered. */
import { describe, expect, it } from 'vitest';
import { ModelFileError } from '../src/core/errors.ts';
import { registerEveryKind } from '../src/layers/every.ts';
import { parseJson } from '../src/model/container.ts';
import { readModel } from '../src/model/safetensors.ts';
import { createContext } from '../src/open.ts';
import { loadModel } from '../src/predict/load.ts';

registerEveryKind();

type Tensors = Record<string, unknown>;

/** A file of this header, with `bytes` behind it. */
function fileOf(metadata: Record<string, unknown>, tensors: Tensors = {}, bytes: Uint8Array = new Uint8Array()) {
  const whole = { format: 'weightless', format_version: '1', stream_version: '1', seed: '0', ...metadata };
  const json = new TextEncoder().encode(JSON.stringify({ __metadata__: whole, ...tensors }));
  const file = new Uint8Array(8 + json.length + bytes.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  file.set(bytes, 8 + json.length);
  return file;
}

const model = (input: number[], layers: object[], tensors?: Tensors, bytes?: Uint8Array) =>
  fileOf({ input: JSON.stringify(input), layers: JSON.stringify(layers) }, tensors, bytes);

/** F32 vectors of zeros, one after another. */
function vectors(sizes: Record<string, number>): [Tensors, Uint8Array] {
  let at = 0;
  const tensors: Tensors = {};
  for (const [name, size] of Object.entries(sizes)) {
    tensors[name] = { dtype: 'F32', shape: [size], data_offsets: [at, at + 4 * size] };
    at += 4 * size;
  }
  return [tensors, new Uint8Array(at)];
}

const conv = (fields: object) => ({
  kind: 'halfConv',
  weights: 'normal',
  trained: true,
  channels: 1,
  kernel: [1, 1],
  stride: [1, 1],
  padding: [0, 0],
  dilation: [1, 1],
  activation: 'relu',
  ...fields,
});
const half = (fields: object) => ({
  kind: 'half',
  units: 1,
  weights: 'normal',
  activation: 'relu',
  trained: true,
  ...fields,
});
const scaleAndBias = vectors({ 'layers.0.u': 1, 'layers.0.b': 1 });
const nested = (depth: number): object =>
  depth ? { kind: 'residual', layers: [nested(depth - 1)] } : { kind: 'flatten' };

const tooMuch =
  /expected a prediction of at most \d+ (numbers in memory|multiply-adds), its layers take \d+.*raise the limit/;

describe('work and memory without stored data', () => {
  it.each<[string, Uint8Array]>([
    ['global pool over 2^26 inputs', model([2 ** 26, 1], [{ kind: 'globalPool' }])],
    [
      'a border that makes 2^25 outputs',
      model([28, 28], [conv({ padding: [2900, 2900] }), { kind: 'globalPool' }], ...scaleAndBias),
    ],
    [
      'a kernel of 16,001 x 16,001',
      model([28, 28], [conv({ kernel: [16001, 16001], padding: [8000, 8000] })], ...scaleAndBias),
    ],
    [
      'a border of 8,192 under a stride that skips it',
      model([28, 28], [conv({ padding: [8192, 8192], stride: [4096, 4096] })], ...scaleAndBias),
    ],
    [
      'a pool of 16,384 x 16,384',
      model([16384, 16384], [{ kind: 'pool', pool: 'max', size: [16384, 16384], stride: [1, 1] }]),
    ],
    ['overlapping pools', model([2048, 2048], [{ kind: 'pool', pool: 'max', size: [512, 512], stride: [1, 1] }])],
    ['filters: few outputs, many weights', model([4096, 4096], [conv({ kernel: [4096, 4096] })], ...scaleAndBias)],
    ['2^31 inputs', model([2 ** 16, 2 ** 15], [half({})], ...scaleAndBias)],
    ['sizes whose product is beyond f64', model(Array(8).fill(2 ** 30), [{ kind: 'flatten' }])],
  ])('%s', (_, file) => {
    const before = process.memoryUsage().rss;
    const started = performance.now();
    expect(() => readModel(file)).toThrow(ModelFileError);
    expect(() => readModel(file)).toThrow(tooMuch);
    expect(performance.now() - started).toBeLessThan(500);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20);
  });

  it('is allowed where the caller raises the limit', () => {
    const file = model([4096, 4096], [{ kind: 'globalPool' }]);
    expect(() => readModel(file)).toThrow(/\{ limits: \{ numbers: 16789506 \} \}/);
    expect(readModel(file, { limits: { numbers: 2 ** 25 } }).input).toEqual([4096, 4096]);
  });

  it('is bounded for loadModel as well, which passes the limits on', async () => {
    const context = await createContext({ backend: 'cpu', threads: 1 });
    const file = model([4096, 4097], [{ kind: 'globalPool' }]);
    await expect(loadModel(context, file)).rejects.toThrow(tooMuch);
    const predictor = await loadModel(context, file, { limits: { numbers: 2 ** 25 } });
    await predictor.dispose();
    context.dispose();
  });

  it.each<[string, number[], object[]]>([
    ['windows of a pixel', [1830, 1830], [conv({})]],
    ['pools of a pixel', [2045, 2045], [{ kind: 'pool', pool: 'max', size: [1, 1], stride: [1, 1] }]],
    ['overlapping pools', [485, 485], [{ kind: 'pool', pool: 'max', size: [32, 32], stride: [1, 1] }]],
    ['one wide filter', [605, 605], [conv({ kernel: [31, 31], padding: [15, 15] })]],
    ['all pixels', [1365, 4090], [{ kind: 'globalPool' }]],
  ])('is 2 s and 256 MiB at most where the limits just allow it: %s', async (_, input, layers) => {
    const context = await createContext({ backend: 'cpu', threads: 1 });
    const file = model(input, layers, ...(layers.some((layer) => 'channels' in layer) ? scaleAndBias : vectors({})));
    const [{ user }, before] = [process.cpuUsage(), process.memoryUsage().rss];
    const predictor = await loadModel(context, file);
    expect((await predictor.predict(new Float32Array(input[0]! * input[1]!))).length).toBeGreaterThan(0);
    expect((process.cpuUsage().user - user) / 1e6).toBeLessThan(2);
    expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(256);
    await predictor.dispose();
    context.dispose();
  });

  it('counts orthogonal weights as the transforms that they are', () => {
    const [tensors, bytes] = vectors({ 'layers.0.u': 65536, 'layers.0.b': 65536 });
    const large = half({ units: 65536, weights: 'orthogonal' });
    expect(readModel(model([65536], [large], tensors, bytes)).layers).toEqual([large]);
  });
});

describe('what the stream does not define', () => {
  it('refuses orthogonal weights over more than 65,536 inputs', () => {
    const file = model([65537], [half({ weights: 'orthogonal' })], ...scaleAndBias);
    expect(() => readModel(file)).toThrow(
      /layer 0 \(half\): expected at most 65536 inputs for 'orthogonal' weights, got 65537/,
    );
  });

  it('refuses fan-ins beyond 2^32', () => {
    const file = model([2 ** 17, 2 ** 16], [half({})], ...scaleAndBias);
    expect(() => readModel(file)).toThrow(/expected at most 4294967296 inputs for 'normal' weights, got 8589934592/);
  });
});

describe('what the file holds', () => {
  const plain = { input: '[2]', layers: '[{"kind":"flatten"}]' };
  const [tensors, bytes] = vectors({ 'layers.0.u': 2, 'layers.0.b': 2 });
  const two = model([2], [half({ units: 2 })], tensors, bytes);
  const text = (text: string) => new TextEncoder().encode(text);
  it.each<[string, Uint8Array, RegExp]>([
    [
      'tensors that share bytes',
      model([2], [half({ units: 2 })], { ...tensors, 'layers.0.b': tensors['layers.0.u'] }, new Uint8Array(8)),
      /expected tensors one after another, without gaps or shared bytes; 'layers.0.b' starts at byte 0/,
    ],
    [
      'a gap',
      model(
        [2],
        [half({ units: 2 })],
        { ...tensors, 'layers.0.b': { dtype: 'F32', shape: [2], data_offsets: [16, 24] } },
        new Uint8Array(24),
      ),
      /without gaps or shared bytes; 'layers.0.b' starts at byte 16 of the data and the one before it ends at 8/,
    ],
    ['bytes behind the last tensor', Uint8Array.of(...two, 0), /expected \d+ bytes, as its header says, got \d+/],
    [
      'a list as the seed',
      fileOf({ ...plain, seed: ['5'] }),
      /expected metadata.seed to be a string.*got \["5"\] \(object\)/,
    ],
    [
      'a number as the version',
      fileOf({ ...plain, format_version: 1 }),
      /expected metadata.format_version to be a string.*got 1 \(number\)/,
    ],
    [
      'a number as the stream version',
      fileOf({ ...plain, stream_version: 1 }),
      /expected metadata.stream_version to be a string/,
    ],
    ['no sizes', fileOf({ ...plain, input: '[]' }), /expected metadata.input to be a list of sizes/],
    ['layers nested 9 deep', model([4], [nested(9)]), /expected layers nested at most 8 deep/],
    [
      'a Git LFS pointer',
      text('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n'),
      /got a Git LFS pointer/,
    ],
    ['a gzip file', Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0), /got a gzip file/],
    ['a ZIP file', text('PK\u0003\u0004 and more'), /got a ZIP file/],
    ['a page', text('\n<!DOCTYPE html><title>404</title>'), /got an HTML page/],
  ])('%s', (_, file, message) => {
    expect(() => readModel(file)).toThrow(ModelFileError);
    expect(() => readModel(file)).toThrow(message);
  });

  it.each([
    ['empty lists', `[${'[],'.repeat(5e6)}[]]`],
    ['lists in lists', `${'['.repeat(8e6)}${']'.repeat(8e6)}`],
    ['objects', `[${'{"":0},'.repeat(2e6)}0]`],
    ['numbers', `[${'0,'.repeat(8e6)}0]`],
    ['names', `{${Array.from({ length: 1e6 }, (_, i) => `"${i}":0`).join()}}`],
  ])('%s that fill a header of 16 MiB, before they are parsed', (_, json) => {
    const file = new Uint8Array(8 + json.length);
    new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
    new TextEncoder().encodeInto(json, file.subarray(8));
    const [started, { heapUsed }] = [performance.now(), process.memoryUsage()];
    expect(() => readModel(file)).toThrow(/expected header to have at most 262144 commas, colons and brackets/);
    expect(performance.now() - started).toBeLessThan(2000);
    expect(process.memoryUsage().heapUsed - heapUsed).toBeLessThan(2 ** 27);
  });
  it('more than 4096 layers', () => {
    const flat = (count: number) => model([1], [...new Array(count).fill({ kind: 'flatten' })]);
    expect(readModel(flat(4096)).layers).toHaveLength(4096);
    expect(() => readModel(flat(4097))).toThrow(/expected at most 4096 layers, got 4097/);
  });
  it('commas and brackets in texts do not count', () => {
    const note = `"${',:[{'.repeat(1e5)}\\"`;
    const read = parseJson('file', 'note', JSON.stringify({ note }), 2);
    expect(read).toEqual({ note });
    expect(parseJson('file', 'note', '[1,2]', 2)).toEqual([1, 2]);
    expect(() => parseJson('file', 'note', '[1,2,3]', 2)).toThrow(/expected note to have at most 2 commas/);
    expect(() => parseJson('file', 'note', '[[[[]]]]', 2)).toThrow(/got more/);
  });
  it('I8 numbers that are infinite once they are scaled', () => {
    const data = new Uint8Array(7);
    const view = new DataView(data.buffer);
    view.setInt8(0, 127);
    view.setFloat32(1, 3e38, true);
    const stored = {
      'layers.0.weight': { dtype: 'I8', shape: [1, 1], data_offsets: [0, 1] },
      'layers.0.weight.scale': { dtype: 'F32', shape: [1], data_offsets: [1, 5] },
      'layers.0.b': { dtype: 'F16', shape: [1], data_offsets: [5, 7] },
    };
    const file = model([1], [{ kind: 'dense', units: 1, activation: 'identity' }], stored, data);
    expect(() => readModel(file)).toThrow(/expected finite numbers, got Infinity in tensor 'layers.0.weight' at 0/);
    view.setFloat32(1, 2, true);
    const fine = model([1], [{ kind: 'dense', units: 1, activation: 'identity' }], stored, data);
    expect(readModel(fine).parameters.get('layers.0.weight')).toEqual(Float32Array.of(254));
  });

  it('escapes what it quotes, and cuts it', () => {
    const hostile = `\u001b]0;owned\u0007\u009b2J${'x'.repeat(900_000)}`;
    for (const file of [
      fileOf({ ...plain, format: hostile }),
      fileOf(plain, { [hostile]: {} }),
      fileOf({ ...plain, layers: JSON.stringify([{ kind: hostile }]) }),
      fileOf({ ...plain, input: JSON.stringify([hostile]) }),
    ]) {
      try {
        readModel(file);
        expect.unreachable();
      } catch (error) {
        const { message } = error as Error;
        expect(error).toBeInstanceOf(ModelFileError);
        expect(message.length).toBeLessThan(1000);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
        expect(message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      }
    }
  });
});
