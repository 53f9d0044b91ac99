/**
 * `import packed from '.../wasm/index.wasm'` for esbuild and vitest: the CPU kernels, compiled from the AssemblyScript beside that
 * path (index.ts). The default export is the module, deflated, as base64. What was compiled is kept in node_modules/.cache.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** 49152: past what wasm/memory.ts names, before HEAP. Warning 112: functions that take vectors can't be exported to JavaScript; ours are exported to other files alone. */
const OPTIONS = [
  '-O3',
  '--noAssert',
  '--runtime',
  'stub',
  '--enable',
  'simd',
  '--use',
  'abort=',
  '--disableWarning',
  '112',
  '--memoryBase',
  '49152',
];

/** The module that `compileWasm` makes, deflated (RFC 1950), as base64. */
export async function packWasm(file) {
  return deflateSync(await compileWasm(file), { level: 9 }).toString('base64');
}

/** Bytes of the module whose source is `index.ts` where `file` would be. Throws with the compiler's words. */
async function compileWasm(file) {
  const folder = dirname(file);
  const sources = readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/assemblyscript/package.json'), 'utf8'));
  const key = createHash('sha256')
    .update(JSON.stringify([sources, OPTIONS, version]))
    .digest('hex')
    .slice(0, 16);
  const kept = join(root, 'node_modules/.cache/weightless', `${key}.wasm`);
  try {
    return readFileSync(kept);
  } catch {
    const bytes = await compile(new Map(sources));
    mkdirSync(dirname(kept), { recursive: true });
    // Renamed when whole, as others may compile at the same time.
    writeFileSync(`${kept}.${process.pid}`, bytes);
    renameSync(`${kept}.${process.pid}`, kept);
    return bytes;
  }
}

/** The compiler is large: loaded when there is something to compile. */
async function compile(sources) {
  const { default: asc } = await import('assemblyscript/asc');
  let bytes;
  const { error, stderr } = await asc.main(['index.ts', '--outFile', 'index.wasm', ...OPTIONS], {
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
