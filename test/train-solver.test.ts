/** Training by a solver: as good as the convex problem allows, the same on both backends, refused where it can't be. */
import { describe, expect, it } from 'vitest';
import { type DataSet, dataSet } from '../src/data/dataset.ts';
import { dense, halfDense, randomDense } from '../src/layers/dense.ts';
import type { LayerSpec } from '../src/layers/specs.ts';
import { type Model, sequential } from '../src/model/model.ts';
import { createContext } from '../src/open.ts';
import { createPredictor } from '../src/predict/predictor.ts';
import { fit } from '../src/train/fit.ts';
import type { FitOptions } from '../src/train/options.ts';
import { expectSolvable } from '../src/train/solver.ts';
import { expectClose, expectSame } from './compare.ts';
import { testContext } from './gpu.ts';
import { numbers } from './kernels/harness.ts';

const cpu = await createContext({ backend: 'cpu', threads: 1 });
const INPUTS = 12;

/** Three classes, each around two of six centres, so that no linear model of the inputs tells them apart. */
function clusters(rows: number, seed: number): DataSet {
  const centres = numbers(6 * INPUTS, 99);
  const noise = numbers(rows * INPUTS, seed, 0.25);
  const features = noise.map((value, i) => {
    const centre = Math.floor(i / INPUTS) % 6;
    return value + centres[centre * INPUTS + (i % INPUTS)]!;
  });
  const labels = Array.from({ length: rows }, (_, row) => row % 3);
  return dataSet({ features, labels, shape: [INPUTS] });
}

const network = (outputs = 3, units = 40) =>
  sequential([randomDense({ units }), dense({ units: outputs })], { input: [INPUTS], seed: 5 });

async function solved(backend: typeof cpu, data: DataSet, options: FitOptions, model = network()) {
  for await (const report of fit(backend, model, data, options)) return { model, report };
  throw new Error('no report');
}

const logits = async (model: Model, data: DataSet) => {
  const predictor = await createPredictor(cpu, model);
  return predictor.predict(data.features).finally(() => predictor.dispose());
};

describe.each(['ridge', 'logistic'] as const)('solver %s', (solver) => {
  it('learns few and many rows, the same twice, and on the GPU within tolerance', async () => {
    const context = await testContext();
    for (const rows of [30, 300]) {
      const data = clusters(rows, 1);
      const validation = clusters(120, 2);
      const { model, report } = await solved(cpu, data, { solver, validation });
      expect(report.validation!.accuracy).toBeGreaterThan(rows === 30 ? 0.85 : 0.97);
      expect(report.accuracy).toBeGreaterThan(0.97);
      const again = await solved(cpu, data, { solver });
      const there = await solved(context as typeof cpu, data, { solver });
      const twice = await solved(context as typeof cpu, data, { solver });
      for (const [name, values] of model.parameters) {
        expectSame(again.model.parameters.get(name)!, values, name);
        expectSame(twice.model.parameters.get(name)!, there.model.parameters.get(name)!, name);
      }
      const got = await logits(there.model, validation);
      const tolerance = {
        absolute: 0.1,
        reason: 'f32 features and sums; logits reach 10, held-out rows decide when to stop',
      };
      expectClose(got, await logits(model, validation), tolerance, solver);
    }
  });

  it('refuses models whose output is not all that is trained, and options of gradient descent', async () => {
    const data = clusters(30, 1);
    const refused = async (layers: LayerSpec[], options: FitOptions = {}) =>
      solved(cpu, data, { solver, ...options }, sequential(layers, { input: [INPUTS] })).then(
        () => 'solved',
        (error: Error) => `${error.name}: ${error.message}`,
      );
    expect(await refused([halfDense({ units: 8 }), dense({ units: 3 })])).toMatch(
      /OptionError: .*'layers\.0\.u' is trained, too\. Use frozen layers/,
    );
    expect(await refused([dense({ units: 3, activation: 'tanh' })])).toMatch(
      /ends in a linear layer.*'tanh'\. Add one/,
    );
    expect(await refused([dense({ units: 8 }), randomDense({ units: 3 })])).toMatch(/ends in a linear layer.*'half'/);
    expect(await refused([dense({ units: 3 })], { epochs: 2 })).toMatch(/expected no option epochs/);
    expect(await refused([dense({ units: 3 })], { solver: 'newton' } as never)).toMatch(/one of ridge, logistic/);
  });

  it('solves a model without hidden layers, and one whose features are not cached', async () => {
    const data = clusters(300, 1);
    const linear = sequential([dense({ units: 3 })], { input: [INPUTS] });
    expect((await solved(cpu, data, { solver }, linear)).report.accuracy).toBeGreaterThan(0.5);
    const [cached, anew] = [await solved(cpu, data, { solver }), await solved(cpu, data, { solver, prefixBudget: 0 })];
    for (const [name, values] of cached.model.parameters) expectSame(anew.model.parameters.get(name)!, values, name);
  });
});

it('solver logistic goes on to its end where there are too few rows to hold some out', async () => {
  const { report } = await solved(cpu, clusters(9, 1), { solver: 'logistic' });
  expect(report.accuracy).toBe(1);
  expect(report.loss).toBeLessThan(0.005);
});

it('each solver names the losses that it minimises', () => {
  const model = network();
  expect(() => expectSolvable(model, 'ridge', 'huber')).toThrow(/got huber\. Train by gradient descent/);
  expect(() => expectSolvable(model, 'logistic', 'meanSquaredError')).toThrow(/Use solver 'ridge'/);
  expect(() => expectSolvable(model, 'ridge', 'binaryCrossEntropy')).toThrow(/Use solver 'logistic'/);
});

it('ridge solves a regression with several targets', async () => {
  const rows = 200;
  const features = numbers(rows * INPUTS, 3);
  const targets = Float32Array.from({ length: 2 * rows }, (_, i) => {
    const row = features.subarray((i >> 1) * INPUTS, (i >> 1) * INPUTS + INPUTS);
    return i & 1 ? 50 + 3 * row[0]! - row[1]! : Math.max(0, row[2]!);
  });
  const data = dataSet({ features, targets, shape: [INPUTS] });
  const { report } = await solved(cpu, data, { solver: 'ridge' }, network(2, 150));
  expect(report.loss).toBeLessThan(0.05);
  expect(report.accuracy).toBeNaN();
});

it('logistic solves many labels a row', async () => {
  const { features, labels } = clusters(300, 1);
  const targets = Float32Array.from(Array.from(labels).flatMap((label) => [label === 0 ? 1 : 0, label === 1 ? 0 : 1]));
  const data = dataSet({ features, targets, shape: [INPUTS] });
  const { report } = await solved(cpu, data, { solver: 'logistic', loss: 'binaryCrossEntropy' }, network(2));
  expect(report.accuracy).toBeGreaterThan(0.97);
});
