/** The GPU of the tests. No adapter is a red test, never a skipped one. */
import type { Context } from '../src/gpu/context.ts';
import { nodeGpu } from '../src/node.ts';
import { createContext } from '../src/open.ts';

let shared: Promise<Context> | undefined;

/** One context for all test files of a process: what one compiled, another takes. An error that no scope caught fails the file. */
export function testContext(): Promise<Context> {
  shared ??= open();
  return shared;
}

/** A context of its own, for tests that destroy it or count its buffers. */
export async function freshContext(): Promise<Context> {
  return createContext({ gpu: await nodeGpu() });
}

const uncaught: string[] = [];

async function open(): Promise<Context> {
  const context = await freshContext();
  context.device.addEventListener('uncapturederror', (event) =>
    uncaught.push((event as GPUUncapturedErrorEvent).error.message),
  );
  return context;
}

/** Throws what the device has reported outside any scope, once. */
export function throwUncaught(): void {
  const told = uncaught.splice(0);
  if (told.length) throw new Error(`the device reported errors outside any scope:\n${told.join('\n')}`);
}
