/**
 * Writes src/cpu/kernels.ts and src/solve/kernels.ts: the interfaces of the WebAssembly kernels, read from what the
 * modules of wasm/ export. Run `node scripts/wasm-types.mjs` after you change a signature in wasm/; a test fails until
 * then.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** By the file that is written: interfaces by the module that exports them. */
const FILES = {
  'src/cpu/kernels.ts': {
    index: ['IndexKernels', 'What dense networks predict with: the module that is loaded first.'],
    lazy: ['LazyKernels', 'What training, images and receptive fields add (src/cpu/lazy-module.ts).'],
    relaxed: ['RelaxedKernels', 'What the module with relaxed SIMD has, in the place of kernels of the same names.'],
  },
  'src/solve/kernels.ts': { solve: ['SolveKernels', 'Linear algebra in float64 (src/solve/algebra.ts).'] },
};

/** What AssemblyScript's types are in JavaScript. */
const TYPES = {
  usize: 'Address',
  i32: 'number',
  u32: 'number',
  f32: 'number',
  f64: 'number',
  bool: 'number',
  void: 'void',
};

const textOf = (folder, name) => readFileSync(join(folder, `${name}.ts`), 'utf8');

function typeOf(file, type) {
  if (!Object.hasOwn(TYPES, type))
    throw new Error(`wasm/${file}.ts: expected ${Object.keys(TYPES).join(', ')}; got ${type}`);
  return TYPES[type];
}

/** The method of an exported function, with the comment before it. */
function methodOf(folder, file, name) {
  const pattern = new RegExp(`(/\\*\\*(?:(?!\\*/)[\\s\\S])*\\*/\\n)?export function ${name}\\(([^)]*)\\): (\\w+)`);
  const [, comment = '', parameters, result] = pattern.exec(textOf(folder, file)) ?? [];
  if (result === undefined) throw new Error(`wasm/${file}.ts: expected an exported function '${name}', found none`);
  const typed = parameters
    .split(',')
    .map((parameter) => parameter.trim())
    .filter(Boolean)
    .map((parameter) => parameter.split(': '))
    .map(([parameter, type]) => `${parameter}: ${typeOf(file, type)}`);
  return `${comment}${name}(${typed.join(', ')}): ${typeOf(file, result)};`;
}

/** Names of the functions that a file declares and exports. */
const ownExports = (folder, file) =>
  [...textOf(folder, file).matchAll(/^export function (\w+)/gm)].map(([, name]) => [name, file]);

/** Names that a module exports, with the file that has each. */
function exportsOf(folder, module) {
  const text = textOf(folder, module);
  const others = [...text.matchAll(/^export (?:\*|\{ ([^}]*) \}) from '\.\/(\w+)';$/gm)];
  const named = ([, names, file]) => (names ? names.split(', ').map((name) => [name, file]) : ownExports(folder, file));
  return [...others.flatMap(named), ...ownExports(folder, module)];
}

/** The text of one of these files. */
export function kernelTypes(file, folder = join(root, 'wasm')) {
  const interfaces = Object.entries(FILES[file]).map(([module, [name, what]]) => {
    const methods = exportsOf(folder, module).map(([method, source]) => methodOf(folder, source, method));
    return `/** ${what} */\nexport interface ${name} {\n${methods.join('\n')}\n}\n`;
  });
  const head =
    '/** What wasm/ exports. Written by scripts/wasm-types.mjs: change the kernels, not this file. */\n\n' +
    "/** A byte offset into the kernels' memory. */\nexport type Address = number;\n";
  return execFileSync(join(root, 'node_modules/.bin/biome'), ['format', `--stdin-file-path=${file}`], {
    cwd: root,
    input: [head, ...interfaces].join('\n'),
    encoding: 'utf8',
  });
}

/** The files that this script writes. */
export const kernelFiles = Object.keys(FILES);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const file of kernelFiles) writeFileSync(join(root, file), kernelTypes(file));
}
