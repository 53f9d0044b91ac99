/**
 * `import packed from '.../wasm/NAME.wasm'` for esbuild and vitest: CPU kernels, compiled from AssemblyScript in that folder. The
 * default export is the modules of that name (below), the length of each (u32, little endian) before it, deflated in one stream, as the
 * second repeats much of the first, as base64. What was compiled is kept in node_modules/.cache.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { checkWasmActivations } from './activations.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Warning 112: functions that take vectors can't be exported to JavaScript; ours are exported to other files alone. */
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
 * Modules by name, their options by entry point. All work on the memory of index.ts; tables of the compiler's own library lie past what
 * wasm/memory.ts names, before HEAP, those of each module apart.
 */
const MODULES = {
  index: {
    'index.ts': ['--memoryBase', '49152'],
    'relaxed.ts': ['--memoryBase', '53248', '--importMemory', '--enable', 'relaxed-simd'],
  },
  later: { 'later.ts': ['--memoryBase', '57344', '--importMemory'] },
};

/** The modules of the name of `file`, as above. */
export async function packWasm(file) {
  const parts = [];
  for (const [entry, options] of Object.entries(MODULES[basename(file, '.wasm')])) {
    const bytes = await compileWasm(dirname(file), entry, [...OPTIONS, ...options]);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    parts.push(length, bytes);
  }
  return deflateSync(Buffer.concat(parts), { level: 9 }).toString('base64');
}

/** Bytes of the module whose source is `entry` in the folder. Throws with the compiler's words. */
async function compileWasm(folder, entry, options) {
  const sources = readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
  const activation = new Map(sources).get('activation.ts');
  if (activation) checkWasmActivations('wasm/activation.ts', activation);
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/assemblyscript/package.json'), 'utf8'));
  const key = createHash('sha256')
    .update(JSON.stringify([entry, sources, options, version]))
    .digest('hex')
    .slice(0, 16);
  const kept = join(root, 'node_modules/.cache/weightless', `${key}.wasm`);
  try {
    return readFileSync(kept);
  } catch {
    const bytes = await compile(entry, options, new Map(sources));
    mkdirSync(dirname(kept), { recursive: true });
    // Renamed when whole, as others may compile at the same time.
    writeFileSync(`${kept}.${process.pid}`, bytes);
    renameSync(`${kept}.${process.pid}`, kept);
    return bytes;
  }
}

/** The compiler is large: loaded when there is something to compile. */
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

/** Code of the thread whose TypeScript stands where `file` would be (worker.source for worker.ts), as one script. */
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
