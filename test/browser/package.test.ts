/** The packed package in an empty project: what is in it, types, bundlers, and every example, each in the browser. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { browserNames, openPage } from './harness.ts';
import { packed, projectFolder, root, run } from './packed.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightless-package-'));
const examples = join(folder, 'examples');
beforeAll(() => {
  cpSync(join(root, 'examples'), examples, { recursive: true, filter: (path) => !/node_modules|\bout$/.test(path) });
  cpSync(join(root, 'demo/models'), join(folder, 'demo/models'), { recursive: true });
  rmSync(join(examples, 'package.json'));
  writeFileSync(join(examples, 'package.json'), '{ "private": true, "type": "module" }');
  run('npm', ['install', '--offline', '--no-audit', '--no-fund', packed().tarball], examples);
  const { scripts } = JSON.parse(readFileSync(join(root, 'examples/package.json'), 'utf8'));
  const made = JSON.parse(readFileSync(join(examples, 'package.json'), 'utf8'));
  writeFileSync(join(examples, 'package.json'), JSON.stringify({ ...made, scripts }));
  run('npm', ['run', 'build'], examples);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('holds the bundles, their types, and nothing else', () => {
  const stray = packed().paths.filter(
    (path) =>
      !/^(package\.json|README\.md|LICENSE|demo\/models\/mnist-half-1536\.safetensors|dist\/[\w.-]+\.(js|wasm)|dist\/predict\.py|dist\/types\/.*\.d\.ts)$/.test(
        path,
      ),
  );
  expect(stray).toEqual([]);
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const paths = packed().paths.map((path) => `./${path}`);
  for (const target of Object.values(exports)) {
    for (const path of typeof target === 'string' ? [target] : Object.values(target as object)) {
      expect(paths).toContain(path);
    }
  }
});

it.each([
  { module: 'ESNext', moduleResolution: 'bundler' },
  { module: 'node16', moduleResolution: 'node16' },
])('type-checks strictly with moduleResolution $moduleResolution', (resolution) => {
  const project = join(examples, `types-${resolution.moduleResolution}`);
  mkdirSync(project);
  const options = {
    ...resolution,
    target: 'ES2022',
    lib: ['ES2022', 'DOM'],
    types: [],
    strict: true,
    noEmit: true,
    skipDefaultLibCheck: true,
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['main.ts'] }));
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  writeFileSync(
    join(project, 'main.ts'),
    `import { createContext, LoadError, loadModel, type Context, type Predictor } from 'weightless-gpu';
     import { fit, type FitProgress } from 'weightless-gpu/train';
     import { type OperationSpec, type Operation, prepare, randomMatmul } from 'weightless-gpu/ops';
     import { connect } from 'weightless-gpu/tfjs';
     import { randomMatrix } from 'weightless-gpu/jax';
     import { connect as connectOnnx } from 'weightless-gpu/onnxruntime';
     import { nodeGpu } from 'weightless-gpu/node';
     export async function use(device: GPUDevice, buffer: GPUBuffer): Promise<Float32Array> {
       const context: Context = await createContext({ device, gpu: await nodeGpu() });
       const weights = { seed: 1n, tensor: 0, distribution: 'orthogonal' } as const;
       await randomMatmul(context, { m: 1, k: 2, n: 3, weights, x: buffer, y: { buffer, offset: 0, size: 12 } });
       const spec: OperationSpec = { op: 'halfConv2d', rows: 1, height: 9, width: 9, channels: 1, filters: 4, kernel: [3, 3], weights: { seed: 1, tensor: 0, distribution: 'binary' } };
       const operation: Operation = await prepare(context, spec);
       operation.encode(device.createCommandEncoder(), { x: buffer, y: buffer });
       // @ts-expect-error: no such operation
       await prepare(context, { op: 'softmax' });
       connect satisfies Function; connectOnnx satisfies Function; randomMatrix satisfies Function;
       const model: Predictor = await loadModel(createContext(), new URL('https://localhost/'), { onProgress: (loaded: number) => loaded });
       for await (const { loss } of fit(context, model.model, undefined!, { onProgress: ({ done }: FitProgress) => done })) loss.toFixed();
       // @ts-expect-error: no such distribution
       weights.distribution satisfies 'gaussian';
       return model.predict([1, 2]);
     }
     export const status = (error: unknown): number | undefined => (error instanceof LoadError ? error.status : undefined);`,
  );
  expect(run('tsc', ['-p', project], project)).toBe('');
});

it('loads in Node: every entry point', () => {
  const code = `const all = await Promise.all(['', '/train', '/ops', '/node', '/tfjs', '/onnxruntime', '/jax'].map((name) => import('weightless-gpu' + name)));
    console.log(all.map((module) => Object.keys(module).length > 0).join())`;
  expect(run('node', ['--input-type=module', '-e', code], examples).trim()).toBe('true,true,true,true,true,true,true');
});

/** Every file under a folder, by its path from the place that is served. */
function filesUnder(path: string): Record<string, Uint8Array> {
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(path, name)).isFile(),
  );
  return Object.fromEntries(
    names.map((name) => [relative(folder, join(path, name)).replaceAll('\\', '/'), readFileSync(join(path, name))]),
  );
}

const shown: readonly [string, RegExp][] = [
  ['import-map/index.html', /^7 \(\d+\.\d%\)$/],
  ['script-tag/index.html', /^7$/],
  ['esbuild/index.html', /^7 \(\d+\.\d%\)$/],
  ['vite/out/index.html', /^7 \(\d+\.\d%\)$/],
  ['worker/index.html', /^7 \(\d+\.\d%\)$/],
  ['typescript/index.html', /^(9\d\.\d|100\.0)% right after training, \d+ bytes; inside\? true, false$/],
];
it.each(browserNames.flatMap((browser) => shown.map((example) => [browser, ...example] as const)))(
  '%s: example %s',
  async (browser, path, answer) => {
    const { page, url, errors } = await openPage(browser, {
      ...filesUnder(examples),
      ...filesUnder(join(folder, 'demo')),
    });
    await page.goto(url(`examples/${path}`));
    const output = "document.querySelector('output').textContent";
    await page.waitForFunction(`!${output}.startsWith('\u2026')`);
    expect(await page.evaluate(output)).toMatch(answer);
    expect(errors).toEqual([]);
  },
);

it('type-checks adapters against the types of the libraries', () => {
  const peers = ['@tensorflow', '@jax-js', '@types', '@webgpu', 'onnxruntime-web', 'onnxruntime-common'];
  const place = projectFolder(
    join(folder, 'adapters'),
    Object.fromEntries(peers.map((name) => [name, 'bench/node_modules'])),
  );
  const options = { module: 'ESNext', moduleResolution: 'bundler', target: 'ES2022', lib: ['ES2022', 'DOM'] };
  const compilerOptions = { ...options, types: ['@webgpu/types'], strict: true, noEmit: true, skipLibCheck: true };
  writeFileSync(join(place, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['adapters.ts'] }));
  writeFileSync(
    join(place, 'adapters.ts'),
    `import * as core from '@tensorflow/tfjs-core';
     import * as layers from '@tensorflow/tfjs-layers';
     import * as jax from '@jax-js/jax';
     import * as ort from 'onnxruntime-web';
     import { connect as connectJax, randomMatrix, randomMatmul } from 'weightless-gpu/jax';
     import { connect as connectOnnx } from 'weightless-gpu/onnxruntime';
     import { connect } from 'weightless-gpu/tfjs';
     const tf = { ...core, ...layers };
     export async function use(x: ort.Tensor): Promise<unknown[]> {
       const { halfDense, veraDense, randomMatmul: product } = await connect(tf);
       tf.sequential({ layers: [halfDense({ units: 3, inputShape: [4] })] }).add(veraDense({ units: 2, rank: 1 }));
       const s: core.Tensor = (await connect(core)).randomMatmul(product(tf.ones([2, 3]), 4), 5);
       const r: jax.numpy.Array = randomMatrix(jax, { fanIn: 3, units: 4 });
       const z: jax.numpy.Array = randomMatmul(jax, r, 5);
       const { run } = await connectJax<jax.numpy.Array>(jax);
       const numbers = new Float32Array(1);
       const layer = (await connectOnnx(ort)).halfDense({ fanIn: 3, units: 1, scale: numbers, bias: numbers });
       const y: ort.Tensor = await layer.run(x);
       // @ts-expect-error: no such distribution
       halfDense({ units: 3, weights: 'gaussian' });
       return [s, y, await run({ op: 'dense', m: 3, k: 5, n: 1 }, { x: z })];
     }`,
  );
  expect(run('tsc', ['-p', place], place)).toBe('');
});

it('takes at most 60 kB, gzipped, to read digits: page, library and model of 97%', () => {
  const files = [
    join(examples, 'import-map/index.html'),
    join(examples, 'digit.js'),
    join(examples, 'node_modules/weightless-gpu/dist/weightless.js'),
    join(root, 'demo/models/mnist-half-1536.safetensors'),
    join(examples, 'node_modules/weightless-gpu/dist/cpu.js'), // where there is no GPU
  ];
  const library = readFileSync(files[2]!, 'utf8');
  expect(library).not.toMatch(/(?:from|import)\s*["']/); // it is one file
  const bytes = files.map((file) => gzipSync(readFileSync(file), { level: 9 }).length);
  console.log(`a page that reads digits: ${bytes.join(' + ')} = ${bytes.reduce((a, b) => a + b)} bytes gzipped`);
  expect(bytes.reduce((a, b) => a + b)).toBeLessThanOrEqual(60_000);
});

it('names every example, with one line in the README', () => {
  const readme = readFileSync(join(root, 'examples/README.md'), 'utf8');
  for (const entry of readdirSync(join(root, 'examples'), { withFileTypes: true })) {
    if (entry.isDirectory() && entry.name !== 'node_modules') expect(readme).toContain(`| [${entry.name}](`);
  }
});
