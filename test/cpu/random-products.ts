/** Helpers for random products on the CPU: both kernel modules, calls on fresh memory, and tolerances. */
import type { Machine } from '../../src/cpu/machine.ts';
import { type KernelModules, kernelModules } from '../../src/cpu/module.ts';
import type { Call, CpuKernelName } from '../../src/cpu/random_matmul.ts';
import type { DistributionName } from '../../src/weights/distributions.ts';
import { sumError } from '../kernels/harness.ts';
import { onRuined, outputOf } from './machine.ts';

/** Runs a call on fresh memory full of NaN. Memory after the output must not change. */
export const run = (machine: Machine, make: () => Call, input: Float32Array, outputs: number): Float32Array =>
  onRuined(machine, () => {
    const call = make();
    const from = machine.place(input);
    const { at, read } = outputOf(machine, outputs);
    call(from, at);
    return read();
  });

/**
 * The largest error of f32 sums of k products (|r| <= 3, `orthogonal` <= P^0.5 with log P more additions). For nibbles
 * it also includes the rounding of the tables: half a step of 2^-19 of the largest sum of four, k / 4 times.
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
