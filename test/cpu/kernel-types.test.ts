/** The interface of the CPU kernels is what AssemblyScript exports. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { kernelTypes } from '../../scripts/wasm-types.mjs';

const root = join(import.meta.dirname, '../..');

it('src/cpu/kernels.ts is what scripts/wasm-types.mjs writes', () => {
  expect(kernelTypes()).toBe(readFileSync(join(root, 'src/cpu/kernels.ts'), 'utf8'));
});

it('follows a changed signature, and refuses a type that JavaScript cannot pass', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weightless-kernel-types-'));
  const file = join(folder, 'epilogue.ts');
  cpSync(join(root, 'wasm'), folder, { recursive: true });
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('code: i32, m: i32', 'code: i32, slope: f32, m: i32'));
  expect(kernelTypes(folder)).toMatch(/ epilogue\([^)]*code: number,\s*slope: number,\s*m: number,/);
  writeFileSync(file, text.replace('code: i32, m: i32', 'code: v128, m: i32'));
  expect(() => kernelTypes(folder)).toThrow('wasm/epilogue.ts: expected usize, i32, u32, f32, bool, void; got v128');
  rmSync(folder, { recursive: true });
});
