/** Pages under content security policies: what their policy allows computes, and what it forbids has a name. */
import { expect, it } from 'vitest';
import { createContext, dense, halfDense, sequential } from '../../src/index.ts';
import { saveModel } from '../../src/model/save.ts';
import { createPredictor } from '../../src/predict/predictor.ts';
import { expectClose } from '../compare.ts';
import { browserNames, openPage } from './harness.ts';

const model = sequential([halfDense({ units: 8, activation: 'tanh' }), dense({ units: 3 })], { input: [4], seed: 6 });

const script = `
import { createContext, loadModel } from './weightless.js';
const options = JSON.parse(document.querySelector('meta[name=options]').content);
try {
  const context = await createContext(options);
  const predictor = await loadModel(context, 'model.safetensors');
  const outputs = [...(await predictor.predict([0.1, -0.2, 0.3, 0.4]))];
  window.result = { backend: context.backend, info: context.info, outputs };
} catch ({ name, message }) {
  window.result = { name, message };
}`;

async function under(name: (typeof browserNames)[number], policy: string, options: object) {
  const text = (value: string) => new TextEncoder().encode(value);
  const html =
    `<!doctype html><meta http-equiv="Content-Security-Policy" content="${policy}">` +
    `<meta name="options" content='${JSON.stringify(options)}'><link rel="icon" href="data:,">` +
    '<script type="module" src="script.js"></script>';
  const files = { 'page.html': text(html), 'script.js': text(script), 'model.safetensors': saveModel(model) };
  const { page, url } = await openPage(name, files);
  await page.goto(url('page.html'));
  await page.waitForFunction('window.result');
  return (await page.evaluate('window.result')) as Record<string, string> & { outputs: number[] };
}

const outputs = async () => {
  const context = await createContext({ backend: 'cpu', threads: 1 });
  const predictor = await createPredictor(context, model);
  const made = await predictor.predict([0.1, -0.2, 0.3, 0.4]);
  context.dispose();
  return made;
};

it.each(browserNames)("%s: default-src 'self' forbids WebAssembly, so WebGPU computes", async (name) => {
  const { backend, outputs: got } = await under(name, "default-src 'self'", {});
  expect(backend).toBe('webgpu');
  expectClose(got, await outputs(), { absolute: 1e-5, reason: 'f32 sums in another order' });
});

it.each(browserNames)("%s: default-src 'self' and backend 'cpu': the error names the policy", async (name) => {
  const { name: error, message } = await under(name, "default-src 'self'", { backend: 'cpu' });
  expect(error).toBe('NoAdapterError');
  expect(message).toMatch(/expected WebAssembly for the CPU kernels, got: .*'wasm-unsafe-eval' to its script-src/);
});

it.each(browserNames)("%s: script-src 'self' 'wasm-unsafe-eval' is enough for the CPU", async (name) => {
  const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";
  const { backend, outputs: got } = await under(name, policy, { backend: 'cpu' });
  expect(backend).toBe('cpu');
  expectClose(got, await outputs(), { absolute: 0, reason: 'the same instructions' });
});
