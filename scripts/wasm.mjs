/**
 * `import packed from '.../wasm/NAME.wasm'` for esbuild and vitest: CPU kernels, compiled from the AssemblyScript in
 * that folder. The default export is a base64 string: the modules of that name (below), each preceded by its length
 * (u32, little endian), deflated in one stream because the second repeats much of the first. Results are cached in
 * node_modules/.cache. A module of an npm package is imported in the same way, by the name in `PACKAGED`.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { checkWasmActivations } from './activations.mjs';
import { checkWasmDistributions } from './distributions.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/**
 * Warning 112: functions with vector arguments can't be exported to JavaScript. Ours are exported only to other files.
 */
const OPTIONS = [
  '-O3',
  '--shrinkLevel',
  '1',
  '--noAssert',
  '--runtime',
  'stub',
  '--enable',
  'simd',
  '--use',
  'abort=',
  '--disableWarning',
  '112',
];
/**
 * Modules by name, and their options by entry point. `index` and `later` share the memory of index.ts. The tables of
 * the compiler's own library lie after the addresses of wasm/memory.ts and before HEAP, separate for each module.
 * `solve` has a memory of its own.
 */
const MODULES = {
  index: {
    'index.ts': ['--memoryBase', '49152'],
    'relaxed.ts': ['--memoryBase', '53248', '--importMemory', '--enable', 'relaxed-simd'],
  },
  lazy: { 'lazy.ts': ['--memoryBase', '57344', '--importMemory'] },
  solve: { 'solve.ts': [] },
};

/** Modules that npm packages bring. */
const PACKAGED = { 'jpeg-decoder': '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm' };

/** Compiles or reads the modules that belong to `file`, and packs them. */
export async function packWasm(file) {
  const name = basename(file, '.wasm');
  const parts = [];
  for (const bytes of Object.hasOwn(PACKAGED, name)
    ? [readFileSync(join(root, 'node_modules', PACKAGED[name]))]
    : await compileAll(dirname(file), MODULES[name])) {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    parts.push(length, bytes);
  }
  return deflateSync(Buffer.concat(parts), { level: 9 }).toString('base64');
}

async function compileAll(folder, entries) {
  const modules = [];
  for (const [entry, options] of Object.entries(entries)) {
    modules.push(await compileWasm(folder, entry, [...OPTIONS, ...options]));
  }
  return modules;
}

/** Compiles the module with source `entry` in the folder. Throws an error with the compiler's message. */
async function compileWasm(folder, entry, options) {
  const sources = readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
  const texts = new Map(sources);
  const [activation, integers] = [texts.get('activation.ts'), texts.get('integers.ts')];
  if (activation) checkWasmActivations('wasm/activation.ts', activation);
  if (integers) checkWasmDistributions('wasm/integers.ts', integers);
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/assemblyscript/package.json'), 'utf8'));
  const key = createHash('sha256')
    .update(JSON.stringify([entry, sources, options, version]))
    .digest('hex')
    .slice(0, 16);
  const cached = join(root, 'node_modules/.cache/weightless', `${key}.wasm`);
  try {
    return readFileSync(cached);
  } catch {
    const bytes = await compile(entry, options, new Map(sources));
    mkdirSync(dirname(cached), { recursive: true });
    // Renamed when complete, because other processes may compile at the same time.
    writeFileSync(`${cached}.${process.pid}`, bytes);
    renameSync(`${cached}.${process.pid}`, cached);
    return bytes;
  }
}

/** Loads the compiler only when there is something to compile, because it is large. */
async function compile(entry, options, sources) {
  const { default: asc } = await import('assemblyscript/asc');
  let bytes;
  const { error, stderr } = await asc.main([entry, '--outFile', 'module.wasm', ...options], {
    readFile: (name) => sources.get(name) ?? null,
    writeFile: (_, contents) => {
      bytes = contents;
    },
    listFiles: () => [],
  });
  const words = stderr.toString().trim();
  if (error || words) throw new Error(`wasm/: ${words || error.message}`);
  return bytes;
}

/** Bundles the TypeScript of a worker thread (worker.ts for worker.source) into one script. */
export async function bundleSource(file) {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: [file.replace(/\.source$/, '.ts')],
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    target: 'es2022',
    platform: 'browser',
    logLevel: 'warning',
  });
  return outputFiles[0].text;
}
