/** What WebGPU says about the adapter. Runs in pages and in Node. */
import { adapterName } from '../src/backend/adapter.ts';
import type { Context } from '../src/gpu/context.ts';

/** Fields of `GPUAdapterInfo`, which are getters of its prototype. */
const INFO = ['vendor', 'architecture', 'device', 'description', 'subgroupMinSize', 'subgroupMaxSize'] as const;
const LIMITS = ['maxComputeWorkgroupStorageSize', 'maxComputeInvocationsPerWorkgroup', 'maxBufferSize'] as const;

export function adapterFacts({ adapter, device }: Context) {
  const info = device.adapterInfo as GPUAdapterInfo | undefined; // Firefox 141 and earlier have none
  return {
    adapter: adapterName(adapter),
    software: adapter.software,
    adapterInfo: Object.fromEntries(INFO.map((name) => [name, info?.[name]])),
    limits: Object.fromEntries(LIMITS.map((name) => [name, device.limits[name]])),
    features: [...device.features].sort(),
  };
}
