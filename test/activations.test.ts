/** Activation functions: every place that has them has them all, and the build refuses one that has not. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { declaredActivations } from '../scripts/activations.mjs';
import { packWasm } from '../scripts/wasm.mjs';
import { readWgsl } from '../scripts/wgsl.mjs';
import { type ActivationName, activationCode, activationNames } from '../src/core/activations.ts';
import { ShapeError } from '../src/core/errors.ts';
import { predictProgram } from '../src/export/predict.ts';

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'weightless-activations-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A copy of a file of the repository under its folder's name, changed. Fails where nothing changes. */
function planted(path: string, from: string, to: string): string {
  const place = join(folder, path);
  const text = readFileSync(join(root, path), 'utf8');
  expect(text).toContain(from);
  mkdirSync(join(place, '..'), { recursive: true });
  writeFileSync(
    place,
    text.replace(from, () => to),
  );
  return place;
}

describe('an activation', () => {
  it('has its number by its place in the declaration, which the build reads too', () => {
    expect(declaredActivations()).toEqual(activationNames);
    expect(activationNames.map(activationCode)).toEqual(activationNames.map((_, i) => i));
  });

  it('of an unknown name is refused, never taken for another', () => {
    expect(() => activationCode('swish' as ActivationName)).toThrow(ShapeError);
    expect(() => activationCode('swish' as ActivationName)).toThrow(
      /expected an activation \(identity, .*\), got 'swish'/,
    );
  });

  it.each([
    ['case 4u: { // tanh', 'case 6u: { // tanh', /activation\.wgsl: activate: expected 'case 4u: \{ \/\/ tanh'/],
    ['case 2u: { // leakyRelu', 'case 2u: { // relu6', /activate: expected 'case 2u: \{ \/\/ leakyRelu'/],
    [
      '      let s = sigmoid(a);',
      '    }\n    case 9u: { // cube',
      /activate_gradient: .* alone.*got 'case 9u: \{ \/\/ cube'/,
    ],
  ])('that WGSL numbers otherwise, lacks or adds fails the build: %s', (from, to, message) => {
    expect(() => readWgsl(planted('shaders/activation.wgsl', from, to))).toThrow(message);
  });

  it.each([
    ['const TANH: i32 = 4;', 'const TANH: i32 = 3;', /wasm\/activation\.ts: tanh: expected 'const TANH: i32 = 4;'/],
    [
      '  if (code == GELU) {\n    const t',
      '  if (code == 7) {\n    const t',
      /activateGradient: expected .*GELU.* no such case/,
    ],
  ])('that the CPU kernels number otherwise or lack fails the build: %s', async (from, to, message) => {
    cpSync(join(root, 'wasm'), join(folder, 'wasm'), { recursive: true });
    planted('wasm/activation.ts', from, to);
    await expect(packWasm(join(folder, 'wasm/index.wasm'))).rejects.toThrow(message);
  });

  it('is in the Python program', () => {
    const [, table] = /^ACTIVATIONS = \{\n([\s\S]*?)^\}/m.exec(readFileSync(predictProgram, 'utf8'))!;
    expect([...table!.matchAll(/^ {4}"(\w+)":/gm)].map(([, name]) => name)).toEqual(activationNames);
  });
});
