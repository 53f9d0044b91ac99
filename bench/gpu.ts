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

/** What foreign kernels may need more of than WebGPU guarantees. */
const LIMITS = [
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxStorageBuffersPerShaderStage',
] as const;

/**
 * Opens a new context with these features, and with timestamps if there are any. The caller destroys its device. Throws
 * `NoAdapterError` without an adapter or a feature.
 */
export async function openContext(features: readonly string[] = []): Promise<Context> {
  const from = gpu ?? navigator.gpu;
  const adapter = await from?.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) {
    throw new NoAdapterError('expected a WebGPU adapter, got none. Try --adapter software, or `weightless doctor`.');
  }
  const missing = features.find((feature) => !adapter.features.has(feature));
  if (missing)
    throw new NoAdapterError(`expected an adapter with '${missing}', which the shader enables; got one without`);
  const wanted = [...features, ...(adapter.features.has('timestamp-query') ? ['timestamp-query'] : [])];
  const device = await adapter.requestDevice({
    requiredLimits: Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]])),
    requiredFeatures: [...new Set(wanted)] as GPUFeatureName[],
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
