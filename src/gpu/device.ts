/** The device: created here or the caller's; its limits, its errors, its loss. Everything on a GPU takes a `DeviceContext`. */

import { type AdapterDescription, adapterName } from '../backend/adapter.ts';
import { DeviceLostError, GpuValidationError, NoAdapterError, OutOfMemoryError } from '../core/errors.ts';
import type { KernelSource } from '../core/kernel-source.ts';
import type { Graph } from '../graph/graph.ts';
import type { Choice } from './choose/choose.ts';
import type { ForwardKernelName } from './choose/forward-kernels.ts';
import type { PlanOptions } from './plan.ts';

export interface Pipeline {
  readonly source: KernelSource;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Measures kernels before one is chosen: tuner.ts, which is loaded only where a caller asks for it. */
export interface KernelTuner {
  /** The fastest kernels found so far, by `shapeKey`. */
  readonly tuned: ReadonlyMap<string, ForwardKernelName>;
  /** Measures the random products of a plan that `tuned` does not list yet. */
  measure(context: DeviceContext, graph: Graph, options: PlanOptions): Promise<void>;
}

const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
// Node 20 has no navigator; Deno and browsers have one with another name.
const runtime = globalThis.navigator ? (navigator.userAgent ?? '') : 'Node'; // React Native has no userAgent
const isNode = runtime.startsWith('Node');
const isFirefox = runtime.includes('Firefox/');

/** Contexts on one device share its pipelines. */
const pipelinesOf = new WeakMap<GPUDevice, Map<string, Pipeline | Promise<Pipeline>>>();

/** Invocations of the largest workgroups here. Every device allows so many, but for featureLevel 'compatibility': 128. */
const INVOCATIONS = 256;

/** Owns or borrows a GPUDevice, and owns the buffers created with it. */
export class DeviceContext {
  readonly device: GPUDevice;
  readonly adapter: AdapterDescription;
  readonly tuner: KernelTuner | undefined;
  /** Pipelines by `pipelineKey`: compiled, or promised while they compile. */
  readonly pipelines: Map<string, Pipeline | Promise<Pipeline>>;
  /** Bytes of the buffers that this context holds now, and the most it ever held at once. */
  readonly memory = { bytes: 0, peak: 0 };
  /** Resolves when the device is lost, and never rejects. */
  readonly lost: Promise<DeviceLostError>;
  /** Called when the device is lost. `untilLost` adds its own function, and removes it when its promise settles. */
  readonly waiting = new Set<(error: DeviceLostError) => void>();
  #lost: DeviceLostError | undefined;
  #expectedWait = 0; // milliseconds
  readonly #owned: boolean;
  readonly #sizes = new Map<GPUBuffer, number>();

  constructor(device: GPUDevice, adapter: AdapterDescription, owned: boolean, tuner?: KernelTuner) {
    const { maxComputeInvocationsPerWorkgroup: most } = device.limits;
    if (most < INVOCATIONS) {
      throw new NoAdapterError(
        `expected a device with workgroups of ${INVOCATIONS} invocations, got ${most} (featureLevel 'compatibility'). ` +
          'Request maxComputeInvocationsPerWorkgroup and maxComputeWorkgroupSizeX, or use the CPU.',
      );
    }
    this.device = device;
    this.adapter = adapter;
    this.pipelines = pipelinesOf.get(device) ?? new Map();
    pipelinesOf.set(device, this.pipelines);
    this.#owned = owned;
    this.tuner = tuner;
    this.lost = device.lost.then((info) => {
      this.#lost = new DeviceLostError(
        `the GPU device is lost (${info.reason || 'unknown'}): ${info.message || 'no message from the driver'}. ` +
          'Create a new context and load the model again.',
      );
      for (const reject of this.waiting) reject(this.#lost);
      return this.#lost;
    });
  }

  /** What the choice of a kernel depends on beside the problem. */
  get choice(): Choice {
    return { software: this.adapter.software, features: this.device.features, tuned: this.tuner?.tuned };
  }

  /** What runs. */
  get info(): string {
    return `WebGPU on ${adapterName(this.adapter)}`;
  }

  /** Throws `DeviceLostError` once the device is lost. */
  checkAlive(): void {
    if (this.#lost) throw this.#lost;
  }

  /**
   * Resolves when the device has done everything submitted so far. While a promise is pending, Dawn in Node polls the device, which
   * takes a core from a software adapter; so sleep through most of the expected time first.
   */
  async settle(): Promise<void> {
    const asleep = isNode && this.#expectedWait > 5 ? 0.9 * this.#expectedWait : 0;
    if (asleep) await pause(asleep);
    const awake = performance.now();
    await untilLost(this, this.device.queue.onSubmittedWorkDone());
    const rest = performance.now() - awake;
    // Work that was done before the sleep ended took less time than that: sleep less the next time.
    this.#expectedWait = Math.min(asleep + rest, 0.75 * asleep + 4 * rest);
  }

  /** A buffer counted in `memory`. Its size is rounded up to 4 bytes. Throws `OutOfMemoryError` past the device's limit. */
  createBuffer(bytes: number, usage: GPUBufferUsageFlags, label: string): GPUBuffer {
    this.checkAlive();
    const size = Math.max(16, Math.ceil(bytes / 4) * 4);
    const { maxBufferSize, maxStorageBufferBindingSize } = this.device.limits;
    const limit = usage & GPUBufferUsage.STORAGE ? Math.min(maxBufferSize, maxStorageBufferBindingSize) : maxBufferSize;
    if (size > limit) {
      throw new OutOfMemoryError(
        `buffer '${label}': expected at most ${limit} bytes (a limit of this device), got ${size}. Use a smaller batch or fewer units.`,
      );
    }
    const buffer = this.device.createBuffer({ size, usage, label });
    this.#sizes.set(buffer, size);
    this.memory.bytes += size;
    this.memory.peak = Math.max(this.memory.peak, this.memory.bytes);
    return buffer;
  }

  /** Destroys buffers of `createBuffer`. It ignores other buffers, and those that are destroyed already. */
  destroyBuffers(buffers: Iterable<GPUBuffer>): void {
    for (const buffer of buffers) {
      const size = this.#sizes.get(buffer);
      if (size === undefined) continue;
      this.#sizes.delete(buffer);
      this.memory.bytes -= size;
      buffer.destroy();
    }
  }

  /** Destroys every buffer of this context and, if the context created it, the device. */
  dispose(): void {
    this.destroyBuffers([...this.#sizes.keys()]);
    if (this.#owned) this.device.destroy();
  }
}

/** The description of an adapter from its info. */
export function describe(info: GPUAdapterInfo | undefined): AdapterDescription {
  const { vendor = '', architecture = '', device = '', description = '' } = info ?? {};
  const words = `${vendor} ${architecture} ${device} ${description}`;
  const fallback = (info as { isFallbackAdapter?: boolean })?.isFallbackAdapter ?? false;
  const software = fallback || /swiftshader|llvmpipe|basic render|\bcpu\b/i.test(words);
  return { vendor, architecture, device, description, software };
}

/**
 * Runs `work` (synchronous calls on the device) inside error scopes, and throws the device's errors by name. `what` completes the
 * sentence 'while ...' of their messages.
 */
export async function guarded<T>(context: DeviceContext, what: string, work: () => T): Promise<T> {
  context.checkAlive();
  const { device } = context;
  device.pushErrorScope('out-of-memory');
  device.pushErrorScope('internal');
  device.pushErrorScope('validation');
  const popAll = () => Promise.all([device.popErrorScope(), device.popErrorScope(), device.popErrorScope()]);
  let result: T;
  try {
    result = work();
  } catch (error) {
    popAll().catch(() => {});
    throw error;
  }
  const [validation, internal, memory] = await untilLost(context, popAll());
  if (memory) throw new OutOfMemoryError(`out of device memory while ${what}: ${memory.message}`);
  const refused = validation ?? internal;
  if (refused) throw new GpuValidationError(`the device reported an error while ${what}: ${refused.message}`);
  context.checkAlive();
  return result;
}

/**
 * The promise, or a `DeviceLostError` as soon as the device is lost: nothing waits for a dead device. Firefox looks for finished work
 * ten times a second, and whenever something is submitted (bugzilla.mozilla.org, bug 1870699), so there an empty submit every
 * millisecond makes it look. It does not race `context.lost`: reactions to a promise that never settles stay in memory, some
 * kilobytes a prediction.
 */
export async function untilLost<T>(context: DeviceContext, promise: Promise<T>): Promise<T> {
  let rejectLost = (_: DeviceLostError) => {};
  const lost = new Promise<never>((_, reject) => {
    rejectLost = reject;
    context.checkAlive(); // its error rejects this promise: a call after the loss does not wait either
  });
  context.waiting.add(rejectLost);
  const nudge = isFirefox ? setInterval(() => context.device.queue.submit([]), 1) : undefined;
  try {
    return await Promise.race([promise, lost]);
  } catch (error) {
    // A call that the loss made fail may report before the loss itself does; in Firefox, which looks now and then, much earlier.
    await Promise.race([context.lost, pause(isFirefox ? 500 : 10)]);
    context.checkAlive();
    throw error;
  } finally {
    context.waiting.delete(rejectLost);
    clearInterval(nudge);
  }
}
