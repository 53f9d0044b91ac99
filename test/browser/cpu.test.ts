/** The bundle where there is no WebGPU, or the fastest backend is asked for: the CPU backend, on threads. */
import { expect, it } from 'vitest';
import { dense, halfDense } from '../../src/layers/dense.ts';
import { sequential } from '../../src/model/model.ts';
import { saveModel } from '../../src/model/save.ts';
import { createContext } from '../../src/open.ts';
import { createPredictor } from '../../src/predict/predictor.ts';
import { expectClose } from '../compare.ts';
import { freshContext } from '../gpu.ts';
import { numbers } from '../kernels/harness.ts';
import { type Opened, openPage } from './harness.ts';

const WITHOUT_WEBGPU = 'Chromium without WebGPU';

const model = () =>
  sequential(
    [
      halfDense({ units: 1500 }),
      halfDense({ units: 300, weights: 'binary', activation: 'gelu' }),
      halfDense({ units: 70, weights: 'orthogonal', activation: 'tanh' }),
      dense({ units: 10 }),
    ],
    { input: [784], seed: 2 },
  );
const x = numbers(3 * 784, 1);

interface Found {
  gpu: boolean;
  backend: string;
  info: string;
  answers: number[][];
  modules: string[];
}

/** Predicts in the page, one row and all, until both ways of the pool have been tried. */
async function predict({ page, url }: Opened, options: object): Promise<Found> {
  await page.goto(url('blank.html'));
  return (await page.evaluate(`(async () => {
    const { createContext, loadModel } = await import('./weightless.js');
    const context = await createContext(${JSON.stringify(options)});
    const model = await loadModel(context, await (await fetch('model.safetensors')).arrayBuffer());
    const x = new Float32Array(await (await fetch('x')).arrayBuffer());
    const answers = [];
    for (let i = 0; i < 12; i++) answers.push([...(await model.predict(x.subarray(0, 784)))]);
    answers.push([...(await model.predict(x))]);
    const modules = performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => name.endsWith('.js'));
    return { gpu: Boolean(navigator.gpu), backend: context.backend, info: context.info, answers, modules };
  })()`)) as Found;
}

const files = () => ({ 'model.safetensors': saveModel(model()), x: new Uint8Array(x.buffer) });

it('a page without WebGPU predicts what WebGPU and Node predict, on threads, and says so', async () => {
  const context = await freshContext();
  const want = await (await createPredictor(context, model())).predict(x);
  context.dispose();
  const here = await createContext({ backend: 'cpu', threads: 1 });
  const inNode = await (await createPredictor(here, model())).predict(x);

  const opened = await openPage(WITHOUT_WEBGPU, files());
  await opened.page.evaluateOnNewDocument('delete Navigator.prototype.gpu');
  const { gpu, backend, info, answers, modules } = await predict(opened, { threads: 2 });
  expect(gpu).toBe(false);
  expect(backend).toBe('cpu');
  expect(info).toBe('CPU by WebAssembly SIMD, 2 threads: there is no WebGPU here');
  expect(modules.filter((name) => name.endsWith('/cpu.js'))).toHaveLength(1);
  const tolerance = { absolute: 5e-5, relative: 5e-5, reason: 'f32 sums over four layers; tables of 21 bits' };
  expectClose(answers.at(-1)!, want, tolerance, 'WebGPU');
  expectClose(answers.at(-1)!, inNode, { absolute: 0, reason: 'the same instructions' }, 'Node');
  for (const row of answers.slice(0, -1)) {
    expect(row).toEqual(answers[0]);
    expectClose(row, want.subarray(0, 10), tolerance, 'one row');
  }
  expect(opened.errors).toEqual([]);
});

it('takes WebGPU by default on hardware, the CPU instead of a software adapter; WebGPU on any where that is asked for', async () => {
  const opened = await openPage('Chromium', files());
  const onGpu = await predict(opened, { backend: 'webgpu' });
  const byDefault = await predict(opened, {});
  expect(onGpu.backend).toBe('webgpu');
  expect(onGpu.info).toMatch(/^WebGPU on /);
  expect(onGpu.modules.some((name) => name.endsWith('/cpu.js'))).toBe(false);
  if (/software/.test(onGpu.info)) {
    expect(byDefault.backend).toBe('cpu');
    expect(byDefault.info).toMatch(/^CPU by WebAssembly SIMD, \d+ threads?: .*\(software\)/);
    // No code of trainings, images or tuning comes along.
    expect(byDefault.modules.map((name) => name.slice(name.lastIndexOf('/') + 1))).toEqual(['weightless.js', 'cpu.js']);
  } else expect(byDefault.backend).toBe('webgpu');
  const tolerance = { absolute: 5e-5, relative: 5e-5, reason: 'f32 sums over four layers; tables of 21 bits' };
  expectClose(byDefault.answers.at(-1)!, onGpu.answers.at(-1)!, tolerance);
  expect(opened.errors).toEqual([]);
});

it('a page whose policy forbids threads computes on one, and says so', async () => {
  const opened = await openPage(WITHOUT_WEBGPU, files());
  const { page } = opened;
  await page.setRequestInterception(true);
  page.on('request', (request) => {
    if (!request.url().endsWith('blank.html')) return void request.continue();
    const policy = "worker-src 'none'; script-src 'self' 'unsafe-eval'";
    void request.respond({
      status: 200,
      headers: { 'content-type': 'text/html', 'content-security-policy': policy },
      body: '<!doctype html><link rel="icon" href="data:,">',
    });
  });
  const { info, answers } = await predict(opened, { threads: 2 });
  expect(info).toMatch(/^CPU by WebAssembly SIMD, 1 thread: WebGPU has no adapter here\. No more threads: /);
  const inNode = await createPredictor(await createContext({ backend: 'cpu', threads: 1 }), model());
  expectClose(answers.at(-1)!, await inNode.predict(x), { absolute: 0, reason: 'the same instructions' });
});

it('trains without WebGPU', async () => {
  const { page, url, errors } = await openPage(WITHOUT_WEBGPU);
  await page.goto(url('blank.html'));
  const losses = (await page.evaluate(`(async () => {
    const w = { ...(await import('./weightless.js')), ...(await import('./train.js')) };
    const context = await w.createContext();
    const labels = Array.from({ length: 600 }, (_, i) => i % 3);
    const features = Float32Array.from({ length: 600 * 30 }, (_, i) => Math.sin(i * i) + ((i % 30) % 3 === labels[Math.floor(i / 30)] ? 2 : 0));
    const data = w.dataSet({ features, shape: [30], labels });
    const model = w.sequential([w.halfDense({ units: 40 }), w.halfDense({ units: 30, weights: 'binary', activation: 'tanh' }), w.dense({ units: 3 })], { input: [30], seed: 4 });
    const reports = [];
    for await (const report of w.fit(context, model, data, { epochs: 8, batchSize: 32, learningRate: w.cosine(0.02) })) reports.push(report);
    const predictor = await w.createPredictor(context, model);
    const answers = await predictor.predict(features);
    const hits = labels.filter((label, row) => answers.subarray(3 * row, 3 * row + 3).indexOf(Math.max(...answers.subarray(3 * row, 3 * row + 3))) === label);
    return [...reports.map(({ loss }) => loss), hits.length];
  })()`)) as number[];
  expect(losses[7]!).toBeLessThan(losses[0]!);
  expect(losses[8]!).toBeGreaterThan(580);
  expect(errors).toEqual([]);
});
