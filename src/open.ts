/** `createContext`: the one place that knows both backends. */
import { adapterName } from './backend/adapter.ts';
import type { Backend } from './backend/backend.ts';
import { within } from './backend/within.ts';
import { NoAdapterError } from './core/errors.ts';
import { onDemand } from './core/on-demand.ts';
import { expectOptions } from './core/options.ts';
import type { CpuOptions } from './cpu/cpu.ts';
import { Context } from './gpu/context.ts';
import { describe } from './gpu/device.ts';
import type { TuneMemory } from './gpu/tuner.ts';

export type { CpuContext, CpuOptions } from './cpu/cpu.ts';
export { Context } from './gpu/context.ts';
export type { TuneMemory } from './gpu/tuner.ts';

export interface ContextOptions extends CpuOptions {
  /** The caller's device. It is used unchanged and never destroyed; its limits and features are respected. */
  device?: GPUDevice;
  /** Source of the adapter; default `navigator.gpu`. In Node: `await nodeGpu()` from `weightless-gpu/node`. */
  gpu?: GPU;
  powerPreference?: GPUPowerPreference;
  /**
   * Chooses kernels by measuring them on this device instead of by the table. When a random product of a new shape is
   * first needed, its kernels are timed (about 200 ms per shape, plus compilation). The fastest is remembered by
   * adapter and version: in the memory given here, or for `true` in the page's localStorage. Node has no localStorage:
   * pass `tuneFile()` from `weightless-gpu/node`, or results are lost with the context. Where kernels add in order
   * (training), results stay the same bit for bit; elsewhere they may differ by rounding, as they do between devices.
   */
  tune?: boolean | TuneMemory;
  /**
   * The backend. 'fastest' (default): WebGPU on a hardware adapter, else the CPU kernels (WebAssembly). With a software
   * adapter and many cores, both are measured for each model. A device that fails or hangs leaves the CPU; so does a
   * software one that is lost later. 'webgpu': WebGPU or a `NoAdapterError`; the default if `device` or `gpu` is given.
   * 'cpu': always the CPU.
   */
  backend?: 'webgpu' | 'cpu' | 'fastest';
}

/** Options that lead to WebGPU or an error. */
export type GpuOptions = ContextOptions &
  ({ backend: 'webgpu' } | { backend?: undefined; device: GPUDevice } | { backend?: undefined; gpu: GPU });

/**
 * A context on the best adapter that `gpu` offers, on the caller's own device, or on the CPU (see `backend`).
 * Throws `NoAdapterError` if WebGPU is requested but not available, `OptionError` for an unknown option or value.
 */
export async function createContext(options: GpuOptions): Promise<Context>;
export async function createContext(options?: ContextOptions): Promise<Backend>;
export async function createContext(options: ContextOptions = {}): Promise<Backend> {
  expectOptions('createContext', options, {
    device: 'object',
    gpu: 'object',
    powerPreference: ['low-power', 'high-performance'],
    tune: 'boolean or object',
    backend: ['webgpu', 'cpu', 'fastest'],
    threads: 'number',
    keepWeights: 'number',
  });
  const { device: given, gpu = globalThis.navigator?.gpu, tune } = options;
  const { backend = given || options.gpu ? 'webgpu' : 'fastest' } = options;
  const orCpu = backend !== 'webgpu';
  const onCpu = async (why: string, rival?: () => Promise<Backend>) =>
    (await onDemand(import('./cpu/cpu.ts'))).createCpuContext(options, why, rival);
  if (backend === 'cpu') return onCpu('asked for');
  const tuner = tune ? new (await onDemand(import('./gpu/tuner.ts'))).Tuner(tune) : undefined;
  if (given) return new Context(given, describe(given.adapterInfo), false, tuner);
  if (!gpu) {
    if (orCpu) return onCpu('there is no WebGPU here');
    throw new NoAdapterError(
      'expected WebGPU, found no navigator.gpu. Use a browser with WebGPU, on https or localhost; ' +
        'in Node: createContext({ gpu: await nodeGpu() }) from weightless-gpu/node.',
    );
  }
  const powerPreference = options.powerPreference ?? 'high-performance';
  const request = async () => (await gpu.requestAdapter({ powerPreference })) ?? (await gpu.requestAdapter());
  const adapter = await (orCpu ? within(PATIENCE_MS, 'WebGPU adapter', request()).catch(() => null) : request());
  if (!adapter) {
    if (orCpu) return onCpu('WebGPU has no adapter here');
    throw new NoAdapterError(
      'expected a WebGPU adapter, got none: no usable graphics driver. ' +
        'Look at chrome://gpu, update the driver, or run `weightless doctor`.',
    );
  }
  const description = describe(adapter.info);
  const open = async () => {
    // The defaults of workgroups would be too small with featureLevel 'compatibility'.
    const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
    const { maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX } = adapter.limits;
    const device = await adapter
      .requestDevice({
        requiredLimits: {
          maxStorageBufferBindingSize,
          maxBufferSize,
          maxComputeInvocationsPerWorkgroup,
          maxComputeWorkgroupSizeX,
        },
        requiredFeatures: (
          ['shader-f16', 'subgroups', ...(tune ? (['timestamp-query'] as const) : [])] as const
        ).filter((name) => adapter.features.has(name)),
      })
      // Drivers refuse what their adapters offer. A plain device computes the same; an adapter makes only one device.
      .catch(async () => ((await request()) ?? adapter).requestDevice());
    return new Context(device, description, true, tuner);
  };
  const name = adapterName(description);
  if (!orCpu) return open();
  const onGpu = () => within(PATIENCE_MS, `WebGPU device of ${name}`, open());
  if (description.software) {
    return onCpu(`${name} is slower`, onGpu).catch((error) => {
      if (!(error instanceof NoAdapterError)) throw error;
      return onGpu(); // the CPU kernels do not compile here
    });
  }
  return onGpu().catch((error) => onCpu(`${name} gives no device: ${(error as Error).message}`));
}

/** Milliseconds after which an adapter or a device that does not come is given up, where the CPU may compute instead. */
const PATIENCE_MS = 10_000;
