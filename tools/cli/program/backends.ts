/** Opens the backend that a command computes on. */

import type { Backend } from '../../../src/backend/backend.ts';
import { NoAdapterError } from '../../../src/core/errors.ts';
import type { Context } from '../../../src/gpu/context.ts';
import { nodeGpu } from '../../../src/node.ts';
import { type ContextOptions, createContext } from '../../../src/open.ts';

export type BackendName = NonNullable<ContextOptions['backend']>;

/** For commands that need a GPU. */
export async function onGpu(work: (context: Context) => Promise<void>): Promise<void> {
  const context = await createContext({ gpu: await nodeGpu() });
  await work(context);
}

export async function onBackend(name: BackendName, work: (context: Backend) => Promise<void>): Promise<void> {
  const context = await createContext({ backend: name, ...(name !== 'cpu' && (await gpuFor(name))) });
  try {
    await work(context);
  } finally {
    context.dispose();
  }
}

/** Node's WebGPU. With `fastest`, the CPU computes where there is none. */
async function gpuFor(name: BackendName): Promise<{ gpu?: GPU }> {
  try {
    return { gpu: await nodeGpu() };
  } catch (error) {
    if (name === 'fastest' && error instanceof NoAdapterError) return {};
    throw error;
  }
}
