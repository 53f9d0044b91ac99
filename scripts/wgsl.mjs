/**
 * `import source from './x.wgsl'` for esbuild and vitest: a module whose default export is a KernelSource
 * (src/core/kernel-source.ts). WGSL is the single source of truth for bindings, parameters, overrides and workgroup
 * sizes. The plugin reads them from it; any inconsistency fails the build with file and line.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { WgslReflect } from 'wgsl_reflect/wgsl_reflect.module.js';
import { checkWgslActivations } from './activations.mjs';
import { bundleSource, packWasm } from './wasm.mjs';
import { shortenNames } from './wgsl-names.mjs';

const STAND_IN = 'normal'; // fills the `weights` slot while reflecting
const SCALARS = new Set(['u32', 'i32', 'f32']);

class WgslError extends Error {
  constructor(file, line, message) {
    super(`${file}:${line}: ${message}`);
  }
}

const lineOf = (text, index) => text.slice(0, index).split('\n').length;

/** The code without comments (`//` and nested block comments). Line numbers do not change. */
function stripComments(code) {
  let out = '';
  for (let i = 0, depth = 0; i < code.length; i++) {
    const two = code.slice(i, i + 2);
    if (depth === 0 && two === '//') {
      while (i < code.length && code[i] !== '\n') i++;
      out += '\n';
    } else if (two === '/*') {
      depth++;
      i++;
    } else if (depth > 0 && two === '*/') {
      depth--;
      i++;
      if (depth === 0) out += ' ';
    } else if (depth === 0 || code[i] === '\n') out += code[i];
  }
  return out;
}

/** The code without comments, unnecessary whitespace and trailing commas. */
export function squeeze(code) {
  return (
    stripComments(code)
      .split('\n')
      .map((line) => line.trim().replace(/\s+/g, ' '))
      .filter(Boolean)
      .join('\n')
      // A space between two operators stays: `a / *p` must not open a comment, and `a & &b` must not become `&&`.
      .replace(/(?:(?<![=<>+*/|&^%]) )?([{}()[\],;:=<>+*/|&^%]+)(?: (?![=<>+*/|&^%]))?/g, '$1')
      .replace(/\n?([{}(),;])\n?/g, '$1')
      .replace(/,(?=[)}])/g, '')
  );
}

/** A parse error with file and line. `error` is the parser's error for the minified code of these linked files. */
function parseError(files, error) {
  const texts = files.map((path) => stripComments(readFileSync(path, 'utf8')));
  let message = String(error?.message ?? error);
  try {
    new WgslReflect(texts.join('\n'));
  } catch (withLines) {
    message = String(withLines?.message ?? withLines);
  }
  const [, place] = /Line: (\d+)/.exec(message) ?? [];
  let line = Number(place ?? 0);
  let i = 0;
  while (line > 0 && i < files.length - 1 && line > texts[i].split('\n').length) line -= texts[i++].split('\n').length;
  const what = message.replace(/\.*\s*Line: \d+.*/s, '');
  return place
    ? new WgslError(files[i], line, `does not parse: ${what}`)
    : new WgslError(files.at(-1), 1, `does not parse: ${what}`);
}

/** The folder of the fragments: next to the folder of `file`, or further up (bench/stored/). */
function shadersFor(file) {
  let folder = dirname(dirname(file));
  while (!existsSync(join(folder, 'shaders')) && folder !== dirname(folder)) folder = dirname(folder);
  return join(folder, 'shaders');
}

/**
 * Reads and checks a .wgsl file. Returns its KernelSource and a kernel's bindings and parameters. Errors name file and
 * line.
 */
export function readWgsl(file) {
  const text = readFileSync(file, 'utf8');
  const name = basename(file, '.wgsl');
  const directive = /^\/\/! use (.*)$/m.exec(text);
  const uses = directive ? directive[1].trim().split(/\s+/) : [];
  const shaders = shadersFor(file);
  const fragment = basename(dirname(file)) === 'shaders';
  const paths = uses.map((use) => {
    const path = join(shaders, `${use === 'weights' ? STAND_IN : use}.wgsl`);
    if (!existsSync(path))
      throw new WgslError(file, lineOf(text, directive.index), `no shader fragment '${use}' (${path})`);
    return path;
  });
  // Fragments that few kernels share are part of the kernel's code, so that they load only with the kernel.
  const included = [...text.matchAll(/^\/\/! include (\w+)$/gm)].map((match) => {
    const path = join(shaders, 'include', `${match[1]}.wgsl`);
    if (!existsSync(path))
      throw new WgslError(file, lineOf(text, match.index), `no shader fragment '${match[1]}' (${path})`);
    return path;
  });
  const code = [...included.map((path) => readFileSync(path, 'utf8')), text].map(squeeze).join('\n');
  const at = (pattern) => {
    const match = pattern.exec(text);
    return match ? lineOf(text, match.index) : 1;
  };
  if (fragment) {
    if (/@compute|@group/.test(code)) {
      throw new WgslError(file, at(/@compute|@group/), 'a shader fragment has no entry point and no binding');
    }
    if (name === 'activation') checkWgslActivations(file, text);
    return { name, code, uses };
  }
  let reflected;
  try {
    reflected = new WgslReflect([...paths.map((path) => squeeze(readFileSync(path, 'utf8'))), code].join('\n'));
  } catch (error) {
    throw parseError([...paths, ...included, file], error);
  }
  const entries = reflected.entry.compute;
  if (entries.length !== 1 || entries[0].name !== 'main') {
    const names = entries.map((entry) => entry.name).join(', ') || 'none';
    throw new WgslError(file, at(/@compute/), `expected one compute entry point 'main', got ${names}`);
  }
  const bindings = [...text.matchAll(/^.*@group\((\d+)\)\s*@binding\((\d+)\)\s*var<([^>]*)>\s*(\w+)\s*:(.*)$/gm)].map(
    (match, i) => {
      const line = lineOf(text, match.index);
      const [, group, binding, space, bound, rest] = match;
      if (group !== '0' || Number(binding) !== i) {
        throw new WgslError(file, line, `expected @group(0) @binding(${i}), got @group(${group}) @binding(${binding})`);
      }
      if (!new RegExp(`// ${bound}: \\S`).test(rest)) {
        throw new WgslError(
          file,
          line,
          `binding '${bound}' needs a trailing comment about its contents: // ${bound}: ...`,
        );
      }
      const type = /^uniform/.test(space) ? 'uniform' : /read_write/.test(space) ? 'storage' : 'read-only-storage';
      return { name: bound, type };
    },
  );
  const reflectedBindings = reflected.getBindGroups().flat().filter(Boolean);
  if (reflectedBindings.length !== bindings.length) {
    throw new WgslError(
      file,
      1,
      `expected every binding on a line of its own; found ${bindings.length} of ${reflectedBindings.length}`,
    );
  }
  const struct = reflected.uniforms.find((uniform) => uniform.name === 'params');
  const params = (struct?.members ?? []).map((member, i) => {
    if (!SCALARS.has(member.type.name)) {
      throw new WgslError(
        file,
        at(new RegExp(`\\b${member.name}\\s*:`)),
        `params.${member.name}: expected u32, i32 or f32`,
      );
    }
    if (member.offset !== 4 * i) throw new WgslError(file, 1, `params.${member.name}: expected offset ${4 * i}`);
    return [member.name, member.type.name];
  });
  if (!/@workgroup_size\(\d+(, ?(\d+|[A-Z]+))*\)/.test(text)) {
    throw new WgslError(
      file,
      at(/@workgroup_size/),
      'expected @workgroup_size of literal numbers, after the first also overrides',
    );
  }
  return { name, code, uses, bindings, params };
}

/**
 * The JavaScript module for a file. Bindings and parameters are parsed again at run time (src/core/kernel-source.ts).
 */
const moduleOf = (file) => {
  const { name, code, uses } = readWgsl(file);
  return `export default ${JSON.stringify({ name, code, uses })};`;
};

/** Names that the fragments in a folder declare outside functions (and constants inside them). */
function fragmentNames(folder) {
  const files = readdirSync(folder).filter((name) => name.endsWith('.wgsl'));
  const codes = files.map((name) => squeeze(readFileSync(join(folder, name), 'utf8')));
  const declared = /\b(?:fn|const|struct|override|alias|var<[^>]*>) ?(\w+)/g;
  return new Set(codes.flatMap((code) => [...code.matchAll(declared)].map(([, name]) => name)));
}

/** Like `readWgsl`, but with short names, for the browser bundle. */
export function readShortWgsl(file) {
  const { name, code, uses } = readWgsl(file);
  const folder = shadersFor(file);
  return { name, code: shortenNames(code, { fragment: dirname(file) === folder, taken: fragmentNames(folder) }), uses };
}

/** Imports that wasm.mjs makes: CPU kernels, the code of their threads, modules of npm packages. */
const COMPILED = /(wasm\/\w+\.wasm|\/jpeg-decoder\.wasm|\/worker\.source)$/;

/** The esbuild plugin for GPU kernels (.wgsl; `short`: with short names) and compiled CPU kernels (wasm.mjs). */
export const esbuildWgsl = ({ short = false } = {}) => ({
  name: 'wgsl',
  setup(build) {
    build.onLoad({ filter: /\.wgsl$/ }, ({ path }) => ({
      contents: short ? `export default ${JSON.stringify(readShortWgsl(path))};` : moduleOf(path),
      loader: 'js',
    }));
    build.onResolve({ filter: COMPILED }, ({ path, resolveDir }) => ({ path: join(resolveDir, path) }));
    build.onLoad({ filter: COMPILED }, async ({ path }) => ({
      contents: path.endsWith('.wasm') ? await packWasm(path) : await bundleSource(path),
      loader: 'text',
    }));
  },
});

/** The vite and vitest plugin. It also handles `import text from './x.txt'`, which esbuild supports itself. */
export const viteWgsl = () => ({
  name: 'wgsl',
  enforce: 'pre',
  resolveId(id, importer) {
    return COMPILED.test(id) && importer ? join(dirname(importer), id) : undefined;
  },
  async load(id) {
    const path = id.split('?')[0];
    if (path.endsWith('.source')) return `export default ${JSON.stringify(await bundleSource(path))};`;
    if (path.endsWith('.wasm')) return `export default '${await packWasm(path)}';`;
    if (path.endsWith('.txt')) return `export default ${JSON.stringify(readFileSync(path, 'utf8'))};`;
    return path.endsWith('.wgsl') ? moduleOf(path) : undefined;
  },
});
