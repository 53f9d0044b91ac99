/** Adapters in Chromium, each against the real library: bundled from bench/node_modules, on one software device. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { openPage } from './harness.ts';

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
        ['weightless-gpu', 'weightless'],
        ...['train', 'ops', 'tfjs', 'onnxruntime', 'jax'].map((entry) => [`weightless-gpu/${entry}`, entry]),
      ].map(([specifier, file]) => [specifier!, join(root, `dist/${file}.js`)]),
    ),
    logLevel: 'error',
  });
  return outputFiles[0]!.contents;
}

/** What ONNX Runtime Web loads by itself. */
const runtime = ['ort.webgpu.min.mjs', 'ort-wasm-simd-threaded.asyncify.mjs', 'ort-wasm-simd-threaded.asyncify.wasm'];

/** The page of a library; answers what calls its tests. One page a library: pipelines are compiled once. */
async function open(name: string, more: readonly string[] = []) {
  const html = `<!doctype html><link rel="icon" href="data:,"><script type="module" src="${name}.js"></script>`;
  const files = {
    'test.html': new TextEncoder().encode(html),
    [`${name}.js`]: await bundled(name),
    ...Object.fromEntries(more.map((file) => [file, readFileSync(join(peers, 'onnxruntime-web/dist', file))])),
  };
  const { page, url, errors } = await openPage('Chromium', files);
  await page.goto(url('test.html'));
  await page.waitForFunction('window.tests');
  return async <T>(test: string): Promise<T> => {
    const answer = (await page.evaluate(`tests.${test}()`)) as T;
    expect(errors).toEqual([]);
    return answer;
  };
}

it('weightless-gpu/tfjs: products, gradients, training with our loss curve, saving, VeRA, no leaks', async () => {
  const inPage = await open('tfjs');

  // What it needs, where it is not there.
  const { before: refused, withoutLayers } = await inPage<Record<string, string>>('refusals');
  expect(refused).toMatch(/WeightlessError: .*expected TensorFlow.js on its webgpu backend, got 'cpu'/);
  expect(withoutLayers).toMatch(/expected tf.layers, got none/);

  // The product, its gradient and the gradient of that, as with the stored matrix.
  const product = await inPage<{ worst: number[]; shapes: unknown; expected: unknown }>('product');
  expect(product.shapes).toEqual(product.expected);
  for (const error of product.worst) expect(error).toBeLessThan(1e-5); // f32 sums in another order, of the largest

  // Every element type, on the device or not, is the same numbers; what holds none is refused.
  const { worst: byType, refused: wrong } = await inPage<Record<'worst' | 'refused', Record<string, unknown>>>('types');
  expect(Object.keys(byType)).toHaveLength(13);
  for (const [name, difference] of Object.entries(byType))
    expect({ name, difference }).toEqual({ name, difference: 0 });
  expect(wrong).toEqual({
    disposed: expect.stringMatching(/^WeightlessError: .*expected 'x' in use, got one that was disposed/),
    complex64: expect.stringMatching(/^WeightlessError: .*expected 'x' as float32, int32 or bool, got complex64/),
    string: expect.stringMatching(/^WeightlessError: .*expected 'x' as float32, int32 or bool, got string/),
  });

  // The loss curve of `fit`; the file holds what is trained and no random weight.
  const { own, theirs, ...rest } = await inPage<{ own: number[]; theirs: number[] }>('losses');
  expect(own).toHaveLength(30);
  expect(own.at(-1)!).toBeLessThan(0.5 * own[0]!);
  const worst = Math.max(...own.map((loss, i) => Math.abs(loss - theirs[i]!) / loss));
  console.log(`loss curves of 30 steps, ${own[0]} to ${own.at(-1)}: at most ${worst} apart, relative`);
  expect(worst).toBeLessThan(1e-4); // f32 in another order, 30 steps of Adam on top of one another
  const trainable = 2 * 32 + 2 * 24 + 24 * 4 + 4;
  expect(rest).toEqual({ adapter: 'webgpu', trainable, bytes: 4 * trainable, saved: true });

  // VeRA: the wrapped layer stays, d and b are trained.
  const vera = await inPage<{ start: number; kept: number; trained: unknown; losses: number[] }>('vera');
  expect(vera.start).toBeLessThan(1e-6); // b starts as 0
  expect(vera.kept).toBe(0);
  expect(vera.trained).toEqual([
    ['d', [4]],
    ['b', [8]],
  ]);
  expect(vera.losses.at(-1)!).toBeLessThan(0.1 * vera.losses[0]!);

  // Hundreds of calls leave no tensor and no buffer.
  const { before, after, left } = await inPage<{ before: string; after: string; left: number }>('leaks');
  expect(after).toBe(before);
  expect(left).toBe(0);
}, 240_000);

it('weightless-gpu/onnxruntime: a half layer between two sessions, on their device, from GPU tensor to GPU tensor', async () => {
  const inPage = await open('onnxruntime', runtime);
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

  const {
    want,
    late,
    worst: bytes,
    ...types
  } = await inPage<{ want: number[]; late: number[][]; worst: number }>('types');
  expect(want.some((value) => value !== 0)).toBe(true);
  expect(late).toEqual([want, want]); // disposed while they waited
  expect(bytes).toBeLessThan(1e-6); // integer sums beside f32 ones
  expect(types).toEqual({
    parameters: { Float64Array: true, Int32Array: true, Uint8Array: true, Array: true },
    integers: { type: 'int32', same: true },
    refused: {
      'run after dispose': expect.stringMatching(/^WeightlessError: .*expected a layer in use/),
      'scale too short': expect.stringMatching(/^ShapeError: .*expected 5 numbers of scale, one for each unit, got 2/),
      'scale not finite': expect.stringMatching(/^ShapeError: .*expected finite numbers of scale .*got 1e\+39 at 3/),
      int32: expect.stringMatching(/^WeightlessError: .*expected 'x' as float32 on the device .*got int32/),
      float16: expect.stringMatching(/^WeightlessError: .*expected 'x' as float32 on the device .*got float16/),
      'another shape': expect.stringMatching(/^ShapeError: .*expected 'x' of shape \(3, 8\), got \(8, 3\)/),
      'another name': expect.stringMatching(/^ShapeError: .*expected inputs x; got one called 'z'/),
      disposed: expect.stringMatching(/^WeightlessError: .*expected 'x' in use, got one that was disposed/),
    },
  });
});

it('weightless-gpu/jax: the matrices bit for bit; gradients under jit and valueAndGrad; our kernels on its arrays', async () => {
  const inPage = await open('jax');
  expect(await inPage('matrices')).toEqual({ normal: 0, binary: 0, uniform: 0, sparse: 0, codeword: 0 });

  const worst = await inPage<number[]>('gradients');
  expect(worst).toHaveLength(4);
  for (const error of worst) expect(error).toBeLessThan(1e-5); // f32 sums in another order, of the largest

  const { early, worst: error, ...rest } = await inPage<{ early: string; worst: number }>('kernels');
  expect(early).toMatch(/WeightlessError: .*expected jax-js on WebGPU, got: no device/);
  expect(rest).toEqual({ shape: [5, 12], zeros: true, same: true, left: 0 });
  expect(error).toBeLessThan(1e-5);

  const { worst: byType, ...types } = await inPage<{ worst: Record<string, number> }>('types');
  expect(Object.keys(byType)).toHaveLength(6);
  for (const [name, difference] of Object.entries(byType))
    expect({ name, difference }).toEqual({ name, difference: 0 });
  expect(types).toEqual({
    exact: { dtype: 'int32', same: true },
    refused: {
      disposed: expect.stringMatching(/^WeightlessError: .*expected 'x' in use, got one that was disposed/),
      'another shape': expect.stringMatching(/^ShapeError: .*expected 'x' of shape \(2, 4\), got \(4, 2\)/),
      'another name': expect.stringMatching(/^ShapeError: .*expected inputs x; got one called 'q'/),
    },
  });
});
