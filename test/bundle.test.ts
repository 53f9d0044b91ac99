/** `sideEffects: false`: what bundlers of others leave out of dist/ is not missed. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { afterAll, expect, it } from 'vitest';
import { bundleAround } from '../scripts/bundle.mjs';
import { root } from '../scripts/setup.mjs';

const folder = mkdtempSync(join(tmpdir(), 'weightless-bundle-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A module as esbuild bundles it, minified, the package's own name resolved as users do. */
async function bundled(name: string, contents: string): Promise<{ files: string[]; run: () => Promise<unknown> }> {
  const outfile = join(folder, `${name}.mjs`);
  const { metafile, warnings } = await build({
    stdin: { contents, resolveDir: new URL('..', import.meta.url).pathname },
    bundle: true,
    format: 'esm',
    minify: true,
    outfile,
    metafile: true,
    absWorkingDir: folder,
    logLevel: 'silent',
    tsconfigRaw: {}, // not this repository's paths, which lead to src/
  });
  expect(warnings.filter(({ id }) => id !== 'ignored-bare-import')).toEqual([]);
  const { default: run } = (await import(pathToFileURL(outfile).href)) as { default: () => Promise<unknown> };
  const files = Object.entries(Object.values(metafile.outputs)[0]!.inputs)
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => basename(path));
  return { files, run };
}

const model = 'sequential([conv2d({ channels: 2, kernel: 3 }), dense({ units: 2 })], { input: [8, 8], seed: 1 })';

it('a layer over images that is used brings what models need to know of it', async () => {
  const { run } = await bundled(
    'constructor',
    `import { dense, modelSize, sequential } from 'weightless-gpu';
     import { conv2d } from 'weightless-gpu/convolution';
     export default () => modelSize(${model}).trainedParameters;`,
  );
  expect(await run()).toBe(9 * 2 + 2 + 6 * 6 * 2 * 2 + 2);
});

it('a model file with such layers is read after registerConvolutions()', async () => {
  const { sequential, dense } = await import('../src/index.ts');
  const { saveModel } = await import('../src/train.ts');
  const { conv2d } = await import('../src/convolution.ts');
  const file = saveModel(
    sequential([conv2d({ channels: 2, kernel: 3 }), dense({ units: 2 })], { input: [8, 8], seed: 1 }),
  );
  const text = `new Uint8Array(${JSON.stringify([...file])})`;
  const before = await bundled(
    'before',
    `import { readModel } from 'weightless-gpu'; export default () => readModel(${text});`,
  );
  expect(before.run).toThrow(/Call registerConvolutions\(\) of 'weightless-gpu\/convolution'/);
  const { run } = await bundled(
    'registered',
    `import { readModel } from 'weightless-gpu'; import { registerConvolutions } from 'weightless-gpu/convolution';
     export default () => { registerConvolutions(); return readModel(${text}).layers.length; };`,
  );
  expect(await run()).toBe(2);
});

it('loadModel fetches such layers by itself: here VeRA adapters', async () => {
  const { sequential } = await import('../src/index.ts');
  const { saveModel } = await import('../src/train.ts');
  const { vera } = await import('../src/convolution.ts');
  const file = saveModel(sequential([vera({ units: 2, rank: 3 })], { input: [4], seed: 1 }));
  const { run } = await bundled(
    'adapters',
    `import { createContext, loadModel } from 'weightless-gpu';
     export default async () => {
       const context = createContext({ backend: 'cpu', threads: 1 });
       const predictor = await loadModel(context, new Uint8Array(${JSON.stringify([...file])}));
       return (await predictor.predict([1, 2, 3, 4])).length;
     };`,
  );
  expect(await run()).toBe(2);
});

it('the export knows every kind of layer, whatever a page registered', async () => {
  const { run } = await bundled(
    'export',
    `import { dense, sequential } from 'weightless-gpu';
     import { halfFields } from 'weightless-gpu/fields';
     import { exportOnnx } from 'weightless-gpu/export';
     const model = sequential([halfFields({ units: 3 }), dense({ units: 2 })], { input: [6, 6], seed: 1 });
     export default () => exportOnnx(model, { weights: 'stored' }).length;`,
  );
  expect(await run()).toBeGreaterThan(4 * (36 * 3 + 3 * 2));
});

it('what is not used is not in the bundle', async () => {
  const { files } = await bundled(
    'both',
    "import 'weightless-gpu/convolution'; import { dense } from 'weightless-gpu'; export default () => dense;",
  );
  expect(files).toContain('weightless.js');
  expect(files).not.toContain('convolution.js');
});

it('static.js calls no import(), and elsewhere a part that does not load is named', async () => {
  const code = readFileSync(join(root, 'dist/static.js'), 'utf8');
  expect(code).not.toMatch(/\bimport\s*\(/);
  const [, stated] = /file of (\d+) kB \(gzipped\)/.exec(readFileSync(join(root, 'docs/where-it-runs.md'), 'utf8'))!;
  expect(Math.abs(gzipSync(code, { level: 9 }).length / 1000 - Number(stated))).toBeLessThan(2);
  const lines = ['src', 'kernels'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /(?<!\.d)\.ts$/.test(name) && !['node.ts', 'cpu/kernels.ts'].includes(name))
      .flatMap((name) => readFileSync(join(root, folder, name), 'utf8').match(/^.*\bimport\('.*$/gm) ?? []),
  );
  expect(lines.length).toBeGreaterThan(20);
  expect(lines.filter((line) => !/onDemand\(import\(|fetch: \(\) => import\(/.test(line))).toEqual([]);
});

it('two chunks of one name are refused, with both names', async () => {
  const place = join(folder, 'chunks');
  const write = (path: string, code: string) => {
    mkdirSync(dirname(join(place, path)), { recursive: true });
    writeFileSync(join(place, path), code);
  };
  write('main.ts', "export const load = () => Promise.all([import('./a/step.ts'), import('./b/step.ts')]);");
  write('a/step.ts', 'export const a = 1;');
  write('b/step.ts', 'export const b = 2;');
  const main = relative(root, join(place, 'main.ts'));
  await expect(bundleAround(['main', main], {})).rejects.toThrow(/expected a name of its own for step\.js/);
  write('main.ts', "export const load = () => import('./a/step.ts');");
  expect([...(await bundleAround(['main', main], {})).keys()]).toEqual([
    'main.js',
    'main.js.map',
    'step.js',
    'step.js.map',
  ]);
  await expect(bundleAround(['step', main], {})).rejects.toThrow(/expected a name of its own for step\.js/);
});
