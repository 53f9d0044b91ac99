/** Random products of the CPU: the kernels' two modules, a call on fresh memory, how far a sum may be off. */
import type { Machine } from '../../src/cpu/machine.ts';
import { type KernelModules, kernelModules } from '../../src/cpu/module.ts';
import type { Call, CpuKernelName } from '../../src/cpu/random_matmul.ts';
import type { DistributionName } from '../../src/weights/distributions.ts';
import { sumError } from '../kernels/harness.ts';
import { onRuined, outputOf } from './machine.ts';

/** Runs a call on fresh memory that is full of NaN; what lies behind the output must stay. */
export const run = (machine: Machine, make: () => Call, input: Float32Array, outputs: number): Float32Array =>
  onRuined(machine, () => {
    const call = make();
    const from = machine.place(input);
    const { at, read } = outputOf(machine, outputs);
    call(from, at);
    return read();
  });

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
