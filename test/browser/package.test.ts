/** The packed package in an empty project: what is in it, types, bundlers, and every example, each in the browser. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { ConsoleMessage } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { denseModel } from '../../bench/engines/onnx-model.ts';
import { browserNames, openPage } from './harness.ts';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'weightless-package-'));
const examples = join(folder, 'examples');
let packed: { filename: string; files: { path: string }[] };

function run(command: string, args: string[], cwd: string): string {
  // The tools of the examples are those of this repository: nothing is downloaded.
  const PATH = [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter);
  const shell = process.platform === 'win32';
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', env: { ...process.env, PATH }, shell, stdio: 'pipe' });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(' ')}\n${stdout}\n${stderr}`);
  }
}

beforeAll(() => {
  // As `prepack` makes it, but for the bundles: they are built, and other tests are reading them.
  expect(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts.prepack).toBe(
    'node scripts/build.mjs --types',
  );
  run('tsc', ['-p', 'tsconfig.types.json'], root);
  [packed] = JSON.parse(run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], root));
  cpSync(join(root, 'examples'), examples, { recursive: true, filter: (path) => !/node_modules|\bout$/.test(path) });
  cpSync(join(root, 'demo/models'), join(folder, 'demo/models'), { recursive: true });
  rmSync(join(examples, 'package.json'));
  writeFileSync(join(examples, 'package.json'), '{ "private": true, "type": "module" }');
  run('npm', ['install', '--offline', '--no-audit', '--no-fund', join(folder, packed.filename)], examples);
  const { scripts } = JSON.parse(readFileSync(join(root, 'examples/package.json'), 'utf8'));
  const made = JSON.parse(readFileSync(join(examples, 'package.json'), 'utf8'));
  writeFileSync(join(examples, 'package.json'), JSON.stringify({ ...made, scripts }));
  run('npm', ['run', 'build'], examples);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('holds the bundles, their types, and nothing else', () => {
  const stray = packed.files
    .map(({ path }) => path)
    .filter(
      (path) =>
        !/^(package\.json|README\.md|LICENSE|dist\/[\w.-]+\.(js|wasm)|dist\/predict\.py|dist\/types\/.*\.d\.ts)$/.test(
          path,
        ),
    );
  expect(stray).toEqual([]);
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const paths = packed.files.map(({ path }) => `./${path}`);
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

/** Files of docs/backend.md: the code blocks, whose first line names them, each with the text block of what it prints. */
function documented(): { name: string; page: boolean; code: string; prints: string | undefined }[] {
  const text = readFileSync(join(root, 'docs/backend.md'), 'utf8');
  const blocks = [...text.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(([, info, code]) => ({
    info: info!,
    code: code!,
  }));
  return blocks.flatMap(({ info, code }, i) => {
    if (!info.startsWith('js')) return [];
    const name = /^\/\/ ([\w-]+\.js)\n/.exec(code)?.[1];
    if (!name) throw new Error(`docs/backend.md: expected a first line '// name.js', got ${code.split('\n')[0]}`);
    const next = blocks[i + 1];
    return [{ name, page: info === 'js page', code, prints: next?.info === 'text' ? next.code.trimEnd() : undefined }];
  });
}

describe('docs/backend.md, from the packed package in an empty folder', () => {
  const place = join(folder, 'docs');
  const files = documented();
  const link = (from: string, name: string) =>
    symlinkSync(join(root, from, name), join(place, 'node_modules', name), 'junction');

  beforeAll(() => {
    mkdirSync(join(place, 'node_modules'), { recursive: true });
    cpSync(join(examples, 'node_modules/weightless-gpu'), join(place, 'node_modules/weightless-gpu'), {
      recursive: true,
    });
    link('node_modules', 'webgpu');
    const peers = ['@tensorflow', '@jax-js', '@types', '@webgpu', 'onnxruntime-web', 'onnxruntime-common'];
    for (const name of peers) link('bench/node_modules', name);
    writeFileSync(join(place, 'package.json'), '{ "private": true, "type": "module" }');
    for (const { name, code } of files) writeFileSync(join(place, name), code);
    const wave = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i));
    const models = {
      firstModel: denseModel(6, 12, [{ weights: wave(12 * 33), bias: wave(33), relu: true }]),
      secondModel: denseModel(6, 20, [{ weights: wave(20 * 4), bias: wave(4), relu: false }]),
    };
    const code = Object.entries(models).map(([name, bytes]) => `export const ${name} = Uint8Array.of(${bytes});`);
    writeFileSync(join(place, 'models.js'), code.join('\n'));
  });

  const prints = files.filter((file) => file.prints !== undefined);
  it('has a file for each kind of caller', () => {
    const names = ['first.js', 'errors.js', 'gradient.js', 'materialize.js', 'tfjs.js', 'onnxruntime.js', 'jax.js'];
    expect(prints.map(({ name }) => name)).toEqual(names);
  });

  it.each(prints.filter(({ page }) => !page))('$name in Node', ({ name, prints }) => {
    expect(run('node', [name], place).trimEnd()).toBe(prints);
  });

  it('type-checks adapters against the types of the libraries', () => {
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

  const pages = prints.filter(({ page }) => page);
  it('the pages', async () => {
    const served: Record<string, Uint8Array> = {};
    for (const name of [
      'ort.webgpu.min.mjs',
      ...['mjs', 'wasm'].map((kind) => `ort-wasm-simd-threaded.asyncify.${kind}`),
    ]) {
      served[name] = readFileSync(join(root, 'bench/node_modules/onnxruntime-web/dist', name));
    }
    for (const { name } of pages) {
      run('esbuild', [name, '--bundle', '--format=esm', '--external:/*.mjs', `--outfile=out/${name}`], place);
      served[name] = readFileSync(join(place, 'out', name));
      const html = `<!doctype html><link rel="icon" href="data:,"><script type="module">
        await import('./${name}');
        console.log('done');
      </script>`;
      served[name.replace('.js', '.html')] = new TextEncoder().encode(html);
    }
    const { page, url, errors } = await openPage('Chromium', served);
    for (const { name, prints } of pages) {
      const lines: string[] = [];
      const listen = (message: ConsoleMessage) => message.type() === 'log' && lines.push(message.text());
      page.on('console', listen);
      await page.goto(url(name.replace('.js', '.html')));
      await expect.poll(() => lines.includes('done') || errors.length > 0, { timeout: 100_000 }).toBe(true);
      page.off('console', listen);
      expect(errors).toEqual([]);
      expect(lines.slice(0, -1).join('\n'), name).toBe(prints);
    }
  });
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
