/** Class weights in training: the float64 reference, both backends, what they change, and weights that are refused. */
import { describe, expect, it } from 'vitest';
import { OptionError } from '../src/core/errors.ts';
import { dataSet } from '../src/data/dataset.ts';
import { dense, halfDense } from '../src/layers/dense.ts';
import { type Model, sequential } from '../src/model/model.ts';
import { createContext } from '../src/open.ts';
import { balancedWeights, type ClassWeights } from '../src/train/class-weights.ts';
import { confusionMatrix, recalls } from '../src/train/confusion.ts';
import { evaluate } from '../src/train/evaluate.ts';
import { fit } from '../src/train/fit.ts';
import type { FitOptions } from '../src/train/options.ts';
import { expectClose, expectSame } from './compare.ts';
import { testContext } from './gpu.ts';
import { numbers } from './kernels/harness.ts';
import { stepsOfReference } from './reference-training.ts';

const cpu = () => createContext({ backend: 'cpu', threads: 1 });
const backends = [
  ['WebGPU', testContext],
  ['the CPU', cpu],
] as const;
const model = (): Model => sequential([halfDense({ units: 16 }), dense({ units: 3 })], { input: [4], seed: 2 });

/** Three classes of rows, of which class 2 is one row in twenty. */
function uneven(rows: number, seed: number) {
  const features = numbers(rows * 4, seed, 1);
  const labels = Uint32Array.from({ length: rows }, (_, i) => (i % 20 === 7 ? 2 : i % 2));
  for (const [i, label] of labels.entries()) features[4 * i + label]! += 1;
  return dataSet({ features, shape: [4], labels });
}

async function train(on: Awaited<ReturnType<typeof cpu>>, options: FitOptions, data = uneven(200, 1)) {
  const trained = model();
  const reports = [];
  for await (const report of fit(on, trained, data, { batchSize: 20, ...options })) reports.push(report);
  return { trained, reports };
}
const flat = (m: Model) => Float32Array.from([...m.parameters.values()].flatMap((values) => [...values]));

it('balanced weights are rows / (classes * rows of the class), and 1 without rows', () => {
  expect([...balancedWeights([0, 0, 0, 1, 3, 3, 3, 3], 4)]).toEqual([8 / 9, 8 / 3, 1, 8 / 12].map(Math.fround));
});

describe.each(backends)('on %s', (_, open) => {
  it('trains as the float64 reference does, and reports the weighted loss', async () => {
    const [context, data] = [await open(), uneven(200, 1)];
    const classWeights = [0.5, 1.5, 4];
    const optimizer = { kind: 'sgd', momentum: 0.9 } as const;
    const common = { epochs: 1, optimizer, learningRate: 0.05, calibrate: false };
    const { trained, reports } = await train(context, { ...common, classWeights, validation: data });
    const want = stepsOfReference(model(), data, { batch: 20, steps: 10, optimizer, learningRate: 0.05, classWeights });
    for (const [name, values] of trained.parameters) {
      expectClose(values, want.get(name)!, { absolute: 1e-5, reason: 'ten steps of 0.05 in f32' }, name);
    }
    const ofClass = [0, 1, 2].map(async (label) => {
      const rows = [...data.labels.keys()].filter((row) => data.labels[row] === label);
      const features = Float32Array.from(rows.flatMap((row) => [...data.features.subarray(4 * row, 4 * row + 4)]));
      const part = dataSet({ features, shape: [4], labels: rows.map(() => label), classes: 3 });
      return (classWeights[label]! * rows.length * (await evaluate(context, trained, part)).loss) / data.rows;
    });
    const weighted = (await Promise.all(ofClass)).reduce((a, b) => a + b, 0);
    expect(reports[0]!.validation!.loss).toBeCloseTo(weighted, 5);
  });

  it('weights of 1 change no bit; the same training gives the same bits', async () => {
    const context = await open();
    const plain = await train(context, { epochs: 2 });
    const ones = await train(context, { epochs: 2, classWeights: Float64Array.of(1, 1, 1) });
    expectSame(flat(ones.trained), flat(plain.trained));
    const [one, two] = [0, 1].map(() => train(context, { classWeights: 'balanced', epochs: 2 }));
    expectSame(flat((await one!).trained), flat((await two!).trained));
  });
});

it('balanced weights find the rare class more often', async () => {
  const [context, data] = [await cpu(), uneven(1000, 1)];
  const recallOf = async (options: FitOptions) => {
    const { trained } = await train(context, { epochs: 10, learningRate: 0.01, ...options }, data);
    return recalls(await confusionMatrix(context, trained, uneven(1000, 2)))[2]!;
  };
  const [plain, balanced] = [await recallOf({}), await recallOf({ classWeights: 'balanced' })];
  expect(balanced).toBeGreaterThan(plain + 0.2);
});

it.each<[unknown, string]>([
  ['even', "'balanced' or 3 numbers, got 'even'"],
  ['', "'balanced' or 3 numbers, got ''"],
  [[1, 2], 'expected 3 classWeights, one for each output of the model; got 2'],
  [[1, -1, 1], 'expected finite classWeights of 0 or more, got -1 for class 1'],
  [[1, 1, Number.NaN], 'got NaN for class 2'],
  [5, 'array of numbers, got number'],
])('refuses the weights %j', async (classWeights, message) => {
  const training = train(await cpu(), { classWeights: classWeights as ClassWeights });
  await expect(training).rejects.toThrow(OptionError);
  await expect(training).rejects.toThrow(message);
});

it('refuses weights of classes beside a loss of numbers', async () => {
  const data = dataSet({ features: numbers(8, 1), shape: [4], targets: numbers(6, 2) });
  const training = fit(await cpu(), model(), data, { classWeights: 'balanced' }).next();
  await expect(training).rejects.toThrow('classWeights only with the loss crossEntropy, got the loss meanSquaredError');
});
