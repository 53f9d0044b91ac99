/** Distributions: every place that has them has them all, with the numbers of the one table. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkWasmDistributions, declaredKinds } from '../scripts/distributions.mjs';
import { kindOf } from '../src/cpu/random_matmul.ts';
import { predictProgram } from '../src/export/predict.ts';
import { distributionNames, distributions, elementwiseNames } from '../src/weights/distributions.ts';

const integers = readFileSync(join(import.meta.dirname, '../wasm/integers.ts'), 'utf8');

it('have the numbers that the build reads', () => {
  expect(declaredKinds()).toEqual(Object.fromEntries(elementwiseNames.map((name) => [name, kindOf(name)])));
  expect(() => checkWasmDistributions('wasm/integers.ts', integers)).not.toThrow();
});

it.each([
  ['export const SPARSE: i32 = 2;', 'export const SPARSE: i32 = 3;'],
  ['export const UNIFORM: i32 = 1;\n', ''],
  ['export const SPARSE: i32 = 2;', 'export const SPARSE: i32 = 2;\nexport const TERNARY: i32 = 4;'],
])('that wasm/ numbers otherwise, lacks or adds fail the build: %j', (from, to) => {
  expect(integers).toContain(from);
  expect(() => checkWasmDistributions('wasm/integers.ts', integers.replace(from, to))).toThrow(
    /wasm\/integers\.ts: expected the distributions NORMAL = 0, UNIFORM = 1, SPARSE = 2, .*got/,
  );
});

it('have their second moments in the Python program, and no other distribution is there', () => {
  const program = readFileSync(predictProgram, 'utf8');
  const [, table] = /^BYTES = \{\n([\s\S]*?)^\}$/m.exec(program)!;
  const rows = [...table!.matchAll(/^ {4}"(\w+)": \(.*, (\d+), (\d+)\),$/gm)];
  const ofBytes = elementwiseNames.filter((name) => distributions[name].weightsPerWord === 4);
  expect(rows.map(([, name, ...moment]) => [name, moment.map(Number)])).toEqual(
    ofBytes.map((name) => [name, [...distributions[name].secondMoment]]),
  );
  for (const name of distributionNames.filter((name) => !ofBytes.some((one) => one === name)))
    expect(program).toContain(`distribution == "${name}"`);
});
