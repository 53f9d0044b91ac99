import { describe, expect, it } from 'vitest';
import { ModelFileError } from '../src/core/errors.ts';
import { halfBits, halfValue, LARGEST_HALF } from '../src/core/float16.ts';
import { dense, halfDense, randomDense } from '../src/layers/dense.ts';
import { modelParameters, modelSize, sequential } from '../src/model/model.ts';
import { readModel } from '../src/model/safetensors.ts';
import { saveModel } from '../src/model/save.ts';

const layers = [
  halfDense({ units: 5, weights: 'binary', activation: 'gelu' }),
  randomDense({ units: 4 }),
  dense({ units: 3 }),
];
const model = sequential(layers, { input: [2, 3], seed: 2n ** 63n + 5n });
for (const values of model.parameters.values()) values.set(values.map((_, i) => Math.sin(i) * 1e3));
const file = saveModel(model);

/** A file with another header. */
function withHeader(change: (header: Record<string, Record<string, unknown>>) => void, of = file): Uint8Array {
  const length = Number(new DataView(of.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(of.subarray(8, 8 + length)));
  change(header);
  const json = new TextEncoder().encode(JSON.stringify(header));
  const out = new Uint8Array(8 + json.length + of.length - 8 - length);
  new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
  out.set(json, 8);
  out.set(of.subarray(8 + length), 8 + json.length);
  return out;
}

describe('saveModel and readModel', () => {
  it('keep everything', () => {
    const read = readModel(file);
    expect(read).toEqual(model);
    expect(saveModel(read)).toEqual(file);
  });

  it('write what safetensors says: aligned data, contiguous offsets, F32', () => {
    const length = Number(new DataView(file.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
    let at = 0;
    for (const [name, entry] of Object.entries(header) as [string, { data_offsets: number[]; dtype: string }][]) {
      if (name === '__metadata__') {
        for (const value of Object.values(entry)) expect(typeof value).toBe('string');
        continue;
      }
      expect(entry.dtype).toBe('F32');
      expect(entry.data_offsets[0]).toBe(at);
      at = entry.data_offsets[1]!;
    }
    expect(8 + length + at).toBe(file.length);
  });

  it('are small: two numbers a half unit', () => {
    const small = sequential([halfDense({ units: 1024 }), dense({ units: 10 })], { input: [784] });
    const { trainedParameters, regeneratedWeights } = modelSize(small);
    expect(trainedParameters).toBe(2 * 1024 + 1024 * 10 + 10);
    expect(regeneratedWeights).toBe(784 * 1024);
    expect(saveModel(small).length).toBeLessThan(4 * trainedParameters + 1024);
  });
});

describe('F16', () => {
  it('holds every half, and rounds to the nearest, ties to even', () => {
    for (let bits = 0; bits < 2 ** 16; bits++) {
      const value = halfValue(bits);
      const infinite = ((bits >> 10) & 31) === 31;
      expect(Number.isNaN(value)).toBe(infinite);
      if (!infinite && value !== 0) expect(halfBits(value)).toBe(bits);
    }
    expect(halfBits(LARGEST_HALF)).toBe(0x7bff);
    // Between two neighbours, below and above the middle; the middle itself goes to the even one.
    for (let bits = 1; bits < 0x7bff; bits += 7) {
      const [low, high] = [halfValue(bits), halfValue(bits + 1)];
      expect(halfBits(low + 0.499 * (high - low))).toBe(bits);
      expect(halfBits(low + 0.501 * (high - low))).toBe(bits + 1);
      expect(halfBits((low + high) / 2)).toBe(bits + (bits % 2));
    }
  });

  it('takes half the bytes and keeps 11 bits', () => {
    const half = saveModel(model, { dtype: 'F16' });
    const read = readModel(half);
    // Vectors may stay F32.
    const vectors = modelParameters(model).filter(({ shape }) => shape.length === 1);
    const numbers = vectors.reduce((sum, { name }) => sum + model.parameters.get(name)!.length, 0);
    expect(half.length).toBeLessThan(file.length - 2 * (modelSize(model).storedNumbers - numbers) + 32);
    for (const [name, values] of model.parameters) {
      for (const [i, value] of values.entries()) {
        expect(Math.abs(read.parameters.get(name)![i]! - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -11);
      }
    }
    expect(saveModel(read, { dtype: 'F16' })).toEqual(half);
  });

  it('keeps a vector of large numbers as it is, and refuses a matrix of them', () => {
    const bias = Float32Array.of(1, 65520, 2);
    const large = { ...model, parameters: new Map(model.parameters).set('layers.2.b', bias) };
    expect(readModel(saveModel(large, { dtype: 'F16' })).parameters.get('layers.2.b')).toEqual(bias);
    const name = modelParameters(model).find(({ shape }) => shape.length > 1)!.name;
    const matrix = model.parameters.get(name)!.map((value, i) => (i === 0 ? 65520 : value));
    const larger = { ...model, parameters: new Map(model.parameters).set(name, matrix) };
    expect(() => saveModel(larger, { dtype: 'F16' })).toThrow(/at most 65504 for F16, got 65520/);
  });
});

describe('I8', () => {
  const saved = saveModel(model, { dtype: 'I8' });
  const isMatrix = (name: string) => modelParameters(model).find((spec) => spec.name === name)!.shape.length > 1;

  it('holds matrices as integers with a scale a column, each off by half of that at most; the rest as F16', () => {
    const read = readModel(saved);
    expect([...read.parameters.keys()]).toEqual([...model.parameters.keys()]);
    for (const { name, shape } of modelParameters(model)) {
      const [values, got] = [model.parameters.get(name)!, read.parameters.get(name)!];
      const columns = shape.at(-1)!;
      for (const [i, value] of values.entries()) {
        const column = values.filter((_, j) => j % columns === i % columns);
        const largest = column.reduce((most, other) => Math.max(most, Math.abs(other)), 0);
        const bound = isMatrix(name) ? (largest / 254) * (1 + 1e-5) : Math.abs(value) * 2 ** -11;
        expect(Math.abs(got[i]! - value)).toBeLessThanOrEqual(bound);
      }
    }
    expect(saveModel(read, { dtype: 'I8' })).toEqual(saved);
  });

  it('takes about a byte a number', () => {
    const large = sequential([halfDense({ units: 64 }), dense({ units: 32 })], { input: [784] });
    const sizes = (['F32', 'F16', 'I8'] as const).map((dtype) => saveModel(large, { dtype }).length);
    const { storedNumbers } = modelSize(large);
    expect(sizes[0]! - sizes[2]!).toBeGreaterThan(2.6 * storedNumbers - 128);
    expect(sizes[2]).toBeLessThan(sizes[1]!);
  });

  it('holds a column of zeros', () => {
    const zeros = new Float32Array(model.parameters.get('layers.2.weight')!.length);
    const empty = { ...model, parameters: new Map(model.parameters).set('layers.2.weight', zeros) };
    expect(readModel(saveModel(empty, { dtype: 'I8' })).parameters.get('layers.2.weight')).toEqual(zeros);
  });

  it('refuses scales that are missing or of another shape', () => {
    const without = withHeader((h) => delete h['layers.2.weight.scale'], saved);
    expect(() => readModel(without)).toThrow(/one after another|'layers.2.weight.scale' of shape \[3\], got nothing/);
    const longer = withHeader((h) => (h['layers.2.weight.scale']!.shape = [9]), saved);
    expect(() => readModel(longer)).toThrow(/'layers.2.weight.scale' .* of shape \[3\], got 'F32' of shape \[9\]/);
  });
});

describe('readModel refuses', () => {
  it('every truncation', () => {
    for (let length = 0; length < file.length; length++) {
      expect(() => readModel(file.subarray(0, length)), `${length} bytes`).toThrow(ModelFileError);
    }
  });

  it.each<[string, Uint8Array, RegExp]>([
    [
      'another stream version',
      withHeader((h) => (h.__metadata__!.stream_version = '2')),
      /expected weight stream version 1, got '2'.*release/,
    ],
    ['another format', withHeader((h) => (h.__metadata__!.format = 'pt')), /expected format 'weightless'/],
    ['no metadata', withHeader((h) => delete h.__metadata__), /got a safetensors file without/],
    ['a bad seed', withHeader((h) => (h.__metadata__!.seed = '-1')), /seed as a decimal integer, got '-1'/],
    ['a seed past 64 bits', withHeader((h) => (h.__metadata__!.seed = '99999999999999999999')), /seed/],
    ['unknown layers', withHeader((h) => (h.__metadata__!.layers = '[{"kind":"conv"}]')), /layer 0/],
    [
      'monstrous layers',
      withHeader((h) => (h.__metadata__!.layers = '[{"kind":"dense","units":1000000000,"activation":"relu"}]')),
      /numbers/,
    ],
    [
      'an object that is no text',
      withHeader((h) => (h['layers.0.u']!.dtype = { toString: 1 })),
      /expected tensor 'layers.0.u' to have a dtype and a shape, got \{"toString":1\}/,
    ],
    ['a missing tensor', withHeader((h) => delete h['layers.0.u']), /one after another, without gaps or shared bytes/],
    [
      'an extra tensor',
      withHeader((h) => (h.other = { dtype: 'F32', shape: [0], data_offsets: [0, 0] })),
      /got also 'other'/,
    ],
    ['a tensor that is none', withHeader((h) => (h.other = {})), /expected tensor 'other' to have data_offsets/],
    [
      'another shape',
      withHeader((h) => (h['layers.0.u']!.shape = [6])),
      /'layers.0.u' as F32 or F16 or I8 of shape \[5\], got 'F32' of shape \[6\]/,
    ],
    ['another dtype', withHeader((h) => (h['layers.0.u']!.dtype = 'BF16')), /got 'BF16'/],
    ['another size', withHeader((h) => (h['layers.0.u']!.dtype = 'F16')), /to take 10 bytes/],
    ['offsets past the end', withHeader((h) => (h['layers.0.u']!.data_offsets = [1e6, 1e6 + 20])), /without gaps/],
    ['negative offsets', withHeader((h) => (h['layers.0.u']!.data_offsets = [-20, 0])), /offsets/],
    ['no JSON', new Uint8Array([4, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]), /expected header to be JSON/],
    ['a huge header', new Uint8Array([255, 255, 255, 255, 255, 255, 255, 255, 1]), /header of at most/],
  ])('%s', (_, bytes, message) => {
    expect(() => readModel(bytes)).toThrow(ModelFileError);
    expect(() => readModel(bytes)).toThrow(message);
  });

  it('NaN in a tensor', () => {
    const bad = file.slice();
    new DataView(bad.buffer).setFloat32(bad.length - 4, Number.NaN, true);
    expect(() => readModel(bad)).toThrow(/expected finite numbers, got NaN in tensor 'layers.2.b' at 2/);
  });
});
