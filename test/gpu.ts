/** The GPU of the tests. No adapter is a red test, never a skipped one. */
import { afterAll } from 'vitest';
import { type Context, createContext } from '../src/context.ts';
import { nodeGpu } from '../src/node.ts';

let shared: Promise<Context> | undefined;

/** One context a test file. An error that no scope caught fails the file. */
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

afterAll(() => {
  if (uncaught.length) throw new Error(`the device reported errors outside any scope:\n${uncaught.join('\n')}`);
});
