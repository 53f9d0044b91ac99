/** The device that our engines share, with timestamps if the adapter supports them. */

import { NoAdapterError } from '../src/core/errors.ts';
import type { Context } from '../src/gpu/context.ts';
import { untilLost } from '../src/gpu/device.ts';
import { createContext } from '../src/open.ts';

let gpu: GPU | undefined;
let shared: Promise<Context> | undefined;

/** Sets the GPU in Node, from `nodeGpu()`. Pages use `navigator.gpu`. */
export function useGpu(given: GPU): void {
  gpu = given;
}

/** Opens a new context. The caller destroys its device. */
export async function openContext(): Promise<Context> {
  const from = gpu ?? navigator.gpu;
  const adapter = await from?.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) {
    throw new NoAdapterError('expected a WebGPU adapter, got none. Try --adapter software, or `weightless doctor`.');
  }
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const device = await adapter.requestDevice({
    requiredLimits: { maxStorageBufferBindingSize, maxBufferSize },
    requiredFeatures: adapter.features.has('timestamp-query') ? ['timestamp-query'] : [],
  });
  return createContext({ device });
}

/** The context that our engines share. */
export function ourContext(): Promise<Context> {
  shared ??= openContext();
  return shared;
}

/** Resolves when the device is done. Unlike `Context.settle` it does not sleep first for most of the expected time. */
export const finished = (context: Context): Promise<undefined> =>
  untilLost(context, context.device.queue.onSubmittedWorkDone());
