/** Chromium where it differs from a plain page: a Manifest V3 extension, devices of featureLevel 'compatibility'. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { browsers } from '../../scripts/browsers.mjs';
import { createContext, createPredictor, dense, halfDense, sequential } from '../../src/index.ts';
import { saveModel } from '../../src/model/save.ts';
import { expectClose } from '../compare.ts';
import { openPage } from './harness.ts';

const model = sequential([halfDense({ units: 8, activation: 'tanh' }), dense({ units: 3 })], { input: [4], seed: 6 });
const inputs = [0.1, -0.2, 0.3, 0.4];
let expected: number[];
beforeAll(async () => {
  const context = await createContext({ backend: 'cpu', threads: 1 });
  expected = [...(await (await createPredictor(context, model)).predict(inputs))];
  context.dispose();
});

interface Result {
  readonly backend?: string;
  readonly outputs?: number[];
  readonly message?: string;
}

const answer = `
export async function answer() {
  try {
    const context = await createContext({ backend: 'cpu' });
    const predictor = await loadModel(context, 'model.safetensors');
    return { backend: context.backend, outputs: [...(await predictor.predict(${JSON.stringify(inputs)}))] };
  } catch ({ message }) {
    return { message };
  }
}`;

it('a Manifest V3 extension: its page and its service worker predict on the CPU', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weightless-extension-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(import.meta.dirname, '../../dist'), folder, {
    recursive: true,
    filter: (path) => !/cjs|types|\.map$|cli\.js$/.test(path),
  });
  const manifest = {
    manifest_version: 3,
    name: 'weightless',
    version: '1.0',
    background: { service_worker: 'background.js', type: 'module' },
    content_security_policy: { extension_pages: "script-src 'self' 'wasm-unsafe-eval'; object-src 'self'" },
  };
  const files = {
    'manifest.json': JSON.stringify(manifest),
    'model.safetensors': saveModel(model),
    'page.html': '<!doctype html><script type="module" src="page.js"></script>',
    'page.js': `import { createContext, loadModel } from './weightless.js';${answer}\nwindow.result = await answer();`,
    'background.js': `import { createContext, loadModel } from './static.js';${answer}\nself.answer = answer;`,
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const { args, ...options } = browsers.Chromium({});
  const browser = await puppeteer.launch({
    ...options,
    args: args ?? [],
    headless: true,
    pipe: true,
    enableExtensions: [folder],
  });
  onTestFinished(() => browser.close());
  const target = await browser.waitForTarget((found) => found.type() === 'service_worker');
  const worker = (await target.worker())!;
  const page = await browser.newPage();
  await page.goto(new URL('page.html', target.url()).href);
  await page.waitForFunction('window.result');
  const results = [await page.evaluate('window.result'), await worker.evaluate('self.answer()')];
  expect(results).toEqual([1, 2].map(() => ({ backend: 'cpu', outputs: expected })));
});

it("featureLevel 'compatibility': createContext asks for large workgroups; a device without them is named", async () => {
  const script = `
import { createContext, loadModel } from './weightless.js';
const requestAdapter = (options) => navigator.gpu.requestAdapter({ ...options, featureLevel: 'compatibility' });
const made = await createContext({ gpu: { requestAdapter } });
const predictor = await loadModel(made, 'model.safetensors');
const outputs = [...(await predictor.predict(${JSON.stringify(inputs)}))];
const device = await (await requestAdapter()).requestDevice();
const { message } = await createContext({ device }).catch((error) => error);
window.result = { core: made.device.features.has('core-features-and-limits'), outputs, message };`;
  const text = (value: string) => new TextEncoder().encode(value);
  const { page, url } = await openPage('Chromium', {
    'page.html': text('<!doctype html><link rel="icon" href="data:,"><script type="module" src="page.js"></script>'),
    'page.js': text(script),
    'model.safetensors': saveModel(model),
  });
  await page.goto(url('page.html'));
  await page.waitForFunction('window.result');
  const result = (await page.evaluate('window.result')) as Result & { core: boolean };
  expect(result.core).toBe(false);
  expectClose(result.outputs!, expected, { absolute: 1e-5, reason: 'f32 sums in another order' });
  expect(result.message).toMatch(/^expected a device with workgroups of 256 invocations, got 128/);
});
