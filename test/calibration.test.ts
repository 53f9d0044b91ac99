/** How half layers start: by depth, and only while they are new. */
import { expect, it } from 'vitest';
import { type DataSet, dataSet } from '../src/data/dataset.ts';
import { dense, halfDense, randomDense } from '../src/layers/dense.ts';
import { type Model, sequential } from '../src/model/model.ts';
import { createContext } from '../src/open.ts';
import { calibrate } from '../src/train/calibrate.ts';
import { fit } from '../src/train/fit.ts';
import type { FitOptions } from '../src/train/options.ts';
import { expectSame } from './compare.ts';
import { numbers } from './kernels/harness.ts';

const context = createContext({ backend: 'cpu', threads: 1 });

function rows(scale = 1): DataSet {
  const features = numbers(64 * 20, 1, scale).map((value) => value + 0.5 * scale);
  return dataSet({ features, shape: [20], labels: Uint32Array.from({ length: 64 }, (_, i) => i % 3), classes: 3 });
}
const stack = (depth: number, half = halfDense): Model =>
  sequential([...Array.from({ length: depth }, () => half({ units: 16 })), dense({ units: 3 })], {
    input: [20],
    seed: 7,
  });
const copy = ({ parameters }: Model) => new Map([...parameters].map(([name, values]) => [name, values.slice()]));
async function train(model: Model, data: DataSet, options: FitOptions = {}): Promise<void> {
  for await (const _ of fit(context, model, data, { epochs: 1, batchSize: 16, ...options }));
}
function expectParameters(model: Model, want: ReadonlyMap<string, Float32Array>): void {
  for (const [name, values] of want) expectSame(model.parameters.get(name)!, values, name);
}

it.each([1, 2])('%i new layers start unit by unit', async (depth) => {
  const [got, want] = [stack(depth), stack(depth)];
  await calibrate(await context, want, rows());
  await train(got, rows(), { learningRate: 0 });
  expectParameters(got, want.parameters);
  expect(want.parameters.get('layers.0.u')).not.toEqual(stack(depth).parameters.get('layers.0.u'));
});

it('keeps trained scales and biases, and overwrites them where it is told to', async () => {
  const model = stack(2);
  await train(model, rows(), { learningRate: 0.01 });
  const trained = copy(model);
  await train(model, rows(), { learningRate: 0 });
  expectParameters(model, trained);
  await train(model, rows(), { learningRate: 0, calibrate: true });
  expect(model.parameters.get('layers.0.u')).not.toEqual(trained.get('layers.0.u'));
});

it('keeps the fitted start of a random layer on other data', async () => {
  const model = stack(1, randomDense);
  for await (const _ of fit(context, model, rows(), { solver: 'ridge' }));
  const fitted = model.parameters.get('layers.0.u')!.slice();
  await train(model, rows(3));
  expectSame(model.parameters.get('layers.0.u')!, fitted, 'u');
});

it('fits a new layer behind a trained one, and leaves the trained one alone', async () => {
  const model = stack(2);
  const own = Float32Array.from({ length: 16 }, (_, i) => 1 + i / 16);
  model.parameters.set('layers.0.u', own.slice());
  await train(model, rows(), { learningRate: 0 });
  expectSame(model.parameters.get('layers.0.u')!, own, 'u of layer 0');
  expect(model.parameters.get('layers.1.u')).not.toEqual(stack(2).parameters.get('layers.1.u'));
});

it('leaves deep stacks in proportion, and brings rows of another order of magnitude to 1 first', async () => {
  const model = stack(3);
  await train(model, rows(), { learningRate: 0 });
  expectParameters(model, stack(3).parameters);
  const data = rows(1000);
  await train(model, data, { learningRate: 0 });
  const u = model.parameters.get('layers.0.u')!;
  const features = data.features as Float32Array;
  const rms = Math.sqrt(features.reduce((sum, value) => sum + value ** 2 / 64, 0) / 20); // of rows of weights of variance 1 / 20
  expect(new Set(u).size).toBe(1);
  expect(u[0]! * rms).toBeGreaterThan(0.5);
  expect(u[0]! * rms).toBeLessThan(2);
  expect(new Set(model.parameters.get('layers.0.b'))).toEqual(new Set([0]));
  expect(new Set(model.parameters.get('layers.1.u'))).toEqual(new Set([1]));
});
