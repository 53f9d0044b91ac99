/**
 * Bundles for browsers: one main file that every page loads, and other files that import shared code from it. esbuild's
 * own splitting moves shared code into chunks, so that a page would wait for one more round trip and load 6% more
 * bytes. Each file gets a source map.
 */
import { readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { build } from 'esbuild';
import { minify } from 'terser';
import { root } from './setup.mjs';
import { esbuildWgsl } from './wgsl.mjs';

/**
 * Characters per line of minified code. Node prints the whole line that throws, so one long line would fill the screen.
 */
const LINE = 500;

const options = {
  absWorkingDir: root,
  bundle: true,
  write: false,
  metafile: true,
  sourcemap: 'external',
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  // terser shortens the names: esbuild would shorten those of error classes, too.
  minifySyntax: true,
  minifyWhitespace: true,
  outdir: join(root, 'dist'),
  logLevel: 'warning',
};

const wgsl = esbuildWgsl({ short: true });

/** Minifies an esbuild output further. Returns [path, text] of the file and of its source map. */
async function minified(name, { text, map }, { module = true, sources = true } = {}) {
  // Error classes keep their names, because stack traces print them.
  const reserved = [...text.matchAll(/\b(\w*Error)=class\b|\bclass (\w*Error)\b/g)].map(([, a, b]) => a ?? b);
  const { code, map: minifiedMap } = await minify(text, {
    module,
    compress: { passes: 3, hoist_funs: true }, // adjacent functions compress better
    mangle: { reserved },
    keep_classnames: /Error$/,
    format: { max_line_len: LINE, semicolons: false },
    sourceMap: { content: onlySources(map, sources), filename: name, url: `${basename(name)}.map` },
  });
  return [
    [name, code],
    [`${name}.map`, minifiedMap],
  ];
}

/** Drops contents that nobody steps through: data modules, and the stand-ins for modules of the main file; or all. */
function onlySources(json, some) {
  const map = JSON.parse(json);
  const shown = (content, i) => some && /\.ts$/.test(map.sources[i]) && !/^export \{ shared_/.test(content);
  map.sourcesContent = map.sourcesContent.map((content, i) => (shown(content, i) ? content : null));
  return map;
}

/** The outputs of a build by name, each with its text and its source map. */
const outputsOf = ({ outputFiles }) => {
  const texts = new Map(
    outputFiles.map(({ path, text }) => [relative(options.outdir, path).replaceAll('\\', '/'), text]),
  );
  const names = [...texts.keys()].filter((name) => name.endsWith('.js'));
  return names.map((name) => [name, { text: texts.get(name), map: texts.get(`${name}.map`) }]);
};

/**
 * Returns files and source maps by path: `main` as name.js, the others under their names, and a chunk for each
 * dynamically imported module. Code that the others share with `main` stays there, exported by the short names that it
 * has there. Imports of `external` modules stay unchanged; `plugins` resolve imports first.
 */
export async function bundleAround([name, main], named, { external = [], plugins = [] } = {}) {
  const entries = new Map(Object.entries(named).map(([stem, path]) => [stem, resolve(root, path)]));
  const chunks = chunksInto(entries, [name, main]);
  const alone = await build({ ...options, entryPoints: { [name]: main }, plugins: [chunks, wgsl] });
  const bundled = Object.values(alone.metafile.outputs).find(({ entryPoint }) => entryPoint);
  const inside = Object.entries(bundled.inputs)
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => path);
  const exportsOf = await exportedNames(inside);
  const long = (path, exported) => `shared_${inside.indexOf(path)}_${exported}_`;
  let rest;
  for (let known = 0; known < entries.size; ) {
    known = entries.size; // bundling these may find more chunks
    rest = await build({
      ...options,
      entryPoints: Object.fromEntries(entries),
      external: [`./${name}.js`, ...external],
      plugins: [...plugins, chunks, fromMain(name, inside, exportsOf, long), wgsl],
    });
  }
  const outputs = outputsOf(rest);
  const used = new Set(outputs.flatMap(([, { text }]) => text.match(sharedNames) ?? []));
  const entry = [`export * from './${main}';`];
  for (const path of inside) {
    for (const exported of exportsOf.get(path)) {
      const given = long(path, exported);
      if (used.has(given)) entry.push(`export { ${exported} as ${given} } from './${path}';`);
    }
  }
  const whole = await build({
    ...options,
    stdin: { contents: entry.join('\n'), resolveDir: root, sourcefile: `${name}.ts` },
    outdir: undefined,
    outfile: join(options.outdir, `${name}.js`),
    plugins: [chunks, wgsl],
  });
  const [[path, output]] = outputsOf(whole);
  const [[, code], map] = await minified(path, output);
  const { short, locals } = exportedLocals(code);
  const others = outputs.map(([path, { text, map }]) => minified(path, { text: importLocals(text, locals), map }));
  const files = [[[path, short], map], ...(await Promise.all(others))];
  return new Map(files.flat());
}

const sharedNames = /\bshared_\d+_\w+_\b/g;

/**
 * Exports shared code by the names that it has in the minified file, instead of long ones, which saves a page 2% of its
 * bytes. Returns the code, and the local name of each long one.
 */
function exportedLocals(code) {
  const start = code.lastIndexOf('export{');
  const end = code.indexOf('}', start);
  const locals = new Map();
  const names = new Set();
  for (const one of code.slice(start + 'export{'.length, end).split(',')) {
    const [local, exported = local] = one.trim().split(' as ');
    const isShared = exported.startsWith('shared_');
    if (isShared) locals.set(exported, local);
    names.add(isShared || exported === local ? local : `${local} as ${exported}`);
  }
  return { short: `${code.slice(0, start)}export{${[...names].join(',')}${code.slice(end)}`, locals };
}

/**
 * Imports these names as $0, $1, ..., which no other code has. Spaces pad them to the length of the long ones, so that the
 * source map stays valid.
 */
function importLocals(text, locals) {
  const short = new Map([...locals.keys()].map((long, i) => [long, `$${i.toString(36)}`]));
  const imports = /\b((?:import|export)\s*\{)([^}]*)(\}\s*from\s*"\.\/\w+\.js")/g;
  const imported = text.replaceAll(imports, (_, start, list, end) => {
    const renamed = list.split(',').map((one) => {
      const [long, as] = one.split(' as ');
      const local = locals.get(long);
      if (!local) return one;
      return as ? `${local.padEnd(long.length)} as ${as}` : `${local} as ${short.get(long)}`.padEnd(long.length);
    });
    return start + renamed.join(',') + end;
  });
  return imported.replaceAll(sharedNames, (long) => short.get(long).padEnd(long.length));
}

/** One file that holds everything, modules that are imported dynamically too, and its source map, by path. */
export async function bundleWhole([name, entry]) {
  const made = await build({ ...options, entryPoints: { [name]: entry }, plugins: [wgsl] });
  const files = await Promise.all(outputsOf(made).map(([path, output]) => minified(path, output)));
  return new Map(files.flat());
}

/**
 * Classic scripts of modules that `bundleAround` has written to dist/. NAME.global.js sets the variable NAME: the
 * exports of the source `entry` and of `extra`, with everything that they import dynamically. NAME.PART.global.js adds
 * the exports of PART.js to it as its property PART. Scripts cannot import one another, so the parts find the shared
 * code in the hidden property `shared_`.
 */
export async function bundleScripts([name, entry], extra, parts) {
  const { metafile } = await build({ ...options, entryPoints: [entry], plugins: [wgsl] });
  const { exports } = Object.values(metafile.outputs).find(({ entryPoint }) => entryPoint);
  const file = `./${name}.js`;
  const scripts = {
    [`${name}.global`]: {
      globalName: name,
      contents:
        `import * as all from '${file}';\nexport { ${exports.join(', ')} } from '${file}';\n` +
        `export * from './${extra}.js';\nexport const shared_ = all;`,
    },
    ...Object.fromEntries(
      parts.map((part) => [
        `${name}.${part}.global`,
        { globalName: `${name}.${part}`, contents: `export * from './${part}.js';`, plugins: [fromGlobal(name)] },
      ]),
    ),
  };
  const made = await Promise.all(
    Object.entries(scripts).map(async ([stem, { globalName, contents, plugins = [] }]) => {
      const [[path, output]] = outputsOf(
        await build({
          ...options,
          format: 'iife',
          globalName,
          stdin: { contents, resolveDir: options.outdir, sourcefile: `${stem}.js` },
          outdir: undefined,
          outfile: join(options.outdir, `${stem}.js`),
          plugins,
        }),
      );
      return minified(path, output, { module: false, sources: false }); // other maps hold the sources
    }),
  );
  return new Map(made.flat());
}

/** Takes imports of the main file from the global variable that it set. */
const fromGlobal = (name) => ({
  name: 'from-global',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^\.\/\w+\.js$/ }, ({ path }) =>
      path === `./${name}.js` ? { path, namespace: 'from-global' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'from-global' }, () => ({
      contents: `module.exports = ${name}.shared_;`,
      loader: 'js',
    }));
  },
});

/** Names that each module exports. */
async function exportedNames(paths) {
  const code = paths.filter((path) => !path.endsWith('.wgsl'));
  const each = await build({ ...options, bundle: false, entryPoints: code, outbase: root });
  const found = Object.values(each.metafile.outputs)
    .filter(({ entryPoint }) => entryPoint)
    .map(({ entryPoint, exports }) => [entryPoint, exports]);
  return new Map([...paths.map((path) => [path, ['default']]), ...found]);
}

/** Redirects imports of modules that are part of the main file to its exports. */
const fromMain = (name, inside, exportsOf, long) => ({
  name: 'from-main',
  setup({ onLoad, onResolve }) {
    const file = `./${name}.js`;
    // One statement for each name, free of side effects: esbuild drops those that nothing uses. What it keeps stays in
    // the main file.
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

/** Whether `entry` is the module at `path`, or does nothing but re-export all of it. */
function standsFor(entry, path) {
  if (entry === path) return true;
  const [, from] =
    /^\s*(?:\/\*[\s\S]*?\*\/\s*)?export \* from '(\.[^']+)';\s*$/.exec(readFileSync(entry, 'utf8')) ?? [];
  return from !== undefined && resolve(dirname(entry), from) === path;
}

/** Adds dynamically imported modules to `entries` as chunks, by stem. The stem of `main` is taken. */
const chunksInto = (entries, [name, main]) => ({
  name: 'chunks',
  setup({ onResolve }) {
    const taken = (stem) => (stem === name ? resolve(root, main) : entries.get(stem));
    onResolve({ filter: /^\..*\.(ts|wgsl)$/ }, ({ kind, path, resolveDir, importer }) => {
      if (kind !== 'dynamic-import') return undefined;
      const module = resolve(resolveDir, path);
      const stem = chunkName(relative(root, module));
      const other = taken(stem);
      if (other && !standsFor(other, module)) {
        const [from, to, holds] = [importer, module, other].map((at) => relative(root, at));
        const text = `${from} imports ${to}: expected a name of its own for ${stem}.js, which holds ${holds}. Rename one.`;
        return { errors: [{ text }] };
      }
      if (!other) entries.set(stem, module);
      return { path: `./${stem}.js`, external: true };
    });
  },
});

/**
 * The stem of a file. Where both backends have a file of the same name, it starts with the name of the backend: `gpu-training`,
 * `cpu-lower-images`.
 */
export const chunkName = (path) =>
  path
    .replace(/^src\/(\w+)\/lower\//, '$1-lower-')
    .replace(/^src\/(gpu|cpu)\/(?=training\.)/, '$1-')
    .replace(/^.*\//, '')
    .replace(/\.\w+$/, '');
