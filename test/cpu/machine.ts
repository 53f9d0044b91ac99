/** CPU machines for tests, and guarded memory that detects writes beyond its end. */
import { expect } from 'vitest';
import { addLazyKernels } from '../../src/cpu/lazy-module.ts';
import { Machine } from '../../src/cpu/machine.ts';
import { type KernelModules, kernelModules } from '../../src/cpu/module.ts';

/** A machine with every CPU kernel. */
export async function wholeMachine(
  modules: KernelModules | Promise<KernelModules> = kernelModules(),
): Promise<Machine> {
  const machine = await Machine.create(await modules);
  await addLazyKernels(machine);
  return machine;
}

const SENTINEL = 1234.5;

/** Memory for `count` numbers. `read` returns them and checks that nothing was written after them. */
export function outputOf(machine: Machine, count: number) {
  const at = machine.allocate(4 * (count + 16));
  machine.floats(at, count + 16).fill(SENTINEL);
  return {
    at,
    read(): Float32Array<ArrayBuffer> {
      const got = machine.floats(at, count + 16).slice();
      const behind = got.subarray(count).every((value) => value === SENTINEL);
      expect(behind, 'words behind the output are untouched').toBe(true);
      return got.subarray(0, count);
    },
  };
}

/** Runs `work` on memory full of NaN, then frees it. */
export function onRuined<T>(machine: Machine, work: () => T): T {
  const mark = machine.mark();
  machine.floats(machine.allocate(1 << 20), 1 << 18).fill(Number.NaN);
  machine.release(mark);
  try {
    return work();
  } finally {
    machine.release(mark);
  }
}
