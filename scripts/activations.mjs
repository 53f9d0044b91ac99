/**
 * Holds the activation functions of the GPU (shaders/activation.wgsl) and of the CPU (wasm/activation.ts) to their declaration in
 * src/core/activations.ts: a number that differs or a function that is missing fails the build.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const DECLARATION = 'src/core/activations.ts';
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Names in the order of their numbers, read from the text: the build also runs where nothing compiles TypeScript. */
export function declaredActivations() {
  const text = readFileSync(join(root, DECLARATION), 'utf8');
  const names = [...(/const gains = \{([^}]*)\}/.exec(text)?.[1] ?? '').matchAll(/^ {2}(\w+):/gm)].map(
    ([, name]) => name,
  );
  if (names[0] !== 'identity') throw new Error(`${DECLARATION}: expected a table 'gains' that starts with identity`);
  return names;
}

/** The text of a function, up to the brace that closes it at the start of a line. */
const bodyOf = (text, name) => new RegExp(`(?:fn|function) ${name}\\([\\s\\S]*?\\n}`).exec(text)?.[0] ?? '';

const mismatch = (file, what, expected, got) =>
  new Error(`${file}: ${what}: expected ${expected}, as ${DECLARATION} declares it; got ${got}`);

/** Throws where `activate` or `activate_gradient` lacks a function or numbers it otherwise. */
export function checkWgslActivations(file, text) {
  const names = declaredActivations();
  for (const what of ['activate', 'activate_gradient']) {
    const cases = [...bodyOf(text, what).matchAll(/^ +(case \d+u|default): \{(.*)$/gm)].map((match) => match[0].trim());
    const expected = names.map((name, i) => `${i ? `case ${i}u` : 'default'}: { // ${name}`);
    for (const line of expected) {
      if (!cases.includes(line)) throw mismatch(file, what, `'${line}'`, cases.join(', ') || 'no case');
    }
    const [unknown] = cases.filter((line) => !expected.includes(line));
    if (unknown) throw mismatch(file, what, `the functions ${names.join(', ')} alone`, `'${unknown}'`);
  }
}

/** Throws where `activate` or `activateGradient` lacks a function or a constant numbers it otherwise. */
export function checkWasmActivations(file, text) {
  const [, ...names] = declaredActivations();
  for (const [i, name] of names.entries()) {
    const constant = name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
    const [found] = new RegExp(`^const ${constant}: i32 = .*$`, 'm').exec(text) ?? ['nothing'];
    const expected = `const ${constant}: i32 = ${i + 1};`;
    if (found !== expected) throw mismatch(file, name, `'${expected}'`, `'${found}'`);
    for (const what of ['activate', 'activateGradient']) {
      if (!bodyOf(text, what).includes(`(code == ${constant})`)) {
        throw mismatch(file, what, `'if (code == ${constant})'`, 'no such case');
      }
    }
  }
}
