/** What callers hand to models, predictions and training: taken as it is meant, or refused by name. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { DataError, DivergedError, LoadError, ModelFileError, OptionError, ShapeError } from '../src/core/errors.ts';
import { dataSet } from '../src/data/dataset.ts';
import { dense, halfDense } from '../src/layers/dense.ts';
import { type Model, sequential } from '../src/model/model.ts';
import { readModel } from '../src/model/safetensors.ts';
import { saveModel } from '../src/model/save.ts';
import { createContext } from '../src/open.ts';
import { loadModel, type ModelSource } from '../src/predict/load.ts';
import { createPredictor } from '../src/predict/predictor.ts';
import { softmax } from '../src/predict/softmax.ts';
import { evaluate } from '../src/train/evaluate.ts';
import { fit } from '../src/train/fit.ts';
import type { FitOptions } from '../src/train/options.ts';
import { testContext } from './gpu.ts';

const cpu = await createContext({ backend: 'cpu', threads: 1 });
const gpu = await testContext();
const folder = mkdtempSync(join(tmpdir(), 'weightless-borders-'));
afterAll(() => {
  cpu.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const model = sequential([halfDense({ units: 6 }), dense({ units: 3 })], { input: [4], seed: 1 });
const features = Float32Array.from({ length: 80 }, (_, i) => Math.sin(i));
const data = dataSet({ features, shape: [4], labels: Array.from({ length: 20 }, (_, i) => i % 3) });
const copy = (): Model => readModel(saveModel(model));
async function reports(context: typeof cpu, options: FitOptions, set = data, trained = copy()) {
  const all = [];
  for await (const report of fit(context, trained, set, { epochs: 2, batchSize: 8, ...options })) all.push(report);
  return all;
}

describe.each([
  ['cpu', cpu],
  ['webgpu', gpu],
])('on %s', (_, context) => {
  it('predict takes bytes as dataSet does, and other arrays of numbers as they are', async () => {
    const predictor = await createPredictor(context, model);
    const bytes = Uint8Array.of(0, 51, 102, 255);
    const floats = Float32Array.from(bytes, (byte) => Math.fround(byte * Math.fround(1 / 255)));
    const want = await predictor.predict(floats);
    expect(await predictor.predict(bytes)).toEqual(want);
    expect(await predictor.predict([...floats])).toEqual(want);
    expect(await predictor.predict(Float64Array.from(floats))).toEqual(want);
    const whole = await predictor.predict(Int32Array.of(0, 1, 2, 3));
    expect(whole).toEqual(await predictor.predict([0, 1, 2, 3]));
    await expect(predictor.predict(Uint8ClampedArray.from(bytes))).rejects.toThrow(/getImageData/);
    await predictor.dispose();
  });

  it('predict rejects, and never throws at once', async () => {
    const predictor = await createPredictor(context, model);
    for (const wrong of [
      null,
      undefined,
      7,
      'abcd',
      {},
      [],
      [1],
      ['1', '2', '3', '4'],
      [1, 2, 3, Number.NaN],
      [1e39, 1, 1, 1],
    ]) {
      const called = predictor.predict(wrong as never);
      expect(called).toBeInstanceOf(Promise);
      await expect(called).rejects.toThrow(DataError);
    }
    for (const rows of [0, -1, 1.5, Number.NaN]) await expect(predictor.prepare(rows)).rejects.toThrow(DataError);
    await predictor.dispose();
    const late = predictor.predict([1, 2, 3, 4]);
    await expect(late).rejects.toThrow(/disposed/);
  });

  it('parameters of another type or length are refused', async () => {
    for (const wrong of [new Float64Array(6), new Float32Array(5), [1, 2, 3, 4, 5, 6], undefined]) {
      const broken = copy();
      broken.parameters.set('layers.0.u', wrong as never);
      const message = /expected 'layers.0.u' as a Float32Array of 6 numbers, got/;
      await expect(createPredictor(context, broken)).rejects.toThrow(message);
      await expect(reports(context, {}, data, broken)).rejects.toThrow(message);
      await expect(evaluate(context, broken, data)).rejects.toThrow(ShapeError);
    }
  });

  it('targets of any array type train to the same numbers', async () => {
    const values = [100, 101, 102, 103];
    const regression = sequential([dense({ units: 1 })], { input: [1], seed: 3 });
    const losses = [];
    for (const targets of [Float32Array.from(values), Float64Array.from(values), Int32Array.from(values), values]) {
      const set = dataSet({ features: [0, 1, 2, 3], shape: [1], targets });
      losses.push((await reports(context, {}, set, readModel(saveModel(regression)))).map(({ loss }) => loss));
    }
    expect(losses[0]![0]).toBeGreaterThan(9000);
    for (const other of losses.slice(1)) expect(other).toEqual(losses[0]);
  });

  it('a regression has no accuracy', async () => {
    const set = dataSet({ features: [0, 1, 2, 3], shape: [1], targets: [1, 2, 3, 4] });
    const regression = sequential([dense({ units: 1 })], { input: [1], seed: 3 });
    for (const loss of ['meanSquaredError', 'huber'] as const) {
      for (const report of await reports(context, { validation: set, loss }, set, readModel(saveModel(regression)))) {
        expect([report.accuracy, report.validation?.accuracy]).toEqual([Number.NaN, Number.NaN]);
      }
      expect((await evaluate(context, regression, set, { loss })).accuracy).toBeNaN();
    }
  });

  it('a training that diverges says so, and keeps the parameters of the last epoch', async () => {
    const trained = copy();
    const before = new Map(trained.parameters);
    const options = { optimizer: { kind: 'sgd' as const }, learningRate: 1e25, calibrate: false };
    await expect(reports(context, options, data, trained)).rejects.toThrow(DivergedError);
    for (const [name, values] of before) expect(trained.parameters.get(name)).toEqual(values);
    expect(() => readModel(saveModel(trained))).not.toThrow();
  });

  it('an optimizer has defaults for what is left out', async () => {
    const whole = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const;
    const [a, b, c] = [{ kind: 'adam' } as const, whole, undefined];
    const all = [];
    for (const optimizer of [a, b, c])
      all.push((await reports(context, optimizer ? { optimizer } : {})).map(({ loss }) => loss));
    expect(all[1]).toEqual(all[0]);
    expect(all[2]).toEqual(all[0]);
  });
});

describe('memory', () => {
  it('batches of 1 to 64 rows, once each, leave that of a few', async () => {
    const before = gpu.memory.bytes;
    const predictor = await createPredictor(gpu, model);
    for (let rows = 1; rows <= 64; rows++) await predictor.predict(new Float32Array(4 * rows));
    const large = gpu.memory.bytes - before;
    for (const rows of [61, 62, 63, 64]) await predictor.predict(new Float32Array(4 * rows));
    await gpu.settle();
    expect(large).toBeLessThan(64 * 1024);
    await predictor.dispose();
    await gpu.settle();
    expect(gpu.memory.bytes).toBe(before);
  });
});

describe('options', () => {
  const good: Record<string, unknown> = {
    epochs: 1,
    batchSize: 4,
    optimizer: { kind: 'sgd', momentum: 0.5 },
    learningRate: 0.1,
    loss: 'crossEntropy',
    seed: 1,
    calibrate: false,
    prefixBudget: 0,
  };
  const misspelt = (name: string) => fc.constantFrom(`${name}s`, name.slice(1), name.toUpperCase(), `${name} `);

  it('a name that is misspelt is refused by name', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(good)).chain((name) => fc.tuple(fc.constant(name), misspelt(name))),
        async ([name, wrong]) => {
          const { [name]: value, ...rest } = good;
          await expect(reports(cpu, { ...rest, [wrong]: value } as FitOptions)).rejects.toThrow(OptionError);
          await expect(reports(cpu, { ...rest, [wrong]: value } as FitOptions)).rejects.toThrow(`'${wrong}'`);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('a value of another type is refused by name', async () => {
    const wrongs = fc.constantFrom<unknown>('text', Symbol('s'), [], null, { wrong: 1 }, Number.NaN, -1, 1.5, true);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.keys(good)), wrongs, async (name, value) => {
        if (name === 'calibrate' && value === true) return;
        if (
          ['learningRate', 'prefixBudget', 'seed'].includes(name) &&
          typeof value === 'number' &&
          !Number.isNaN(value)
        )
          return;
        const failed = await reports(cpu, { ...good, [name]: value } as FitOptions).then(
          () => undefined,
          (error: Error) => error,
        );
        expect(failed, `${name}: ${String(value)}`).toBeInstanceOf(Error);
        expect(failed!.constructor.name).toMatch(/^(OptionError|ShapeError|RangeError)$/);
        expect(failed!.message.toLowerCase()).toContain(name.toLowerCase());
      }),
      { numRuns: 150 },
    );
  });

  it.each<[string, FitOptions, RegExp]>([
    [
      'an unknown loss',
      { loss: 'mse' as never },
      /expected loss to be one of crossEntropy, meanSquaredError.*; got 'mse'/,
    ],
    [
      'an unknown optimizer',
      { optimizer: { kind: 'adagrad' } as never },
      /expected optimizer.kind to be one of adam, sgd; got 'adagrad'/,
    ],
    [
      'an unknown number of an optimizer',
      { optimizer: { kind: 'sgd', beta1: 0.5 } as never },
      /unknown option optimizer.beta1. Expected only kind, momentum/,
    ],
    [
      'a number out of range',
      { optimizer: { kind: 'adam', beta1: 1 } },
      /expected optimizer.beta1 to be 0 or more and below 1, got 1/,
    ],
  ])('%s', async (_, options, message) => {
    await expect(reports(cpu, options)).rejects.toThrow(OptionError);
    await expect(reports(cpu, options)).rejects.toThrow(message);
    if (options.loss) await expect(evaluate(cpu, model, data, options as never)).rejects.toThrow(message);
  });

  it('evaluate checks its own', async () => {
    await expect(evaluate(cpu, model, data, { batchsize: 1 } as never)).rejects.toThrow(OptionError);
    await expect(evaluate(cpu, model, data, { batchSize: 0 })).rejects.toThrow(
      /expected batchSize of 1 or more, got 0/,
    );
  });

  it('softmax takes any array of numbers, and leaves it as it is', () => {
    const logits = Float32Array.of(1, 2);
    const want = softmax(logits, 2);
    expect(want[0]).toBeCloseTo(1 / (1 + Math.E), 6);
    expect(logits).toEqual(Float32Array.of(1, 2));
    for (const same of [Int32Array.of(1, 2), Uint8Array.of(1, 2), Float64Array.of(1, 2), [1, 2]]) {
      expect(softmax(same, 2)).toEqual(want);
    }
    for (const wrong of [undefined, null, 'ab', [1, 'x']]) expect(() => softmax(wrong as never, 2)).toThrow(DataError);
  });

  it('softmax takes whole rows of classes', () => {
    expect(() => softmax(new Float32Array(10), 3)).toThrow(/expected rows of 3 classes, got 10 logits/);
    for (const classes of [0, -1, 1.5, Number.NaN, undefined])
      expect(() => softmax(new Float32Array(10), classes as never)).toThrow(DataError);
  });
});

describe('loadModel', () => {
  const bytes = saveModel(model);
  const path = join(folder, 'model.safetensors');
  writeFileSync(path, bytes);
  const response = (body: BodyInit | null, init?: ResponseInit) => new Response(body, init);

  it.each<[string, () => ModelSource]>([
    ['an ArrayBuffer', () => bytes.buffer],
    ['a view of a larger buffer', () => Uint8Array.of(9, ...bytes, 9).subarray(1, 1 + bytes.length)],
    ['a DataView', () => new DataView(bytes.buffer)],
    ['a Blob', () => new Blob([bytes])],
    ['a File', () => new File([bytes], 'model.safetensors')],
    ['a Response', () => response(bytes)],
    ['a path', () => path],
    ['a file: URL', () => pathToFileURL(path)],
    ['a file: URL as text', () => pathToFileURL(path).href],
    ['a data: URL', () => `data:application/octet-stream;base64,${Buffer.from(bytes).toString('base64')}`],
  ])('reads %s', async (_, source) => {
    const predictor = await loadModel(Promise.resolve(cpu), source());
    expect(predictor.model.parameters.get('layers.0.u')).toEqual(model.parameters.get('layers.0.u'));
    await predictor.dispose();
  });

  it.each<[string, () => unknown, new (...args: never[]) => Error, RegExp]>([
    ['null', () => null, LoadError, /expected a model file, its address or its bytes, got Null/],
    ['nothing', () => undefined, LoadError, /got Undefined/],
    ['a number', () => 7, LoadError, /got Number/],
    ['an empty body', () => response(''), ModelFileError, /expected 8 bytes or more .*got 0/],
    ['no body', () => response(null), ModelFileError, /got 0/],
    [
      'a status',
      () => response('no', { status: 404, statusText: 'Not Found' }),
      LoadError,
      /got HTTP status 404 Not Found/,
    ],
    [
      'a path that is not there',
      () => join(folder, 'missing'),
      LoadError,
      /missing: expected a model file, could not read it: ENOENT/,
    ],
    ['an address that nobody answers', () => 'http://127.0.0.1:9/m', LoadError, /could not read it/],
  ])('refuses %s', async (_, source, type, message) => {
    const failed = await loadModel(cpu, source() as never).catch((error: Error) => error);
    expect(failed).toBeInstanceOf(type);
    expect((failed as Error).message).toMatch(message);
  });

  it('stops reading what is no model, or ends nowhere', async () => {
    await expect(loadModel(cpu, '/dev/zero')).rejects.toThrow(ModelFileError);
    await expect(loadModel(cpu, folder)).rejects.toThrow(/expected a model file, could not read it: EISDIR/);
    let given = 0;
    let ended = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (stream) => {
        given++;
        stream.enqueue(given === 1 ? bytes : new Uint8Array(2 ** 16));
      },
      cancel: () => {
        ended = true;
      },
    });
    await expect(loadModel(cpu, new Response(endless))).rejects.toThrow(/Something was added to the file/);
    expect(given).toBeLessThan(4);
    expect(ended).toBe(true);
  });

  it('refuses a body that was read before', async () => {
    const used = response(bytes);
    await used.arrayBuffer();
    await expect(loadModel(cpu, used)).rejects.toThrow(/its body was read before/);
  });
});

it('contexts may be promises', async () => {
  const opening = createContext({ backend: 'cpu', threads: 1 });
  const predictor = await createPredictor(opening, model);
  expect(await predictor.predict([1, 2, 3, 4])).toHaveLength(3);
  for await (const { epoch } of fit(opening, copy(), data, { epochs: 1 })) expect(epoch).toBe(1);
  expect((await evaluate(opening, model, data)).loss).toBeGreaterThan(0);
  (await opening).dispose();
});
