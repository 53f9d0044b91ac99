/** Early stopping: when a training ends, which parameters it leaves, and that a resumed one ends the same. */
import { expect, it } from 'vitest';
import { DivergedError, OptionError } from '../src/core/errors.ts';
import { dataSet } from '../src/data/dataset.ts';
import { dense, halfDense } from '../src/layers/dense.ts';
import { type Model, sequential } from '../src/model/model.ts';
import { createContext } from '../src/open.ts';
import { readCheckpoint, saveCheckpoint } from '../src/train/checkpoint.ts';
import { type EpochReport, fit } from '../src/train/fit.ts';
import type { FitOptions } from '../src/train/options.ts';
import type { TrainingState } from '../src/train/training.ts';
import { expectSame } from './compare.ts';
import { numbers } from './kernels/harness.ts';

const context = await createContext({ backend: 'cpu', threads: 1 });
const model = (): Model => sequential([halfDense({ units: 64 }), dense({ units: 2 })], { input: [6], seed: 3 });

/** Labels that are half noise, so that a network soon learns the training rows by heart. */
function noisy(rows: number, seed: number) {
  const features = numbers(rows * 6, seed);
  const noise = numbers(rows, seed + 1);
  return dataSet({ features, shape: [6], labels: Array.from(noise, (n, i) => Number(features[6 * i]! + n > 0)) });
}
const [data, validation] = [noisy(60, 1), noisy(80, 5)];
const options = { epochs: 60, batchSize: 20, learningRate: 0.03, validation } as const;
const flat = (m: Model) => Float32Array.from([...m.parameters.values()].flatMap((values) => [...values]));

/** Trains, and keeps the parameters of each epoch. */
async function train(more: FitOptions = {}, trained = model()) {
  const [reports, parameters]: [EpochReport[], Float32Array[]] = [[], []];
  for await (const report of fit(context, trained, data, { ...options, ...more })) {
    reports.push(report);
    parameters.push(flat(trained));
  }
  return { trained, reports, parameters };
}
const bestOf = (reports: readonly EpochReport[]) =>
  reports.reduce((best, { validation }, i) => (validation!.loss < reports[best]!.validation!.loss ? i : best), 0);

it('stops after so many epochs without a better one, and leaves the best parameters', async () => {
  const whole = await train();
  for (const patience of [1, 5]) {
    const { trained, reports, parameters } = await train({ patience });
    const best = bestOf(reports);
    expect(reports.length).toBe(best + 1 + patience);
    expect(reports.length).toBeLessThan(60);
    expect(reports.at(-1)!.best).toBe(best + 1);
    for (const [i, { best: _, seconds: __, ...report }] of reports.entries()) {
      const { seconds: ___, ...same } = whole.reports[i]!;
      expect(report).toEqual(same);
      expectSame(parameters[i]!, whole.parameters[i]!);
    }
    expectSame(flat(trained), whole.parameters[best]!);
  }
});

it('a large patience trains all epochs and still leaves the best parameters', async () => {
  const { trained, reports, parameters } = await train({ patience: 100 });
  expect(reports.length).toBe(60);
  expect(bestOf(reports)).toBeLessThan(50);
  expectSame(flat(trained), parameters[bestOf(reports)]!);
});

it('leaving the loop and an abort leave the best parameters so far', async () => {
  const { reports, parameters } = await train();
  const last = bestOf(reports) + 2; // the best epoch is before the last one
  const left = model();
  for await (const { epoch } of fit(context, left, data, { ...options, patience: 50 })) if (epoch === last + 1) break;
  expectSame(flat(left), parameters[bestOf(reports)]!);
  const aborted = model();
  const controller = new AbortController();
  const onProgress = ({ epoch }: { epoch: number }) => epoch === last + 2 && controller.abort();
  const stopped = train({ patience: 50, signal: controller.signal, onProgress }, aborted);
  await expect(stopped).rejects.toThrow('abort');
  expectSame(flat(aborted), parameters[bestOf(reports)]!);
});

it('a resumed training stops where the whole one does, with the same bits', async () => {
  const whole = await train({ patience: 4 });
  for (const stop of [2, whole.reports.length - 1, whole.reports.length]) {
    const state: TrainingState = { epoch: 0, optimizer: new Map() };
    const interrupted = model();
    let file: Uint8Array<ArrayBuffer> | undefined;
    for await (const { epoch } of fit(context, interrupted, data, { ...options, patience: 4, state })) {
      file = saveCheckpoint({ model: interrupted, state, note: null });
      if (epoch === stop) break;
    }
    const checkpoint = readCheckpoint(file!);
    const { trained, reports } = await train({ patience: 4, state: checkpoint.state }, checkpoint.model);
    expect(stop + reports.length).toBe(whole.reports.length);
    expectSame(flat(trained), flat(whole.trained));
  }
});

it('refuses a patience that is no number of epochs, and one without validation data', async () => {
  for (const patience of [0, 1.5, -1, Number.NaN, '3' as never]) {
    await expect(train({ patience })).rejects.toThrow(OptionError);
  }
  const training = fit(context, model(), data, { patience: 3 }).next();
  await expect(training).rejects.toThrow('expected a validation data set beside patience, got none');
});

it('a validation loss that is not finite is an error, and leaves the best parameters', async () => {
  const wild = dataSet({ features: numbers(12, 1).map((x) => 3e38 * x), shape: [6], labels: [0, 1] });
  await expect(train({ patience: 3, validation: wild })).rejects.toThrow(DivergedError);
});
