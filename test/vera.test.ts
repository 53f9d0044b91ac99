/** Dense layers with a VeRA adapter: the formula, gradients, training, files. */
import { describe, expect, it } from 'vitest';
import { residual, vera, withVera } from '../src/convolution.ts';
import { ModelFileError, ShapeError } from '../src/core/errors.ts';
import { dataSet } from '../src/data/dataset.ts';
import { dense, halfDense } from '../src/layers/dense.ts';
import type { VeraSpec } from '../src/layers/specs.ts';
import { type Container, readContainer } from '../src/model/container.ts';
import { type Model, modelParameters, modelSize, sequential } from '../src/model/model.ts';
import { readModel } from '../src/model/safetensors.ts';
import { saveModel } from '../src/model/save.ts';
import { writeContainer } from '../src/model/write-container.ts';
import { createContext } from '../src/open.ts';
import { createPredictor } from '../src/predict/predictor.ts';
import { activate } from '../src/reference/activation.ts';
import { fit } from '../src/train/fit.ts';
import type { FitOptions } from '../src/train/options.ts';
import { integerWeights, weightScale } from '../src/weights/distributions.ts';
import { expectClose, expectSame } from './compare.ts';
import { testContext } from './gpu.ts';
import { worstGradientError } from './gradients.ts';
import { numbers } from './kernels/harness.ts';
import { stepsOfReference } from './reference-training.ts';

const backends = [
  ['WebGPU', testContext],
  ['the CPU', () => createContext({ backend: 'cpu', threads: 1 })],
] as const;

const parameter = (model: Model, name: string) => model.parameters.get(name)!;

/** A model whose d and b are no longer those of the start. */
function moved(model: Model): Model {
  for (const name of model.parameters.keys()) {
    if (/\.[db]$/.test(name))
      model.parameters.set(
        name,
        parameter(model, name).map((value, i) => value + 0.3 * Math.sin(3 * i + 1)),
      );
  }
  return model;
}

/** The formula, number by number, with matrices out of the stream: no graph. */
function layerTwin(model: Model, index: number, x: readonly number[]): number[] {
  const { units, rank, weights: distribution, activation } = model.layers[index] as VeraSpec;
  const matrix = (tensor: number, columns: number, rows: number) => {
    const integers = integerWeights({ seed: model.seed, tensor, distribution }, [0, columns], [0, rows]);
    const scale = weightScale(distribution, columns);
    return (row: number, column: number) => scale * integers[column * rows + row]!;
  };
  const [A, B] = [matrix(0xe0000000, x.length, rank), matrix(0xe0000001, rank, units)];
  const of = (name: string) => parameter(model, `layers.${index}.${name}`);
  const low = Array.from(
    { length: rank },
    (_, r) => of('d')[r]! * x.reduce((sum, value, k) => sum + value * A(r, k), 0),
  );
  return Array.from({ length: units }, (_, n) => {
    const base = x.reduce((sum, value, k) => sum + value * of('frozen.weight')[k * units + n]!, of('frozen.bias')[n]!);
    return activate(activation, base + of('b')[n]! * low.reduce((sum, value, r) => sum + value * B(n, r), 0));
  });
}

const set = () =>
  dataSet({
    features: numbers(80 * 12, 4),
    shape: [12],
    labels: Uint32Array.from({ length: 80 }, (_, i) => i % 3),
  });

describe.each(backends)('on %s', (_, open) => {
  it('computes g(x W + c + b * (B (d * (A x)))), layer after layer', async () => {
    const layers = [vera({ units: 9, rank: 5, activation: 'relu' }), vera({ units: 4, rank: 3 })];
    const model = moved(sequential(layers, { input: [12], seed: 2 ** 40 + 7 }));
    const x = numbers(3 * 12, 6);
    const predictor = await createPredictor(await open(), model);
    const got = await predictor.predict(x);
    const want = [0, 1, 2].flatMap((row) =>
      layerTwin(model, 1, layerTwin(model, 0, [...x.subarray(12 * row, 12 * (row + 1))])),
    );
    expectClose(got, want, { absolute: 2e-6, relative: 2e-6, reason: 'sums in f32 of a dozen numbers of order 1' });
    await predictor.dispose();
  });

  it.each(['frozen', 'trained'] as const)('trains as the reference does, the base %s', async (base) => {
    const build = () =>
      moved(
        sequential([vera({ units: 8, rank: 4, activation: 'relu', base }), dense({ units: 3 })], {
          input: [12],
          seed: 3,
        }),
      );
    const trained = build();
    const optimizer = { kind: 'sgd', momentum: 0.9 } as const;
    const options: FitOptions = { epochs: 1, batchSize: 8, optimizer, learningRate: 0.05 };
    for await (const _ of fit(await open(), trained, set(), options));
    const steps = { batch: 8, steps: 10, optimizer, learningRate: 0.05 };
    const want = stepsOfReference(build(), set(), steps);
    for (const { name, trained: moves } of modelParameters(trained)) {
      expectClose(parameter(trained, name), want.get(name)!, { absolute: 1e-5, reason: 'ten steps in f32' }, name);
      if (moves) expect(parameter(trained, name), name).not.toEqual(parameter(build(), name));
      else expectSame(parameter(trained, name), parameter(build(), name), name);
    }
  });
});

it('has the gradients of difference quotients', () => {
  const adapted = (base: 'frozen' | 'trained') => vera({ units: 6, rank: 4, activation: 'tanh', base });
  for (const layers of [
    [adapted('frozen'), dense({ units: 3 })],
    [halfDense({ units: 7, activation: 'tanh' }), adapted('frozen'), adapted('trained'), vera({ units: 3, rank: 2 })],
  ]) {
    expect(worstGradientError(layers, [5], 'crossEntropy')).toBeLessThan(1e-6);
    expect(worstGradientError(layers, [5], 'meanSquaredError')).toBeLessThan(1e-6);
  }
});

it('a file of an earlier release, which also stores zeros, is read as one without', async () => {
  const layers = [vera({ units: 6, rank: 4, activation: 'relu' }), vera({ units: 3, rank: 2 })];
  const model = moved(sequential(layers, { input: [5], seed: 5 }));
  const file = saveModel(model);
  const { metadata, tensors } = readContainer('test', file, 2 ** 20) as Container;
  const held = [...tensors].map(
    ([name, { dtype, shape, from, to }]) => [name, dtype, shape, file.subarray(from, to)] as const,
  );
  const zeros = (name: string, size: number) => [name, 'F32', [size], new Uint8Array(4 * size)] as const;
  const old = [zeros('layers.0.frozen.zeros', 4), zeros('layers.0.frozen.zero', 1), zeros('layers.1.frozen.zeros', 2)];
  const read = readModel(writeContainer(metadata as Record<string, string>, [...held, ...old]));
  expect(read).toEqual(model);
  const stray = () =>
    readModel(writeContainer(metadata as Record<string, string>, [...held, zeros('layers.0.zero', 1)]));
  expect(stray).toThrow(/expected the tensors of its layers alone, got also 'layers.0.zero'/);
});

it('an adapted model answers as before, trains two vectors a layer, and leaves the model as it is', async () => {
  const context = await createContext({ backend: 'cpu', threads: 1 });
  const layers = [residual([dense({ units: 72, activation: 'relu' })]), dense({ units: 3 })];
  const model = moved(sequential(layers, { input: [72], seed: 5 }));
  const adapted = withVera(model, { rank: 4 });
  const x = numbers(2 * 72, 3);
  const answer = async (of: Model) => [...(await (await createPredictor(context, of)).predict(x))];
  expectSame(await answer(adapted), await answer(model));
  expect(modelSize(adapted).trainedParameters).toBe(4 + 72 + 4 + 3);
  expect(modelParameters(adapted).map(({ name }) => name)).toEqual([
    ...['frozen.weight', 'frozen.bias', 'd', 'b'].map((name) => `layers.1.${name}`),
    ...['frozen.weight', 'frozen.bias', 'd', 'b'].map((name) => `layers.2.${name}`),
  ]);
  moved(adapted);
  expect(await answer(adapted)).not.toEqual(await answer(model));
  // Half layers in front keep what was trained.
  const half = sequential([halfDense({ units: 9 }), dense({ units: 2 })], { input: [5], seed: 1 });
  half.parameters.get('layers.0.u')![3] = 7;
  expect(parameter(withVera(half, { rank: 2 }), 'layers.0.u')).toEqual(parameter(half, 'layers.0.u'));
  expect(() => withVera(half, { rank: 0 })).toThrow(ShapeError);
});

describe('a model file', () => {
  it('keeps every bit, and no random matrix', () => {
    const model = moved(
      sequential([vera({ units: 30, rank: 20, weights: 'uniform', activation: 'relu' })], { input: [40], seed: 9 }),
    );
    const file = saveModel(model);
    const read = readModel(file);
    expect(read).toEqual(model);
    const bytes = readModel(saveModel(model, { dtype: 'I8' })).parameters;
    const step = Math.max(...parameter(model, 'layers.0.frozen.weight').map(Math.abs)) / 127;
    const base = { absolute: 0.51 * step, reason: 'the base as bytes with a scale a column' };
    expectClose(bytes.get('layers.0.frozen.weight')!, parameter(model, 'layers.0.frozen.weight'), base);
    expect(file.length).toBeLessThan(4 * (40 * 30 + 30 + 20 + 30 + 20 + 1) + 1200);
  });

  it.each<[string, object, RegExp]>([
    ['a rank of 0', { rank: 0 }, /vera: expected rank to be a positive integer, got 0/],
    ['a base that is none', { base: 'half' }, /vera: expected base to be one of frozen, trained; got 'half'/],
    ['a rank beyond all memory', { rank: 2 ** 31 }, /numbers/],
  ])('is refused with %s', (_, wrong, message) => {
    const file = saveModel(sequential([vera({ units: 3, rank: 2 })], { input: [4] }));
    const length = Number(new DataView(file.buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
    header.__metadata__.layers = JSON.stringify([{ ...vera({ units: 3, rank: 2 }), ...wrong }]);
    const json = new TextEncoder().encode(JSON.stringify(header));
    const damaged = new Uint8Array([
      ...new Uint8Array(BigUint64Array.of(BigInt(json.length)).buffer),
      ...json,
      ...file.subarray(8 + length),
    ]);
    expect(() => readModel(damaged)).toThrow(ModelFileError);
    expect(() => readModel(damaged)).toThrow(message);
  });
});
