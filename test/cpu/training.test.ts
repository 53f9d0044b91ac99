/** Training on the CPU kernels: against the reference and against WebGPU, bit-identical, cancelled. */
import { afterAll, describe, expect, it } from 'vitest';
import { PrefixCache } from '../../src/backend/prefix-cache.ts';
import { DivergedError } from '../../src/core/errors.ts';
import type { CpuContext } from '../../src/cpu/cpu.ts';
import { type DataSet, dataSet } from '../../src/data/dataset.ts';
import type { Optimizer } from '../../src/graph/optimizers.ts';
import { dense, halfDense, randomDense } from '../../src/layers/dense.ts';
import type { LayerSpec } from '../../src/layers/specs.ts';
import { type Model, sequential } from '../../src/model/model.ts';
import { createContext } from '../../src/open.ts';
import { createPredictor } from '../../src/predict/predictor.ts';
import { evaluate } from '../../src/train/evaluate.ts';
import { cosine, fit } from '../../src/train/fit.ts';
import type { FitOptions } from '../../src/train/options.ts';
import { expectClose, expectSame } from '../compare.ts';
import { testContext } from '../gpu.ts';
import { numbers } from '../kernels/harness.ts';
import { stepsOfReference } from '../reference-training.ts';

const context = (await createContext({ backend: 'cpu', threads: 1 })) as CpuContext;
const threaded = (await createContext({ backend: 'cpu', threads: 2 })) as CpuContext;
afterAll(() => threaded.dispose());

/** Three classes of bytes that a small network can tell apart. */
function blobs(rows: number, columns: number, seed = 1): DataSet {
  const noise = numbers(rows * columns, seed, 40);
  const labels = Uint32Array.from({ length: rows }, (_, i) => i % 3);
  const features = Uint8Array.from(noise, (value, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return Math.round(100 + value + (column % 3 === labels[row] ? 60 : 0));
  });
  return dataSet({ features, shape: [columns], labels, classes: 3, shift: -0.4 });
}

const mixed = (): LayerSpec[] => [
  halfDense({ units: 24, activation: 'relu' }),
  dense({ units: 17, activation: 'tanh' }),
  halfDense({ units: 13, weights: 'binary', activation: 'gelu' }),
  halfDense({ units: 11, weights: 'orthogonal', activation: 'sigmoid' }),
  halfDense({ units: 12, weights: 'sparse', activation: 'leakyRelu' }),
  dense({ units: 3 }),
];
const model = (layers = mixed(), columns = 20): Model => sequential(layers, { input: [columns], seed: 5 });

async function train(m: Model, data: DataSet, options: FitOptions = {}, on = context) {
  const reports = [];
  for await (const report of fit(on, m, data, { epochs: 2, batchSize: 16, ...options })) reports.push(report);
  return reports;
}

const flat = (m: Model) => Float32Array.from([...m.parameters.values()].flatMap((values) => [...values]));

describe('ten steps of a mixed network', () => {
  const optimizers: Optimizer[] = [
    { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 },
    { kind: 'sgd', momentum: 0.9 },
  ];
  it.each(optimizers)('are those of the float64 reference: $kind', async (optimizer) => {
    const data = blobs(160, 20);
    const here = model();
    await train(here, data, { epochs: 1, optimizer, learningRate: 0.01, calibrate: false });
    const want = stepsOfReference(model(), data, { batch: 16, steps: 10, optimizer, learningRate: 0.01 });
    for (const [name, values] of want) {
      const tolerance = { absolute: 2e-4, reason: 'ten steps of 0.01 in f32; Adam divides by sqrt of small moments' };
      expectClose(here.parameters.get(name)!, values, tolerance, name);
      expect(here.parameters.get(name)).not.toEqual(model().parameters.get(name));
    }
  });
});

describe('fit', () => {
  it('starts and trains as on WebGPU', async () => {
    const data = blobs(96, 20);
    const layers = () => [halfDense({ units: 24 }), halfDense({ units: 13, weights: 'binary' }), dense({ units: 3 })];
    const [here, there] = [model(layers()), model(layers())];
    const options = { epochs: 2, batchSize: 16, learningRate: cosine(0.01) };
    const reports = await train(here, data, options);
    const others = [];
    for await (const report of fit(await testContext(), there, data, options)) others.push(report);
    for (const [i, { loss }] of reports.entries()) expect(loss).toBeCloseTo(others[i]!.loss, 3);
    const tolerance = { absolute: 1e-3, reason: 'f32 sums of 12 steps of Adam, which divides by small moments' };
    expectClose(flat(here), flat(there), tolerance);
  });

  it('learns, and reports what evaluate finds', async () => {
    const [data, validation] = [blobs(300, 20), blobs(90, 20, 2)];
    const here = model();
    const reports = await train(here, data, { epochs: 6, validation, learningRate: cosine(0.02) });
    expect(reports.at(-1)!.loss).toBeLessThan(reports[0]!.loss);
    expect(reports.at(-1)!.validation!.accuracy).toBeGreaterThan(0.95);
    const found = await evaluate(context, here, validation);
    expect(found.accuracy).toBe(reports.at(-1)!.validation!.accuracy);
    expect(found.loss).toBeCloseTo(reports.at(-1)!.validation!.loss, 6);
  });

  it('gives the same bits twice, with the prefix cached, recomputed or shared, and on more threads', async () => {
    const [data, validation] = [blobs(700, 20), blobs(50, 20, 2)];
    const random = () => model([randomDense({ units: 1100 }), halfDense({ units: 900 }), dense({ units: 3 })]);
    for (const make of [model, random]) {
      const want = make();
      await train(want, data, { epochs: 1, validation });
      const runs: [FitOptions, CpuContext][] = [
        [{}, context],
        [{ prefixBudget: 0 }, context],
        [{}, threaded],
      ];
      for (const [options, on] of runs) {
        const again = make();
        await train(again, data, { epochs: 1, validation, ...options }, on);
        expectSame(flat(again), flat(want));
      }
      const prefixes = new PrefixCache(context);
      for (let i = 0; i < 2; i++) {
        const sharing = make();
        await train(sharing, data, { epochs: 1, validation, prefixes });
        expectSame(flat(sharing), flat(want));
      }
      prefixes.dispose();
    }
  });

  it('learns targets by the squared error', async () => {
    const features = numbers(200 * 6, 3);
    const targets = Float32Array.from({ length: 400 }, (_, i) => {
      const row = features.subarray(Math.floor(i / 2) * 6, Math.floor(i / 2) * 6 + 6);
      return i % 2 ? Math.sin(row[0]!) : row[1]! * row[2]!;
    });
    const data = dataSet({ features, shape: [6], targets });
    const m = sequential([halfDense({ units: 64, activation: 'tanh' }), dense({ units: 2 })], { input: [6], seed: 1 });
    const reports = await train(m, data, { epochs: 30, learningRate: cosine(0.02) });
    expect(reports.at(-1)!.loss).toBeLessThan(0.1 * reports[0]!.loss);
    expect((await evaluate(context, m, data)).loss).toBeLessThan(0.05);
    const predictor = await createPredictor(context, m);
    const outputs = await predictor.predict(features);
    const mean = outputs.reduce((sum, value, i) => sum + (value - targets[i]!) ** 2 / outputs.length, 0);
    expect(mean).toBeCloseTo((await evaluate(context, m, data)).loss, 5);
  });

  it('stops by signal with the parameters of the last whole epoch, names a loss that diverges', async () => {
    const data = blobs(100, 20);
    const m = model();
    const controller = new AbortController();
    let after: Float32Array | undefined;
    const run = async () => {
      const onProgress = ({ epoch }: { epoch: number }) => epoch === 2 && controller.abort();
      const options = { epochs: 5, batchSize: 16, signal: controller.signal, onProgress };
      for await (const _ of fit(context, m, data, options)) after = flat(m);
    };
    await expect(run()).rejects.toThrow('abort');
    expectSame(flat(m), after!);
    const wild = model([halfDense({ units: 8, activation: 'identity' }), dense({ units: 3 })]);
    const sgd: Optimizer = { kind: 'sgd', momentum: 0 };
    await expect(train(wild, data, { epochs: 20, optimizer: sgd, learningRate: 1e30 })).rejects.toThrow(DivergedError);
  });
});
