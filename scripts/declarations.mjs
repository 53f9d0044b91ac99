/**
 * The declarations of the package, whole in themselves: dist/types/ for ES modules, the same in dist/cjs/types/ for CommonJS. They
 * need no other package: names of WebGPU merge with those of TypeScript's DOM library or of @webgpu/types, where there are any.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import { cache, root } from './setup.mjs';

/** Types of WebGPU by name: interfaces are undefined, others what they stand for. */
function webgpuTypes() {
  const text = readFileSync(join(root, 'node_modules/@webgpu/types/dist/index.d.ts'), 'utf8');
  const interfaces = [...text.matchAll(/^interface (GPU\w*)/gm)].map(([, name]) => [name, undefined]);
  const aliases = [...text.matchAll(/^type (GPU\w*) =([^;]*);/gm)].map(([, name, meaning]) => [name, meaning.trim()]);
  return new Map([...interfaces, ...aliases]);
}

/**
 * A module for the names of WebGPU that `texts` use. Interfaces are declared globally, without members: they merge with what is
 * declared elsewhere, in the DOM library or in @webgpu/types, and without those any object will do. What can't be merged is exported.
 */
function webgpuModule(texts) {
  const known = webgpuTypes();
  const used = [...new Set(texts.flatMap((text) => withoutComments(text).match(WEBGPU) ?? []))].sort();
  const unknown = used.filter((name) => !known.has(name));
  if (unknown.length) throw new Error(`declarations: expected names of WebGPU's interfaces or types, got ${unknown}`);
  const global = used.filter((name) => known.get(name) === undefined).map((name) => `  interface ${name} {}`);
  const own = used.filter((name) => known.get(name) !== undefined);
  const aliases = own.map((name) => `export type ${name} = ${known.get(name)};`);
  const head =
    '/** Names of WebGPU. Interfaces merge with those of the DOM library or of @webgpu/types, where there are any. */';
  return { own, text: `${head}\ndeclare global {\n${global.join('\n')}\n}\n${aliases.join('\n')}\nexport {};\n` };
}

const WEBGPU = /\bGPU(?:[A-Z]\w*)?\b/g;
const withoutComments = (text) => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');

/** TypeScript before 5.7 has no arrays of a given buffer; in later versions these methods return them. */
const forOlderTypeScript = (text) =>
  text
    .replace(/\b(\w+Array)<ArrayBuffer>/g, "ReturnType<$1Constructor['of']>")
    .replace(/\b(\w+Array|DataView)<ArrayBuffer(?:Like)?>/g, '$1');

/** The text with what it needs of that module. */
function withWebgpu(text, own) {
  const used = new Set(withoutComments(text).match(WEBGPU));
  if (used.size === 0) return text;
  const names = own.filter((name) => used.has(name));
  return `import ${names.length ? `{ ${names.join(', ')} } from ` : ''}'./webgpu.js';\n${text}`;
}

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
    const { own, text } = webgpuModule(output.map(({ code }) => code));
    for (const folder of ['types', 'cjs/types'].map((path) => join(dist, path))) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      for (const { fileName, code } of output)
        writeFileSync(join(folder, fileName), withWebgpu(forOlderTypeScript(code), own));
      writeFileSync(join(folder, 'webgpu.d.ts'), text);
    }
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}
