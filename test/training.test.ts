/** Training on the GPU: against the reference, bit-identical, cancelled, out of bounds, on a lost device. */
import { afterAll, describe, expect, it } from 'vitest';
import { PrefixCache } from '../src/backend/prefix-cache.ts';
import { DataError, DeviceLostError, DivergedError, ShapeError } from '../src/core/errors.ts';
import { type DataSet, dataSet } from '../src/data/dataset.ts';
import type { Optimizer } from '../src/graph/optimizers.ts';
import { dense, halfDense, randomDense } from '../src/layers/dense.ts';
import type { LayerSpec } from '../src/layers/specs.ts';
import { type Model, sequential } from '../src/model/model.ts';
import { createPredictor } from '../src/predict/predictor.ts';
import { standardise } from '../src/train/calibrate.ts';
import { evaluate } from '../src/train/evaluate.ts';
import { cosine, fit } from '../src/train/fit.ts';
import type { FitOptions, FitProgress } from '../src/train/options.ts';
import { expectClose, expectSame } from './compare.ts';
import { freshContext, testContext } from './gpu.ts';
import { numbers } from './kernels/harness.ts';
import { stepsOfReference } from './reference-training.ts';

/** Three classes of bytes that a small network can tell apart. */
function blobs(rows: number, columns: number, seed = 1): DataSet {
  const noise = numbers(rows * columns, seed, 40);
  const labels = Uint32Array.from({ length: rows }, (_, i) => i % 3);
  const features = Uint8Array.from(noise, (value, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return Math.round(100 + value + (column % 3 === labels[row] ? 60 : 0));
  });
  return dataSet({ features, shape: [columns], labels, classes: 3 });
}

const mixed = (): LayerSpec[] => [
  halfDense({ units: 24, activation: 'relu' }),
  dense({ units: 17, activation: 'tanh' }),
  halfDense({ units: 13, weights: 'binary', activation: 'gelu' }),
  dense({ units: 3 }),
];
const model = (layers = mixed(), columns = 20) => sequential(layers, { input: [columns], seed: 5 });

async function train(m: Model, data: DataSet, options: FitOptions = {}) {
  const reports = [];
  for await (const report of fit(await testContext(), m, data, { epochs: 2, batchSize: 16, ...options }))
    reports.push(report);
  return reports;
}

const flat = (m: Model) => Float32Array.from([...m.parameters.values()].flatMap((values) => [...values]));

describe('ten steps of a mixed network', () => {
  const optimizers: Optimizer[] = [
    { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 },
    { kind: 'sgd', momentum: 0.9 },
  ];
  it.each(optimizers)('are those of the float64 reference: $kind', async (optimizer) => {
    const [rows, batch] = [160, 16];
    const data = blobs(rows, 20);
    const gpu = model();
    await train(gpu, data, { epochs: 1, batchSize: batch, optimizer, learningRate: 0.01, calibrate: false });

    const want = stepsOfReference(model(), data, { batch, steps: rows / batch, optimizer, learningRate: 0.01 });
    for (const [name, values] of want) {
      const tolerance = { absolute: 2e-4, reason: 'ten steps of 0.01 in f32; Adam divides by sqrt of small moments' };
      expectClose(gpu.parameters.get(name)!, values, tolerance, name);
      expect(gpu.parameters.get(name)).not.toEqual(model().parameters.get(name));
    }
  });
});

describe('fit', () => {
  it('learns, and reports what evaluate finds', async () => {
    const [data, validation] = [blobs(300, 20), blobs(90, 20, 2)];
    const m = model();
    const reports = await train(m, data, { epochs: 6, validation, learningRate: cosine(0.02) });
    expect(reports.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(reports.at(-1)!.loss).toBeLessThan(reports[0]!.loss);
    expect(reports.at(-1)!.validation!.accuracy).toBeGreaterThan(0.95);
    const found = await evaluate(await testContext(), m, validation);
    expect(found.accuracy).toBe(reports.at(-1)!.validation!.accuracy);
    expect(found.loss).toBeCloseTo(reports.at(-1)!.validation!.loss, 5);
  });

  it('gives bit-identical parameters twice, others for another seed', async () => {
    const data = blobs(130, 20);
    const [a, b, c] = [model(), model(), sequential(mixed(), { input: [20], seed: 6 })];
    for (const m of [a, b, c]) await train(m, data);
    expectSame(flat(a), flat(b));
    expect(flat(c)).not.toEqual(flat(a));
  });

  it('gives the same parameters, bit for bit, with the frozen prefix cached, recomputed, and reused by the next training', async () => {
    const data = blobs(1200, 20); // more than two chunks of the prefix, the last one short
    const validation = blobs(50, 20, 2);
    const [cached, recomputed, kept, again] = [model(), model(), model(), model()];
    await train(cached, data, { validation });
    await train(recomputed, data, { validation, prefixBudget: 0 });
    const prefixes = new PrefixCache(await testContext());
    await train(kept, data, { validation, prefixes });
    await train(again, data, { validation, prefixes });
    prefixes.dispose();
    expectSame(flat(recomputed), flat(cached), 'recomputed');
    expectSame(flat(kept), flat(cached), 'kept');
    expectSame(flat(again), flat(cached), 'again');
  });

  it('shares the prefix of a half and a random network', async () => {
    const data = blobs(200, 20);
    const prefixes = new PrefixCache(await testContext());
    const build = (make: typeof halfDense) => model([make({ units: 24 }), dense({ units: 3 })]);
    const [half, random, alone] = [build(halfDense), build(randomDense), build(randomDense)];
    await train(half, data, { prefixes });
    await train(random, data, { prefixes });
    prefixes.dispose();
    await train(alone, data, { prefixBudget: 0 });
    expectSame(flat(random), flat(alone));
    expect(random.parameters.get('layers.0.u')).not.toEqual(half.parameters.get('layers.0.u'));
  });

  it('trains a last batch of any size', async () => {
    for (const rows of [1, 2, 15, 16, 17, 33]) {
      const m = model();
      await train(m, blobs(rows, 20), { epochs: 1 });
      expect(flat(m).every(Number.isFinite)).toBe(true);
    }
  });

  it('fits targets by mean squared error', async () => {
    const features = numbers(200 * 4, 3);
    const targets = Float32Array.from({ length: 200 }, (_, i) => features[4 * i]! - 0.5 * features[4 * i + 1]!);
    const data = dataSet({ features, shape: [4], targets });
    const m = sequential([halfDense({ units: 64, activation: 'tanh' }), dense({ units: 1 })], { input: [4], seed: 1 });
    const reports = await train(m, data, { epochs: 30, learningRate: cosine(0.02) });
    expect(reports.at(-1)!.loss).toBeLessThan(0.01);
  });

  it('starts half units at mean 0 and variance 1', () => {
    const z = numbers(500 * 7, 4, 9).map((value, i) => value + (i % 7));
    const { u, b } = standardise(z, 500, 7);
    for (let n = 0; n < 7; n++) {
      const a = Array.from({ length: 500 }, (_, m) => u[n]! * z[m * 7 + n]! + b[n]!);
      const mean = a.reduce((sum, v) => sum + v, 0) / 500;
      expect(mean).toBeCloseTo(0, 4);
      expect(a.reduce((sum, v) => sum + v * v, 0) / 500).toBeCloseTo(1, 4);
    }
    expect(standardise(new Float32Array(10), 10, 1)).toEqual({ u: Float32Array.of(1), b: Float32Array.of(-0) });
  });

  it('leaves nothing behind, however it ends', async () => {
    const context = await testContext();
    const { bytes } = context.memory;
    const data = blobs(64, 20);
    await train(model(), data);
    for await (const _ of fit(context, model(), data, { epochs: 5 })) break;
    expect(context.memory.bytes).toBe(bytes);
  });

  it('stops at a signal, with the parameters of the last whole epoch', async () => {
    const context = await testContext();
    const data = blobs(2000, 20);
    const abort = new AbortController();
    const m = model();
    let after: Float32Array | undefined;
    const run = async () => {
      const onProgress = ({ epoch }: { epoch: number }) => epoch === 2 && abort.abort();
      for await (const report of fit(context, m, data, {
        epochs: 5,
        batchSize: 16,
        signal: abort.signal,
        onProgress,
      })) {
        expect(report.epoch).toBe(1);
        after = flat(m);
      }
    };
    await expect(run()).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    expectSame(flat(m), after!);
    const never = fit(context, m, data, { signal: AbortSignal.abort() });
    await expect(never.next()).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
  });

  it('tells means over the rows so far, and waits for who listens', async () => {
    const told: FitProgress[] = [];
    let listening = false;
    const onProgress = async (progress: FitProgress) => {
      expect(listening).toBe(false);
      listening = true;
      await new Promise((resolve) => setTimeout(resolve, 120)); // longer than two looks at the totals are apart
      listening = false;
      if (progress.phase === 'train') told.push(progress);
    };
    const reports = await train(model(), blobs(700, 20), { onProgress });
    expect(told.map(({ epoch, done }) => [epoch, done])).toEqual([
      [1, 256],
      [1, 512],
      [1, 700],
      [2, 256],
      [2, 512],
      [2, 700],
    ]);
    for (const { epoch, means } of told.filter(({ done }) => done === 700)) {
      const { loss, accuracy } = reports[epoch - 1]!;
      expect(means).toEqual({ loss, accuracy });
    }
    expect(told[1]!.means!.accuracy).toBeLessThan(reports[1]!.accuracy);
  });

  it('refuses what does not fit, by name', async () => {
    const context = await testContext();
    const first = (data: DataSet, options: FitOptions = {}, m = model()) => fit(context, m, data, options).next();
    await expect(first(blobs(9, 19))).rejects.toThrow(ShapeError);
    await expect(first(blobs(9, 19))).rejects.toThrow(/expected rows of 20 numbers.*got 19/);
    const many = dataSet({ features: new Uint8Array(40), shape: [20], labels: [0, 3] });
    await expect(first(many)).rejects.toThrow(DataError);
    await expect(first(many)).rejects.toThrow(/at most 3 classes.*got 4/);
    await expect(first(blobs(9, 20), { epochs: 0 })).rejects.toThrow(/epochs of 1 or more, got 0/);
    await expect(first(blobs(9, 20), { batchSize: 1.5 })).rejects.toThrow(/batchSize of 1 or more, got 1.5/);
    await expect(first(blobs(9, 20), { validation: blobs(9, 3) })).rejects.toThrow(/validation data/);
  });

  it('says when training leaves the finite numbers', async () => {
    const layers = [halfDense({ units: 24, activation: 'identity' }), dense({ units: 3 })];
    const run = train(model(layers), blobs(300, 20), {
      epochs: 20,
      optimizer: { kind: 'sgd', momentum: 0 },
      learningRate: 1e30,
    });
    await expect(run).rejects.toThrow(DivergedError);
  });
});

describe('a device that is destroyed', () => {
  const doomed: (() => void)[] = [];
  afterAll(() => {
    for (const dispose of doomed) dispose();
  });

  it('in the middle of fit: DeviceLostError, no hang', async () => {
    const context = await freshContext();
    doomed.push(() => context.dispose());
    const run = async () => {
      const onProgress = ({ phase }: { phase: string }) => phase === 'train' && context.device.destroy();
      for await (const _ of fit(context, model(), blobs(4000, 20), { epochs: 50, batchSize: 16, onProgress }));
    };
    await expect(run()).rejects.toThrow(DeviceLostError);
    await expect(run()).rejects.toThrow(/Create a new context/);
  });

  it('in the middle of predict, and before it', async () => {
    const context = await freshContext();
    doomed.push(() => context.dispose());
    const predictor = await createPredictor(context, model());
    await predictor.predict(numbers(20, 1));
    const running = predictor.predict(numbers(20 * 512, 1));
    context.device.destroy();
    await expect(running).rejects.toThrow(DeviceLostError);
    await expect(predictor.predict(numbers(20, 1))).rejects.toThrow(DeviceLostError);
  });
});
