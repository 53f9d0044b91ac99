/** The packed package in pages: every example, and one page from each bundler. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { conv2d } from '../../src/convolution.ts';
import { dense, halfDense, sequential } from '../../src/index.ts';
import { saveModel } from '../../src/train.ts';
import { packed, projectFolder, root, run } from '../package/packed.ts';
import { browserNames, openPage } from './harness.ts';

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

/** What the page of test/package/app shows: the same numbers in Node, and those of WebGPU beside them. */
describe('bundled by defaults', () => {
  const app = join(folder, 'app');
  let expected: string;
  beforeAll(async () => {
    projectFolder(app);
    cpSync(join(root, 'test/package/app'), app, { recursive: true });
    const layers = [
      conv2d({ channels: 2, kernel: 3 }),
      halfDense({ units: 5, weights: 'orthogonal' }),
      dense({ units: 2 }),
    ];
    const models = {
      dense: sequential([halfDense({ units: 2048 }), dense({ units: 2 })], { input: [1024], seed: 1 }),
      convolutions: sequential(layers, { input: [8, 8], seed: 1 }),
    };
    // As text: bundlers take seconds to parse and minify an array of 30,000 numbers.
    const code = Object.entries(models).map(
      ([name, model]) =>
        `export const ${name} = Uint8Array.from(atob('${Buffer.from(saveModel(model)).toString('base64')}'), (byte) => byte.charCodeAt(0));`,
    );
    writeFileSync(join(app, 'models.js'), code.join('\n'));
    expected = run('node', ['-e', "import('./main.js').then(({ answer }) => answer()).then(console.log)"], app).trim();
    expect(expected).toMatch(/^(-?\d\.\d{4} -?\d\.\d{4}, ){3}accuracy 1$/);
  });

  it.each(['esbuild', 'parcel', 'rollup', 'vite', 'webpack'])('%s', async (bundler) => {
    const out = join(folder, bundler);
    mkdirSync(out);
    run('node', [join(root, 'test/package/bundle.mjs'), bundler, out], app);
    const { page, url, errors } = await openPage('Chromium', filesUnder(out));
    await page.goto(url(`${bundler}/index.html`));
    const output = "document.querySelector('output').textContent";
    await page.waitForFunction(`!${output}.startsWith('\u2026')`);
    const shown = String(await page.evaluate(output));
    const [cpu, gpu] = shown.split(', WebGPU ');
    expect(cpu).toBe(expected);
    expect(errors).toEqual([]);
    const close = expected.split(', ')[1]!.split(' ').map(Number);
    expect(gpu!.split(' ').map((value, i) => Math.abs(Number(value) - close[i]!) < 2e-4)).toEqual([true, true]);
  });
});

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

it('takes at most 64 KB, gzipped, to read digits: page, library and model of 97%', () => {
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
  expect(bytes.reduce((a, b) => a + b)).toBeLessThanOrEqual(64 * 1024);
});

it('names every example, with one line in the README', () => {
  const readme = readFileSync(join(root, 'examples/README.md'), 'utf8');
  for (const entry of readdirSync(join(root, 'examples'), { withFileTypes: true })) {
    if (entry.isDirectory() && entry.name !== 'node_modules') expect(readme).toContain(`| [${entry.name}](`);
  }
});
