/** Adapters in Chromium, each against the real library: bundled from bench/node_modules, on one software device. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Browser, openBrowser } from './harness.ts';

const root = join(import.meta.dirname, '../..');
const peers = join(root, 'bench/node_modules');

/** A page's module with the library as it is built, and the peers as their packages are. */
async function bundled(name: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [`test/browser/adapters/${name}.js`],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    nodePaths: [peers],
    external: ['/*.mjs'],
    alias: Object.fromEntries(
      [
        ['weightless', 'weightless'],
        ...['train', 'ops', 'tfjs', 'onnxruntime', 'jax'].map((entry) => [`weightless/${entry}`, entry]),
      ].map(([specifier, file]) => [specifier!, join(root, `dist/${file}.js`)]),
    ),
    logLevel: 'error',
  });
  return outputFiles[0]!.contents;
}

let browser: Browser;
const names = ['tfjs', 'onnxruntime', 'jax'] as const;
/** What ONNX Runtime Web loads by itself. */
const runtime = ['ort.webgpu.min.mjs', 'ort-wasm-simd-threaded.asyncify.mjs', 'ort-wasm-simd-threaded.asyncify.wasm'];

beforeAll(async () => {
  const pages = await Promise.all(
    names.map(async (name) => [
      [
        `${name}.html`,
        new TextEncoder().encode(
          `<!doctype html><link rel="icon" href="data:,"><script type="module" src="${name}.js"></script>`,
        ),
      ],
      [`${name}.js`, await bundled(name)],
    ]),
  );
  const files = runtime.map((name) => [name, readFileSync(join(peers, 'onnxruntime-web/dist', name))]);
  browser = await openBrowser('Chromium', Object.fromEntries([...pages.flat(), ...files]));
});
afterAll(() => browser?.close());

const open = async (name: (typeof names)[number]) => {
  await browser.page.goto(browser.url(`${name}.html`));
  await browser.page.waitForFunction('window.tests');
};
const inPage = async <T>(test: string): Promise<T> => (await browser.page.evaluate(`tests.${test}()`)) as T;

describe('weightless/tfjs', () => {
  beforeAll(() => open('tfjs'));

  it('says what it needs where it is not there', async () => {
    const { before, withoutLayers } = await inPage<Record<string, string>>('refusals');
    expect(before).toMatch(/WeightlessError: .*expected TensorFlow.js on its webgpu backend, got/);
    expect(withoutLayers).toMatch(/expected tf.layers, got none/);
  });

  it('multiplies, differentiates, and differentiates the gradient, as the stored matrix does', async () => {
    const { worst, shapes, expected } = await inPage<{ worst: number[]; shapes: unknown; expected: unknown }>(
      'product',
    );
    expect(shapes).toEqual(expected);
    for (const error of worst) expect(error).toBeLessThan(1e-5); // f32 sums in another order, of the largest
  });

  it('trains with the loss curve of our own trainer, and is saved without its weights', async () => {
    const { own, theirs, bytes, trainable, saved, adapter } = await inPage<{
      own: number[];
      theirs: number[];
      bytes: number;
      trainable: number;
      saved: boolean;
      adapter: string;
    }>('losses');
    expect(adapter).toBe('webgpu');
    expect(own).toHaveLength(30);
    expect(own.at(-1)!).toBeLessThan(0.5 * own[0]!);
    const worst = Math.max(...own.map((loss, i) => Math.abs(loss - theirs[i]!) / loss));
    console.log(`loss curves of 30 steps, ${own[0]} to ${own.at(-1)}: at most ${worst} apart, relative`);
    expect(worst).toBeLessThan(1e-4); // f32 in another order, 30 steps of Adam on top of one another
    expect(trainable).toBe(2 * 32 + 2 * 24 + 24 * 4 + 4);
    expect(bytes).toBe(4 * trainable);
    expect(saved).toBe(true);
  });

  it('VeRA: the wrapped layer stays, d and b are trained', async () => {
    const { start, kept, trained, losses } = await inPage<{
      start: number;
      kept: number;
      trained: unknown;
      losses: number[];
    }>('vera');
    expect(start).toBeLessThan(1e-6); // b starts as 0
    expect(kept).toBe(0);
    expect(trained).toEqual([
      ['d', [4]],
      ['b', [8]],
    ]);
    expect(losses.at(-1)!).toBeLessThan(0.1 * losses[0]!);
  });

  it('leaks no tensor and no buffer over hundreds of calls', async () => {
    const { before, after, left } = await inPage<{ before: string; after: string; left: number }>('leaks');
    expect(after).toBe(before);
    expect(left).toBe(0);
  });
});

describe('weightless/onnxruntime', () => {
  beforeAll(() => open('onnxruntime'));

  it('a half layer between two sessions, on their device, from GPU tensor to GPU tensor', async () => {
    const { early, alike, refused, shape, same, worst, length, held, left } = await inPage<{
      early: string;
      alike: unknown;
      refused: string;
      shape: string;
      same: boolean;
      worst: number[];
      length: number[];
      held: number;
      left: number;
    }>('sandwich');
    expect(early).toMatch(/WeightlessError: .*expected env.webgpu.device, got none/);
    expect(refused).toMatch(
      /WeightlessError: .*expected 'x' as float32 on the device \(gpu-buffer\), got float32 in cpu/,
    );
    expect(shape).toMatch(/ShapeError: .*expected x of shape \(..., 33\), got \(6, 20\)/);
    expect(same).toBe(true);
    expect(alike).toEqual({ dims: [2, 3, 20], same: true });
    expect(length).toEqual([6 * 20, 6 * 4]);
    for (const error of worst) expect(error).toBeLessThan(1e-5); // f32 sums, of the largest
    expect(held).toBeGreaterThan(0);
    expect(left).toBe(0);
  });
});

describe('weightless/jax', () => {
  beforeAll(() => open('jax'));

  it('makes the matrices bit for bit, of integers of 32 bits', async () => {
    expect(await inPage('matrices')).toEqual({ normal: 0, binary: 0, uniform: 0, sparse: 0 });
  });

  it('has gradients under jit and valueAndGrad, those of the stored matrix', async () => {
    const worst = await inPage<number[]>('gradients');
    expect(worst).toHaveLength(4);
    for (const error of worst) expect(error).toBeLessThan(1e-5); // f32 sums in another order, of the largest
  });

  it('runs our kernels on its arrays, on its device', async () => {
    const { early, worst, ...rest } = await inPage<{ early: string; worst: number }>('kernels');
    expect(early).toMatch(/WeightlessError: .*expected jax-js on WebGPU, got: no device/);
    expect(rest).toEqual({ shape: [5, 12], zeros: true, same: true, left: 0 });
    expect(worst).toBeLessThan(1e-5); // f32 sums in another order, of the largest
  });
});

it('the pages said nothing else', () => expect(browser.errors).toEqual([]));
