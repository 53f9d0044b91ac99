/** Models with convolutions in a page: their kernels come when a model file asks for them, and only then. */
import { expect, it } from 'vitest';
import { conv2d, dropout, halfConv2d, maxPool2d, residual } from '../../src/convolution.ts';
import { dense, halfDense } from '../../src/layers/dense.ts';
import type { LayerSpec } from '../../src/layers/specs.ts';
import { sequential } from '../../src/model/model.ts';
import { saveModel } from '../../src/model/save.ts';
import { createPredictor } from '../../src/predict/predictor.ts';
import { expectClose } from '../compare.ts';
import { freshContext } from '../gpu.ts';
import { numbers } from '../kernels/harness.ts';
import { openPage } from './harness.ts';

const networks: [string, LayerSpec[], boolean][] = [
  ['dense layers', [halfDense({ units: 20, rank: 4 }), dense({ units: 10 })], false],
  [
    'convolutions',
    [
      halfConv2d({ channels: 6, kernel: 3, padding: 'same' }),
      maxPool2d({ size: 2 }),
      residual([conv2d({ channels: 6, kernel: 3, padding: 'same' }), dropout({ rate: 0.5 })]),
      dense({ units: 10 }),
    ],
    true,
  ],
];

it.each(networks)('a page with one script tag predicts with %s as Node does', async (_, layers, fetched) => {
  const model = sequential(layers, { input: [12, 12], seed: 8 });
  const pixels = numbers(144, 1);
  const context = await freshContext();
  const predictor = await createPredictor(context, model);
  const want = await predictor.predict(pixels);
  context.dispose();
  const { page, url, errors } = await openPage('Chromium', {
    'model.safetensors': saveModel(model),
    pixels: new Uint8Array(pixels.buffer),
  });
  const requested: string[] = [];
  page.on('request', (request) => requested.push(request.url().split('/').at(-1)!));
  await page.goto(url('predict.html'));
  await page.waitForFunction('window.logits');
  const got = (await page.evaluate('window.logits')) as number[];
  expectClose(got, want, {
    absolute: 1e-4,
    relative: 1e-4,
    reason: 'the same kernels, maybe another driver: f32 sums',
  });
  expect(requested.includes('convolution.js')).toBe(fetched);
  expect(errors).toEqual([]);
});
