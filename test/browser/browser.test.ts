/** The bundle in headless Chromium: predicts as Node does, trains, names its errors. */
import { afterEach, expect, it } from 'vitest';
import { featuresAsFloats, head } from '../../src/data/dataset.ts';
import { loadMnist } from '../../src/data/mnist.ts';
import { dense, halfDense } from '../../src/layers/layers.ts';
import { sequential } from '../../src/model/model.ts';
import { createPredictor } from '../../src/model/predictor.ts';
import { saveModel } from '../../src/model/safetensors.ts';
import { fit } from '../../src/train/fit.ts';
import { elementwiseNames, integerWeights } from '../../src/weights/distributions.ts';
import { expectClose, expectSame } from '../compare.ts';
import { freshContext } from '../gpu.ts';
import { type Browser, openBrowser } from './harness.ts';

let browser: Browser | undefined;
afterEach(async () => {
  await browser?.close();
  browser = undefined;
});

const classes = (logits: ArrayLike<number>) =>
  Array.from({ length: logits.length / 10 }, (_, row) => {
    const scores = Array.from({ length: 10 }, (_, i) => logits[row * 10 + i]!);
    return scores.indexOf(Math.max(...scores));
  });

it('a page with one script tag loads a model trained in Node and predicts the same', async () => {
  const [train, test] = [head(await loadMnist('train'), 3000), head(await loadMnist('test'), 300)];
  const context = await freshContext();
  const layers = [
    halfDense({ units: 96 }),
    halfDense({ units: 64, weights: 'sparse', activation: 'gelu' }),
    dense({ units: 10 }),
  ];
  const model = sequential(layers, { input: train.shape, seed: 2 });
  for await (const _ of fit(context, model, train, { epochs: 3, learningRate: 0.01 }));
  const pixels = featuresAsFloats(test);
  const predictor = await createPredictor(context, model);
  const want = await predictor.predict(pixels);
  context.dispose();
  const hits = classes(want).filter((answer, i) => answer === test.labels[i]).length;
  expect(hits).toBeGreaterThan(200);

  browser = await openBrowser({ 'model.safetensors': saveModel(model), pixels: new Uint8Array(pixels.buffer) });
  await browser.page.goto(browser.url('predict.html'));
  await browser.page.waitForFunction('window.logits');
  const got = (await browser.page.evaluate('window.logits')) as number[];
  expectClose(got, want, {
    absolute: 1e-4,
    relative: 1e-4,
    reason: 'the same kernels, maybe another driver: f32 sums',
  });
  expect(classes(got)).toEqual(classes(want));
  expect(browser.errors).toEqual([]);
});

it('trains a small network, twice the same, and regenerates the weights of the CPU twin', async () => {
  browser = await openBrowser();
  await browser.page.goto(browser.url('blank.html'));
  const result = (await browser.page.evaluate(`(async () => {
    const w = { ...(await import('./weightless.js')), ...(await import('./train.js')) };
    const context = await w.createContext({ backend: 'webgpu' });
    const [rows, columns] = [600, 30];
    const labels = Array.from({ length: rows }, (_, i) => i % 3);
    const noise = w.integerWeights({ seed: 9, tensor: 0, distribution: 'normal' }, [0, rows], [0, columns]);
    const features = Float32Array.from(noise, (value, i) => value / 43 + ((i % columns) % 3 === labels[Math.floor(i / columns)] ? 2 : 0));
    const data = w.dataSet({ features, shape: [columns], labels });
    const run = async () => {
      const layers = [w.halfDense({ units: 40 }), w.halfDense({ units: 30, weights: 'binary', activation: 'tanh' }), w.dense({ units: 3 })];
      const model = w.sequential(layers, { input: [columns], seed: 4 });
      const reports = [];
      for await (const report of w.fit(context, model, data, { epochs: 8, batchSize: 32, learningRate: w.cosine(0.02) })) reports.push(report);
      return { reports, file: [...w.saveModel(model)] };
    };
    const [first, second] = [await run(), await run()];
    return { first, second, noise: [...noise], bytes: context.memory.bytes, adapter: context.adapter };
  })()`)) as {
    first: { reports: { loss: number; accuracy: number }[]; file: number[] };
    second: { file: number[] };
    noise: number[];
    bytes: number;
  };
  expect(result.first.reports.at(-1)!.accuracy).toBeGreaterThan(0.97);
  expect(result.first.reports.at(-1)!.loss).toBeLessThan(result.first.reports[0]!.loss);
  expectSame(result.second.file, result.first.file);
  expectSame(result.noise, [...integerWeights({ seed: 9, tensor: 0, distribution: 'normal' }, [0, 600], [0, 30])]);
  expect(result.bytes).toBe(0);
  expect(browser.errors).toEqual([]);
});

it('multiplies integers exactly, every distribution: the sums of the CPU twin, bit for bit', async () => {
  browser = await openBrowser();
  await browser.page.goto(browser.url('blank.html'));
  const [m, k, n] = [9, 131, 70];
  for (const distribution of elementwiseNames) {
    // With u = 1 / scale the f32 sum of integers comes out, rounded once.
    const got = (await browser.page.evaluate(`(async () => {
      const { createContext, randomMatmul } = await import('./ops.js');
      const { device } = await createContext({ backend: 'webgpu' });
      const context = await createContext({ device });
      const x = Float32Array.from({ length: ${m * k} }, (_, i) => ((i * 37) % 101) - 50);
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      const input = device.createBuffer({ size: x.byteLength, usage });
      device.queue.writeBuffer(input, 0, x);
      const y = device.createBuffer({ size: ${4 * m * n}, usage });
      await randomMatmul(context, { m: ${m}, k: ${k}, n: ${n}, weights: { seed: 5, tensor: 1, distribution: '${distribution}' }, x: input, y });
      const read = device.createBuffer({ size: y.size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(y, 0, read, 0, y.size);
      device.queue.submit([encoder.finish()]);
      await read.mapAsync(GPUMapMode.READ);
      return [...new Float32Array(read.getMappedRange())];
    })()`)) as number[];
    const integers = integerWeights({ seed: 5, tensor: 1, distribution }, [0, k], [0, n]);
    const { weightScale } = await import('../../src/weights/distributions.ts');
    const want = Float32Array.from({ length: m * n }, (_, i) => {
      let sum = 0;
      for (let l = 0; l < k; l++) sum += ((((Math.floor(i / n) * k + l) * 37) % 101) - 50) * integers[l * n + (i % n)]!;
      return Math.fround(sum * weightScale(distribution, k));
    });
    expectSame(
      got,
      want.map((value) => value + 0),
      distribution,
    );
  }
});

it('names what is missing where there is no WebGPU', async () => {
  browser = await openBrowser();
  await browser.page.goto(browser.url('blank.html'));
  const message = await browser.page.evaluate(`(async () => {
    const { createContext, NoAdapterError } = await import('./weightless.js');
    const gpu = { requestAdapter: async () => null };
    const error = await createContext({ gpu }).catch((error) => error);
    return [error instanceof NoAdapterError, error.message];
  })()`);
  expect(message).toEqual([true, expect.stringContaining('no usable graphics driver')]);
});

it('a device lost in the middle of fit is refused by name, without a hang', async () => {
  browser = await openBrowser();
  await browser.page.goto(browser.url('blank.html'));
  const name = await browser.page.evaluate(`(async () => {
    const w = { ...(await import('./weightless.js')), ...(await import('./train.js')) };
    const context = await w.createContext({ backend: 'webgpu' });
    const features = Float32Array.from({ length: 40000 }, (_, i) => Math.sin(i));
    const data = w.dataSet({ features, shape: [20], labels: Array.from({ length: 2000 }, (_, i) => i % 2) });
    const model = w.sequential([w.halfDense({ units: 16 }), w.dense({ units: 2 })], { input: [20] });
    try {
      const onProgress = ({ phase }) => phase === 'train' && context.device.destroy();
      for await (const _ of w.fit(context, model, data, { epochs: 100, batchSize: 16, onProgress }));
    } catch (error) {
      return error.name;
    }
  })()`);
  expect(name).toBe('DeviceLostError');
});
