/** The bundle in headless Chromium and Firefox: predicts as Node does, trains, names its errors. */
import { describe, expect, it } from 'vitest';
import { featuresAsFloats, head } from '../../src/data/dataset.ts';
import { loadMnist } from '../../src/data/mnist.ts';
import { dense, halfDense } from '../../src/layers/dense.ts';
import { sequential } from '../../src/model/model.ts';
import { saveModel } from '../../src/model/save.ts';
import { createContext } from '../../src/open.ts';
import { createPredictor } from '../../src/predict/predictor.ts';
import { fit } from '../../src/train/fit.ts';
import { integerWeights } from '../../src/weights/distributions.ts';
import { expectClose, expectSame } from '../compare.ts';
import { freshContext } from '../gpu.ts';
import { browserNames, openPage } from './harness.ts';

const classes = (logits: ArrayLike<number>) =>
  Array.from({ length: logits.length / 10 }, (_, row) => {
    const scores = Array.from({ length: 10 }, (_, i) => logits[row * 10 + i]!);
    return scores.indexOf(Math.max(...scores));
  });

/** A model trained in Node and what it predicts there. */
async function trainInNode() {
  const [train, test] = [head(await loadMnist('train'), 2000), head(await loadMnist('test'), 256)];
  const layers = [
    halfDense({ units: 96 }),
    halfDense({ units: 64, weights: 'sparse', activation: 'gelu' }),
    dense({ units: 10 }),
  ];
  const model = sequential(layers, { input: train.shape, seed: 2 });
  const cpu = await createContext({ backend: 'cpu', threads: 1 }); // no pipelines to compile
  for await (const _ of fit(cpu, model, train, { epochs: 3, learningRate: 0.01 }));
  const context = await freshContext();
  const pixels = featuresAsFloats(test);
  const predictor = await createPredictor(context, model);
  const want = await predictor.predict(pixels);
  context.dispose();
  const hits = classes(want).filter((answer, i) => answer === test.labels[i]).length;
  expect(hits).toBeGreaterThan(170);
  return { model: saveModel(model), pixels: new Uint8Array(pixels.buffer), want };
}
let trained: ReturnType<typeof trainInNode> | undefined;

describe.each(browserNames)('%s', (name) => {
  it('a page with one script tag loads a model trained in Node and predicts the same', async () => {
    trained ??= trainInNode();
    const { model, pixels, want } = await trained;
    const { page, url, errors } = await openPage(name, { 'model.safetensors': model, pixels });
    await page.goto(url('predict.html'));
    await page.waitForFunction('window.logits');
    const got = (await page.evaluate('window.logits')) as number[];
    expectClose(got, want, {
      absolute: 1e-4,
      relative: 1e-4,
      reason: 'the same kernels, maybe another driver: f32 sums',
    });
    expect(classes(got)).toEqual(classes(want));
    expect(errors).toEqual([]);
  });

  it('trains a small network, twice the same, and regenerates the weights of the CPU twin', async () => {
    const { page, url, errors } = await openPage(name);
    await page.goto(url('blank.html'));
    const result = (await page.evaluate(`(async () => {
    const w = { ...(await import('./weightless.js')), ...(await import('./train.js')) };
    const context = await w.createContext({ backend: 'webgpu' });
    const [rows, columns] = [640, 30];
    const labels = Array.from({ length: rows }, (_, i) => i % 3);
    const noise = w.integerWeights({ seed: 9, tensor: 0, distribution: 'normal' }, [0, rows], [0, columns]);
    const features = Float32Array.from(noise, (value, i) => value / 43 + ((i % columns) % 3 === labels[Math.floor(i / columns)] ? 2 : 0));
    const data = w.dataSet({ features, shape: [columns], labels });
    const run = async () => {
      const layers = [w.halfDense({ units: 40 }), w.halfDense({ units: 30, weights: 'binary', activation: 'tanh' }), w.dense({ units: 3 })];
      const model = w.sequential(layers, { input: [columns], seed: 4 });
      const reports = [];
      for await (const report of w.fit(context, model, data, { epochs: 6, batchSize: 32, learningRate: w.cosine(0.02) })) reports.push(report);
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
    expectSame(result.noise, [...integerWeights({ seed: 9, tensor: 0, distribution: 'normal' }, [0, 640], [0, 30])]);
    expect(result.bytes).toBe(0);
    expect(errors).toEqual([]);
  });

  it('answers when the work is done, not at the next look of the browser (Firefox: every 100 ms)', async () => {
    const { page, url } = await openPage(name);
    await page.goto(url('blank.html'));
    const times = (await page.evaluate(`(async () => {
      const { createContext, randomMatmul } = await import('./ops.js');
      const context = await createContext({ backend: 'webgpu' });
      const [x, y] = [1, 2].map(() => context.device.createBuffer({ size: 256, usage: GPUBufferUsage.STORAGE }));
      const weights = { seed: 1, tensor: 0, distribution: 'binary' };
      const times = [];
      for (let i = 0; i < 16; i++) {
        const started = performance.now();
        await randomMatmul(context, { m: 1, k: 8, n: 8, weights, x, y });
        times.push(performance.now() - started);
      }
      return times;
    })()`)) as number[];
    const median = times.slice(1).sort((a, b) => a - b)[7]!; // the first one compiles
    console.log(`${name}: a random product of 8 x 8, until it is done: median ${median.toFixed(1)} ms`);
    expect(median).toBeLessThan(80);
  });

  it('names what is missing where there is no WebGPU', async () => {
    const { page, url } = await openPage(name);
    await page.goto(url('blank.html'));
    const message = await page.evaluate(`(async () => {
    const { createContext, NoAdapterError } = await import('./weightless.js');
    const gpu = { requestAdapter: async () => null };
    const error = await createContext({ gpu }).catch((error) => error);
    return [error instanceof NoAdapterError, error.message];
  })()`);
    expect(message).toEqual([true, expect.stringContaining('no usable graphics driver')]);
  });
});
