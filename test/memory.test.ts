/** The promise: no buffer holds a random weight matrix. Every createBuffer of the device is counted. */
import { expect, it } from 'vitest';
import { dataSet } from '../src/data/dataset.ts';
import { dense, halfDense } from '../src/layers/dense.ts';
import { sequential } from '../src/model/model.ts';
import { createPredictor } from '../src/predict/predictor.ts';
import { fit } from '../src/train/fit.ts';
import { freshContext } from './gpu.ts';
import { numbers } from './kernels/harness.ts';

const UNITS = 16384;
const MIB = 2 ** 20;

it('a 16384 x 16384 half layer (1 GiB as stored f32) runs forward and backward at batch 4 within 8 MiB', async () => {
  const context = await freshContext();
  const { device } = context;
  const create = device.createBuffer.bind(device);
  let live = 0;
  let peak = 0;
  let largest = 0;
  let count = 0;
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    const destroy = buffer.destroy.bind(buffer);
    let alive = true;
    buffer.destroy = () => {
      if (alive) live -= descriptor.size;
      alive = false;
      return destroy();
    };
    live += descriptor.size;
    peak = Math.max(peak, live);
    largest = Math.max(largest, descriptor.size);
    count++;
    return buffer;
  };
  // The first layer trains too, so the gradient passes through the large one: transposed, regenerated.
  const layers = [halfDense({ units: UNITS }), halfDense({ units: UNITS }), dense({ units: 2 })];
  const model = sequential(layers, { input: [16], seed: 1 });
  const before = Float32Array.from(model.parameters.get('layers.0.u')!);
  const data = dataSet({ features: numbers(4 * 16, 1), shape: [16], labels: [0, 1, 1, 0] });
  for await (const { loss } of fit(context, model, data, { epochs: 1, batchSize: 4, calibrate: false })) {
    expect(Number.isFinite(loss)).toBe(true);
  }
  expect(model.parameters.get('layers.0.u')).not.toEqual(before); // the backward pass reached it
  expect(live).toBe(0);
  expect(count).toBeGreaterThan(20);
  console.log(`training step: peak ${(peak / MIB).toFixed(2)} MiB, largest buffer ${(largest / MIB).toFixed(2)} MiB`);
  expect(peak).toBeLessThan(8 * MIB); // inputs, outputs, parameters and optimizer states included
  expect(largest).toBeLessThan(MIB);

  peak = 0;
  const predictor = await createPredictor(context, model);
  const logits = await predictor.predict(numbers(4 * 16, 2));
  expect(logits.every(Number.isFinite)).toBe(true);
  expect(peak).toBeLessThan(4 * MIB);
  await predictor.dispose();
  expect(live).toBe(0);
  context.dispose();
});
