/** Random products of the CPU: the kernels' two modules, a call on fresh memory, how far a sum may be off. */
import { expect } from 'vitest';
import type { Machine } from '../../src/cpu/machine.ts';
import { type KernelModules, kernelModules } from '../../src/cpu/module.ts';
import type { Call, CpuKernelName } from '../../src/cpu/random_matmul.ts';
import type { DistributionName } from '../../src/weights/distributions.ts';
import { sumError } from '../kernels/harness.ts';

const SENTINEL = 1234.5;

/** Runs a call on fresh memory that is full of NaN; what lies behind the output must stay. */
export function run(machine: Machine, make: () => Call, input: Float32Array, outputs: number): Float32Array {
  const mark = machine.mark();
  const ruined = machine.allocate(1 << 20);
  machine.floats(ruined, 1 << 18).fill(Number.NaN);
  machine.release(mark);
  const call = make();
  const from = machine.place(input);
  const to = machine.allocate(4 * (outputs + 16));
  machine.floats(to, outputs + 16).fill(SENTINEL);
  call(from, to);
  const got = machine.floats(to, outputs + 16).slice();
  machine.release(mark);
  expect(
    got.subarray(outputs).every((value) => value === SENTINEL),
    'words behind the output are untouched',
  ).toBe(true);
  return got.subarray(0, outputs);
}

/**
 * Largest error: f32 sums of k products (|r| <= 3, `orthogonal` <= P^0.5 with log P more additions), and for nibbles the rounding
 * of the tables: half a step of 2^-19 of the largest sum of four, a quarter of k times.
 */
export function tolerance(kernel: CpuKernelName | 'transposed', weights: DistributionName, k: number, x: Float32Array) {
  const norm = Math.hypot(...x);
  const largest = Math.max(...x.map(Math.abs));
  const sums = weights === 'orthogonal' ? 60 * 2 ** -24 * norm : sumError(k) * 3 * Math.sqrt(k) * largest;
  const tables = kernel === 'sign nibbles' ? (2 ** -21 * 4 * largest * Math.ceil(k / 4)) / Math.sqrt(k) : 0;
  return { absolute: sums + tables + 1e-30, reason: 'f32 sums; tables of 21 bits' };
}

export const all = await kernelModules();
export const sets: [string, KernelModules][] = [
  ['strict SIMD', { ...all, relaxed: undefined }],
  ['relaxed SIMD', all],
];
