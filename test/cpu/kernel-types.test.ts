/** The interface of the CPU kernels is what AssemblyScript exports. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { kernelFiles, kernelTypes } from '../../scripts/wasm-types.mjs';

const root = join(import.meta.dirname, '../..');

it.each(kernelFiles)('%s is what scripts/wasm-types.mjs writes', (file) => {
  expect(kernelTypes(file)).toBe(readFileSync(join(root, file), 'utf8'));
});

it('follows a changed signature, and refuses a type that JavaScript cannot pass', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weightless-kernel-types-'));
  const file = join(folder, 'epilogue.ts');
  cpSync(join(root, 'wasm'), folder, { recursive: true });
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('code: i32, m: i32', 'code: i32, slope: f32, m: i32'));
  expect(kernelTypes('src/cpu/kernels.ts', folder)).toMatch(
    / epilogue\([^)]*code: number,\s*slope: number,\s*m: number,/,
  );
  writeFileSync(file, text.replace('code: i32, m: i32', 'code: v128, m: i32'));
  expect(() => kernelTypes('src/cpu/kernels.ts', folder)).toThrow(
    'wasm/epilogue.ts: expected usize, i32, u32, f32, f64, bool, void; got v128',
  );
  rmSync(folder, { recursive: true });
});
