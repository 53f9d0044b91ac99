/** The GPU of the tests. Without an adapter tests fail; they are never skipped. */
import type { Context } from '../src/gpu/context.ts';
import { nodeGpu } from '../src/node.ts';
import { createContext } from '../src/open.ts';

let shared: Promise<Context> | undefined;

/**
 * One context for all test files of a process, so that they share compiled kernels. An uncaught GPU error fails the
 * file.
 */
export function testContext(): Promise<Context> {
  shared ??= open();
  return shared;
}

/** A separate context, for tests that destroy it or count its buffers. */
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

/** Throws errors that the device reported outside any error scope since the last call. */
export function throwUncaught(): void {
  const errors = uncaught.splice(0);
  if (errors.length) throw new Error(`the device reported errors outside any scope:\n${errors.join('\n')}`);
}
