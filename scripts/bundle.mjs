/**
 * Bundles for browsers: one file for the entry point that every page loads, and others beside it that import what they share
 * from that file. esbuild's own splitting puts shared code into chunks: a page would wait for one more round trip, and load
 * 6% more bytes.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { build } from 'esbuild';
import { minify } from 'terser';
import { root } from './setup.mjs';
import { esbuildWgsl } from './wgsl.mjs';

const options = {
  absWorkingDir: root,
  bundle: true,
  write: false,
  metafile: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  minify: true,
  outdir: join(root, 'dist'),
  logLevel: 'warning',
};

const wgsl = esbuildWgsl({ short: true });

/** terser takes off more than esbuild alone; functions that stand together pack better. */
const squeezed = async (code, module = true) =>
  (await minify(code, { module, compress: { passes: 3, hoist_funs: true } })).code;

/**
 * Files by path: `main` as name.js, the others as their names say, and what any of them imports dynamically. What the others share
 * with `main` stays in it, exported under short names that are no part of the interface ($0, $1, ...).
 */
export async function bundleAround([name, main], named) {
  const others = { ...named };
  const alone = await build({ ...options, entryPoints: { [name]: main }, plugins: [later(others), wgsl] });
  const inside = Object.entries(Object.values(alone.metafile.outputs)[0].inputs)
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => path);
  const exportsOf = await exportedNames(inside);
  const long = (path, exported) => `shared_${inside.indexOf(path)}_${exported}_`;
  let rest;
  for (let entries = 0; entries < Object.keys(others).length; ) {
    entries = Object.keys(others).length; // more are found while these are bundled
    rest = await build({
      ...options,
      entryPoints: { ...others },
      external: [`./${name}.js`],
      plugins: [later(others), fromMain(name, inside, exportsOf, long), wgsl],
    });
  }
  const texts = rest.outputFiles.map(({ path, text }) => [path.slice(options.outdir.length + 1), text]);
  const used = [...new Set(texts.flatMap(([, text]) => text.match(/\bshared_\d+_\w+_\b/g) ?? []))].sort();
  const short = new Map(used.map((long, i) => [long, `$${i.toString(36)}`]));
  const entry = [`export * from './${main}';`];
  for (const path of inside) {
    for (const exported of exportsOf.get(path)) {
      const given = short.get(long(path, exported));
      if (given) entry.push(`export { ${exported} as ${given} } from './${path}';`);
    }
  }
  const whole = await build({
    ...options,
    stdin: { contents: entry.join('\n'), resolveDir: root, sourcefile: `${name}.ts` },
    outdir: undefined,
    outfile: join(root, 'dist', `${name}.js`),
    plugins: [later(others), wgsl],
  });
  const files = new Map([[`${name}.js`, await squeezed(whole.outputFiles[0].text)]]);
  for (const [path, text] of texts) {
    files.set(path, await squeezed(text.replaceAll(/\bshared_\d+_\w+_\b/g, (long) => short.get(long))));
  }
  return files;
}

/** A classic script that sets a global variable. */
export async function bundleGlobal(entry, globalName) {
  const made = await build({ ...options, entryPoints: [entry], format: 'iife', globalName, plugins: [wgsl] });
  return squeezed(made.outputFiles[0].text, false);
}

/** Names that each module exports. */
async function exportedNames(paths) {
  const code = paths.filter((path) => !path.endsWith('.wgsl'));
  const each = await build({ ...options, bundle: false, entryPoints: code, outbase: root });
  const found = Object.values(each.metafile.outputs).map(({ entryPoint, exports }) => [entryPoint, exports]);
  return new Map([...paths.map((path) => [path, ['default']]), ...found]);
}

/** Stands in for the modules that are in the main file: their exports come from there. */
const fromMain = (name, inside, exportsOf, long) => ({
  name: 'from-main',
  setup({ onLoad, onResolve }) {
    const file = `./${name}.js`;
    // One statement for each name, free of side effects: esbuild drops those that nothing uses. What it keeps stays in the main file.
    onResolve({ filter: /^\.\/\w+\.js$/ }, ({ path }) =>
      path === file ? { path, external: true, sideEffects: false } : undefined,
    );
    const paths = new Map(inside.map((path) => [resolve(root, path), path]));
    onLoad({ filter: /\.(ts|wgsl)$/ }, (args) => {
      const path = paths.get(args.path);
      if (!path) return undefined;
      const names = exportsOf.get(path).map((exported) => `${long(path, exported)} as ${exported}`);
      return { contents: names.map((each) => `export { ${each} } from '${file}';`).join('\n'), loader: 'js' };
    });
  },
});

/** Whether `entry` is the module at `path`, or re-exports all of it and has nothing else. */
function standsFor(entry, path) {
  const file = resolve(root, entry);
  if (file === path) return true;
  const [, from] = /^\s*(?:\/\*[\s\S]*?\*\/\s*)?export \* from '(\.[^']+)';\s*$/.exec(readFileSync(file, 'utf8')) ?? [];
  return from !== undefined && resolve(dirname(file), from) === path;
}

/** A module that is imported dynamically becomes a file of its own: it joins `entries`. */
const later = (entries) => ({
  name: 'later',
  setup({ onResolve }) {
    onResolve({ filter: /^\..*\.(ts|wgsl)$/ }, ({ kind, path, resolveDir }) => {
      if (kind !== 'dynamic-import') return undefined;
      const file = resolve(resolveDir, path);
      const name = chunkName(relative(root, file));
      entries[name] ??= file;
      if (!standsFor(entries[name], file)) {
        throw new Error(`${path}: expected a name of its own for dist/${name}.js, which holds ${entries[name]}`);
      }
      return { path: `./${name}.js`, external: true };
    });
  },
});

/** The stem of a file; of a backend's lowerings with the backend, as both have the same families. */
export const chunkName = (path) =>
  path
    .replace(/^src\/(\w+)\/lower\//, '$1-')
    .replace(/^.*\//, '')
    .replace(/\.\w+$/, '');
