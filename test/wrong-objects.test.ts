/** Objects of callers that are not what a function takes, and numbers that would train or answer nothing, in silence. */
import { describe, expect, it } from 'vitest';
import { ModelFileError, OptionError, ShapeError, WeightlessError } from '../src/core/errors.ts';
import { dataSet } from '../src/data/dataset.ts';
import { fromRows } from '../src/data/rows.ts';
import { dense, halfDense } from '../src/layers/dense.ts';
import { randomKernels1d } from '../src/layers/signals.ts';
import { sequential } from '../src/model/model.ts';
import { setPreparation } from '../src/model/preparation-metadata.ts';
import { saveModel } from '../src/model/save.ts';
import { createContext } from '../src/open.ts';
import { fitSignals } from '../src/signals.ts';
import { confusionMatrix } from '../src/train/confusion.ts';
import { evaluate } from '../src/train/evaluate.ts';
import { fit } from '../src/train/fit.ts';
import type { FitOptions } from '../src/train/options.ts';

const cpu = await createContext({ backend: 'cpu', threads: 1 });
const newModel = () => sequential([halfDense({ units: 6 }), dense({ units: 3 })], { input: [4], seed: 1 });
const model = newModel();
const features = Float32Array.from({ length: 40 }, (_, i) => Math.sin(i));
const data = dataSet({ features, shape: [4], labels: Array.from({ length: 10 }, (_, i) => i % 3) });

const trained = async (options: object, set: unknown = data, on: unknown = cpu, it: unknown = model) => {
  for await (const _ of fit(on as never, it as never, set as never, { epochs: 1, ...options } as FitOptions));
};
/** The error of a call, which has to have a name of ours. */
async function failure(call: () => unknown): Promise<Error> {
  const error = await Promise.resolve()
    .then(call)
    .then(
      () => new Error('no error'),
      (reason: Error) => reason,
    );
  expect(error).toBeInstanceOf(WeightlessError);
  return error;
}

const junk = [undefined, null, 5, 'text', {}, []];

describe.each(junk.map((value) => [JSON.stringify(value) ?? 'undefined', value] as const))('%s', (_, value) => {
  it('is no context, no model, no data set', async () => {
    for (const call of [
      () => trained({}, data, value ?? null),
      () => evaluate(value as never, model, data),
      () => fitSignals(value as never, data),
    ]) {
      expect((await failure(call)).message).toMatch(/expected a context, as createContext\(\) makes it/);
    }
    for (const call of [
      () => trained({}, data, cpu, value ?? null),
      () => evaluate(cpu, value as never, data),
      () => saveModel(value as never),
    ]) {
      expect((await failure(call)).message).toMatch(/expected a model, as sequential\(\) and readModel\(\) make it/);
    }
    for (const call of [
      () => trained({}, value ?? null),
      () => evaluate(cpu, model, value as never),
      () => fitSignals(cpu, value as never),
      () => confusionMatrix(cpu, model, value as never),
    ]) {
      expect((await failure(call)).message).toMatch(/expected data as dataSet\(\) makes it/);
    }
  });

  it('is no signal', async () => {
    if (value === undefined) return;
    for (const call of [
      () => trained({ signal: value }),
      () => evaluate(cpu, model, data, { signal: value as never }),
    ]) {
      expect((await failure(call)).message).toMatch(/expected signal to be (an AbortSignal|of type object)/);
    }
  });
});

it('an AbortController is no signal', async () => {
  expect(await failure(() => trained({ signal: new AbortController() }))).toBeInstanceOf(OptionError);
});

describe('what would train or answer nothing, in silence', () => {
  it.each<[string, FitOptions, RegExp]>([
    ['a negative rate', { learningRate: -0.1 }, /finite learningRate of 0 or more, got -0.1/],
    ['a schedule of texts', { learningRate: () => '0.1' as never }, /finite learningRate of 0 or more, got '0.1'/],
    ['a schedule of promises', { learningRate: (async () => 0.1) as never }, /learningRate of 0 or more, got {}/],
    ['a schedule that ends', { learningRate: () => undefined as never }, /learningRate of 0 or more, got undefined/],
    ['an endless epsilon', { optimizer: { kind: 'adam', epsilon: Number.POSITIVE_INFINITY } }, /optimizer.epsilon/],
    ['an epsilon that stops steps', { optimizer: { kind: 'adam', epsilon: 1e9 } }, /optimizer.epsilon to be 0 or more/],
    ['class weights of zero', { classWeights: [0, 0, 0] }, /expected a classWeights above 0/],
    ['a state of another kind', { state: { epoch: 'x', optimizer: new Map() } as never }, /expected state to be/],
    ['a state without optimizer', { state: { epoch: 0 } as never }, /expected state to be/],
  ])('%s', async (_, options, message) => {
    const error = await failure(() => trained(options));
    expect(error).toBeInstanceOf(OptionError);
    expect(error.message).toMatch(message);
  });
});

describe('what a model file could not hold', () => {
  const holed = Object.assign(new Array<string>(3), { 1: 'b', 2: 'c' });
  const classes = (...names: string[]) => ({ task: 'classification', classes: names }) as const;
  it.each<[string, object, RegExp]>([
    ['an empty place among class names', { classNames: holed }, /classNames to be different texts/],
    [
      'more class names than classes',
      { classNames: ['a', 'b', 'c', 'd'], classes: 3 },
      /as many classNames as classes/,
    ],
    ['an empty preparation', { preparation: {} }, /expected preparation.inputs to be an object/],
    [
      'a preparation of another kind',
      { preparation: { inputs: { kind: 'x' }, outputs: classes('a', 'b', 'c') } },
      /preparation.inputs.kind to be one of/,
    ],
    [
      'a preparation of other sizes',
      {
        preparation: {
          inputs: { kind: 'signal', channels: ['x'], length: 5, standardise: 'none' },
          outputs: classes('a', 'b', 'c'),
        },
      },
      /expected a preparation of 4 numbers a row \(shape\), got one of 5/,
    ],
  ])('%s is refused before training', async (_, options, message) => {
    const error = await failure(() => dataSet({ features, shape: [4], labels: data.labels, ...options }));
    expect(error.message).toMatch(message);
  });

  it('nor an empty place in a preparation of a caller', () => {
    const outputs = { task: 'classification', classes: holed } as const;
    expect(() => setPreparation(newModel(), { inputs: { kind: 'numbers' }, outputs })).toThrow(ModelFileError);
  });

  it('nor an unknown task of rows', () => {
    expect(() => fromRows([{ a: 1, b: 'x' }], { task: 'sorting' as never })).toThrow(
      /expected task to be one of classification, multilabel, regression; got 'sorting'/,
    );
  });
});

describe('sizes that end the process', () => {
  it('more kernels than a host prepares, more threads than a machine has', async () => {
    expect(() => randomKernels1d({ units: 5e7 })).toThrow(ShapeError);
    const signals = dataSet({ features, shape: [4], labels: data.labels });
    for (const count of [1e9, 1, 0, 1.5]) {
      expect((await failure(() => fitSignals(cpu, signals, { features: count }))).message).toMatch(
        /expected features of 2 \(one for each pool\) to 65536/,
      );
    }
    await expect(createContext({ backend: 'cpu', threads: 100_000 })).rejects.toThrow(/threads of 1 to 64/);
  });
});
