import { addLater } from '../../src/cpu/later-module.ts';
import { Machine } from '../../src/cpu/machine.ts';
import { type KernelModules, kernelModules } from '../../src/cpu/module.ts';

/** A machine with every kernel of the CPU. */
export async function wholeMachine(
  modules: KernelModules | Promise<KernelModules> = kernelModules(),
): Promise<Machine> {
  const machine = await Machine.create(await modules);
  await addLater(machine);
  return machine;
}
