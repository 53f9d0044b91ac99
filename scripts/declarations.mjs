/**
 * Builds the declarations: dist/types/ for ES modules, and a copy in dist/cjs/types/ for CommonJS. They need no other
 * package: names of WebGPU merge with those of TypeScript's DOM library or of @webgpu/types where either is present.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import { cache, root } from './setup.mjs';

/** Types of WebGPU by name: the definition of a type alias, undefined for an interface. */
function webgpuTypes() {
  const text = readFileSync(join(root, 'node_modules/@webgpu/types/dist/index.d.ts'), 'utf8');
  const interfaces = [...text.matchAll(/^interface (GPU\w*)/gm)].map(([, name]) => [name, undefined]);
  const aliases = [...text.matchAll(/^type (GPU\w*) =([^;]*);/gm)].map(([, name, meaning]) => [name, meaning.trim()]);
  return new Map([...interfaces, ...aliases]);
}

const WEBGPU = /\bGPU(?:[A-Z]\w*)?\b/g;
const WEBASSEMBLY = /(?<=\bWebAssembly\.)\w+/g;
/** All different matches of a pattern in `texts` outside comments, sorted. */
function namesIn(texts, pattern) {
  const codes = texts.map((text) => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, ''));
  return [...new Set(codes.flatMap((code) => code.match(pattern) ?? []))].sort();
}

/**
 * Returns the module that declares the names of WebGPU and WebAssembly in `texts`. Interfaces are global and empty:
 * they merge with those of the DOM library or of @webgpu/types, and without either accept any object. A dependency on
 * @webgpu/types would conflict with the DOM library of TypeScript 6. Type aliases can't merge: the module exports them,
 * and `own` lists their names.
 */
function platformModule(texts) {
  const known = webgpuTypes();
  const used = namesIn(texts, WEBGPU);
  const unknown = used.filter((name) => !known.has(name));
  if (unknown.length) throw new Error(`declarations: expected names of WebGPU's types, got ${unknown}`);
  const declare = (name) => `interface ${name} {}`;
  const own = used.filter((name) => known.get(name) !== undefined);
  const text = [
    '/** Names of the platform. Interfaces merge with those of the DOM library or of @webgpu/types, where there are any. */',
    'declare global {',
    ...used.filter((name) => known.get(name) === undefined).map(declare),
    `namespace WebAssembly { ${namesIn(texts, WEBASSEMBLY).map(declare).join(' ')} }`,
    '}',
    ...own.map((name) => `export type ${name} = ${known.get(name)};`),
    'export {};\n',
  ];
  return { own, text: text.join('\n') };
}

/** Adds the import of that module to a text that needs it. */
function withPlatform(text, own) {
  const used = namesIn([text], WEBGPU);
  if (used.length + namesIn([text], WEBASSEMBLY).length === 0) return text;
  const names = own.filter((name) => used.includes(name));
  return `import ${names.length ? `{ ${names.join(', ')} } from ` : ''}'./platform.js';\n${text}`;
}

/** Float32Array<ArrayBuffer> exists since TypeScript 5.7: there `of` returns it, before that a Float32Array. */
const forOlderTypeScript = (text) =>
  text
    .replace(/\b(\w+Array)<ArrayBuffer>/g, "ReturnType<$1Constructor['of']>")
    .replace(/\b(\w+Array|DataView)<ArrayBuffer(?:Like)?>/g, '$1');

/** Modules import `./x.ts`, whose declarations are in x.d.ts. */
const besideSource = {
  name: 'beside-source',
  resolveId: (path, importer) =>
    importer && /^\..*(?<!\.d)\.ts$/.test(path) ? join(dirname(importer), path.replace(/ts$/, 'd.ts')) : null,
};

/** An import that leads nowhere would leave declarations with holes. */
const failUnlessPlugin = ({ code, message }) => {
  // rollup-plugin-dts warns of types that no entry point names: callers need no name for those.
  if (code !== 'PLUGIN_WARNING') throw new Error(`declarations: ${message}`);
};

/** Writes the declarations of `entries` (source by name) under `dist`. */
export async function declareTypes(entries, dist) {
  mkdirSync(cache, { recursive: true });
  const tree = mkdtempSync(join(cache, 'types-'));
  try {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    execFileSync(process.execPath, [tsc, '-p', 'tsconfig.types.json', '--outDir', tree], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const input = Object.entries(entries).map(([name, path]) => [name, join(tree, path.replace(/\.ts$/, '.d.ts'))]);
    const bundle = await rollup({
      input: Object.fromEntries(input),
      plugins: [besideSource, dts()],
      onwarn: failUnlessPlugin,
    });
    const { output } = await bundle.generate({
      format: 'es',
      chunkFileNames: ({ name }) => `shared-${name.replace('.d', '')}.d.ts`,
    });
    const { own, text } = platformModule(output.map(({ code }) => code));
    for (const folder of ['types', 'cjs/types'].map((path) => join(dist, path))) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      for (const { fileName, code } of output)
        writeFileSync(join(folder, fileName), withPlatform(forOlderTypeScript(code), own));
      writeFileSync(join(folder, 'platform.d.ts'), text);
    }
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}
