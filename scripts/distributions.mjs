/**
 * Holds the numbers of the distributions in wasm/integers.ts to the table of src/cpu/random_matmul.ts: a number that
 * differs or is missing fails the build, because the CPU kernels would decode the weights of another distribution.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const DECLARATION = 'src/cpu/random_matmul.ts';
/** `wasm/signs.ts` has the numbers of signs. */
const SIGNS = ['binary', 'codeword'];
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Numbers by name, read from the text: the build also runs where nothing compiles TypeScript. */
export function declaredKinds() {
  const text = readFileSync(join(root, DECLARATION), 'utf8');
  const [, table = ''] = /^const kinds: .* = \{(.*)\};$/m.exec(text) ?? [];
  const kinds = Object.fromEntries(
    [...table.matchAll(/(\w+): (\d+)/g)].map(([, name, number]) => [name, Number(number)]),
  );
  if (kinds.normal !== 0)
    throw new Error(`${DECLARATION}: expected a table 'kinds' in one line that starts with normal: 0`);
  return kinds;
}

/** Throws unless the constants of wasm/integers.ts are the declared numbers. */
export function checkWasmDistributions(file, text) {
  const declared = Object.entries(declaredKinds()).filter(([name]) => !SIGNS.includes(name));
  const head = text.slice(0, text.indexOf('/** Lookup tables'));
  const found = [...head.matchAll(/^export const (\w+): i32 = (\d+);$/gm)].map(
    ([, name, number]) => `${name} = ${number}`,
  );
  const expected = declared.map(([name, number]) => `${name.toUpperCase()} = ${number}`);
  if (found.join() === expected.join()) return;
  throw new Error(
    `${file}: expected the distributions ${expected.join(', ')}, as ${DECLARATION} numbers them; got ${found.join(', ')}`,
  );
}
