/** Module service workers: `import()` is forbidden there, so weightless-gpu/static is one file. */
import { beforeAll, expect, it } from 'vitest';
import {
  conv2d,
  createContext,
  dataSet,
  dense,
  fit,
  halfDense,
  halfFields,
  loadModel,
  saveModel,
  sequential,
} from '../../src/static.ts';
import { expectClose } from '../compare.ts';
import { browserNames, openPage } from './harness.ts';

// Each layer needs a part of the library that the other entry points fetch when it is needed.
const model = sequential(
  [
    conv2d({ channels: 2, kernel: 3 }),
    halfFields({ units: 12 }),
    halfDense({ units: 16, weights: 'orthogonal' }),
    dense({ units: 3 }),
  ],
  { input: [6, 6], seed: 6 },
);
const inputs = Float32Array.from({ length: 36 }, (_, i) => Math.sin(i + 1));
const training = { features: [...inputs, ...inputs.map((x) => -x)], shape: [6, 6], labels: [0, 2] };

let expected: { outputs: number[]; losses: number[] };
beforeAll(async () => {
  const context = await createContext({ backend: 'cpu', threads: 1 });
  const predictor = await loadModel(context, saveModel(model));
  const outputs = [...(await predictor.predict(inputs))];
  const losses: number[] = [];
  for await (const { loss } of fit(context, predictor.model, dataSet(training), { epochs: 2 })) losses.push(loss);
  expected = { outputs, losses };
  context.dispose();
});

/** A worker that answers each message, the options of `createContext`, by what a model computes there. */
const worker = (entry: string) => `
import * as weightless from './${entry}.js';
const { createContext, dataSet, fit, loadModel } = weightless;
async function answer(options) {
  try {
    const context = await createContext(options);
    const predictor = await loadModel(context, 'model.safetensors');
    const outputs = [...(await predictor.predict(${JSON.stringify([...inputs])}))];
    if (context.backend === 'webgpu') return { backend: context.backend, outputs };
    const losses = [];
    const training = dataSet(${JSON.stringify(training)});
    for await (const { loss } of fit(context, predictor.model, training, { epochs: 2 })) losses.push(loss);
    return { backend: context.backend, info: context.info, outputs, losses };
  } catch ({ name, message }) {
    return { name, message };
  }
}
onmessage = ({ data, ports: [port] }) => answer(data).then((result) => port.postMessage(result));`;

/** What the service worker of an entry point answers. */
async function answerOf(name: (typeof browserNames)[number], entry: string, options: object) {
  const text = (value: string) => new TextEncoder().encode(value);
  const files = { 'worker.js': text(worker(entry)), 'model.safetensors': saveModel(model) };
  const { page, url } = await openPage(name, files);
  await page.goto(url('blank.html'));
  return page.evaluate(async (options) => {
    const { installing, waiting, active } = await navigator.serviceWorker.register('worker.js', { type: 'module' });
    const { port1, port2 } = new MessageChannel();
    (installing ?? waiting ?? active)!.postMessage(options, [port2]);
    return new Promise((resolve) => {
      port1.onmessage = ({ data }) => resolve(data);
    });
  }, options) as Promise<Record<string, string> & { outputs?: number[]; losses?: number[] }>;
}

it.each(browserNames)(
  '%s: weightless-gpu/static predicts and trains in a service worker, on one thread',
  async (name) => {
    const { info, ...rest } = await answerOf(name, 'static', { backend: 'cpu' });
    expect(rest).toEqual({ backend: 'cpu', ...expected });
    expect(info).toContain('No more threads: a thread of the CPU backend failed: there are no workers here');
  },
);

it('Chromium: there on WebGPU, too', async () => {
  const { backend, outputs } = await answerOf('Chromium', 'static', { backend: 'webgpu' });
  expect(backend).toBe('webgpu');
  expectClose(outputs!, expected.outputs, { absolute: 1e-5, reason: 'f32 sums in another order' });
});

it.each(browserNames)('%s: another entry point names it', async (name) => {
  const { name: error, message } = await answerOf(name, 'weightless', { backend: 'cpu' });
  expect(error).toBe('LoadError');
  expect(message).toMatch(/^a part of weightless did not load: .*in a service worker, import weightless-gpu\/static/);
});
