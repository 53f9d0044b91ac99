/**
 * The device, created here or passed in, with its limits, errors and loss. Everything else takes a context as argument.
 */

import { DeviceLostError, GpuValidationError, OutOfMemoryError } from '../core/errors.ts';
import type { Choice } from './choose/choose.ts';
import type { PipelineCache } from './kernel.ts';
import type { Tuner } from './tuner.ts';

/** Human-readable description of the adapter. Firefox leaves all of it empty. */
export interface AdapterDescription {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** True for an adapter that computes on the CPU (SwiftShader, llvmpipe). */
  readonly software: boolean;
}

const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
// Node 20 has no navigator; Deno and browsers have one with another user agent.
const runtime = globalThis.navigator?.userAgent ?? 'Node';
const isNode = runtime.startsWith('Node');
const isFirefox = runtime.includes('Firefox/');

/** Contexts on the same device share its compiled pipelines. */
const pipelinesOf = new WeakMap<GPUDevice, PipelineCache>();

/** Owns, or borrows, a GPUDevice, and the pipelines compiled for it. */
export class Context {
  readonly backend = 'webgpu';
  readonly device: GPUDevice;
  readonly adapter: AdapterDescription;
  /** Measures kernels before choosing them, if requested. */
  readonly tuner: Tuner | undefined;
  /** Compiled pipelines by kernel, distribution and override constants. */
  readonly pipelines: PipelineCache;
  /** Bytes of the context's live buffers, and their peak. */
  readonly memory = { bytes: 0, peak: 0 };
  /** Resolves, and never rejects, when the device is lost. */
  readonly lost: Promise<DeviceLostError>;
  /** Callbacks of pending waits, called on device loss. A wait removes its callback when it settles. */
  readonly waiting = new Set<(error: DeviceLostError) => void>();
  #lost: DeviceLostError | undefined;
  #expectedWait = 0; // milliseconds
  readonly #owned: boolean;
  readonly #sizes = new Map<GPUBuffer, number>();

  constructor(device: GPUDevice, adapter: AdapterDescription, owned: boolean, tuner?: Tuner) {
    this.device = device;
    this.adapter = adapter;
    this.pipelines = pipelinesOf.get(device) ?? new Map();
    pipelinesOf.set(device, this.pipelines);
    this.#owned = owned;
    this.tuner = tuner;
    this.lost = device.lost.then((info) => {
      this.#lost = new DeviceLostError(
        `the GPU device is lost (${info.reason || 'unknown'}): ${info.message || 'no word from the driver'}. ` +
          'Create a new context and load the model again.',
      );
      for (const tell of this.waiting) tell(this.#lost);
      return this.#lost;
    });
  }

  /** Properties of the device for the choice of kernels. */
  get choice(): Choice {
    return { software: this.adapter.software, features: this.device.features, tuned: this.tuner?.tuned };
  }

  /** The backend in use, and the reason. */
  get info(): string {
    return `WebGPU on ${adapterName(this.adapter)}`;
  }

  /** Throws `DeviceLostError` once the device is gone. */
  checkAlive(): void {
    if (this.#lost) throw this.#lost;
  }

  /**
   * Resolves when the device has done everything submitted so far. In Node, polling Dawn while a promise is pending
   * takes a core away from a software adapter. So this first sleeps for most of the expected time.
   */
  async settle(): Promise<void> {
    const asleep = isNode && this.#expectedWait > 5 ? 0.9 * this.#expectedWait : 0;
    if (asleep) await pause(asleep);
    const awake = performance.now();
    await untilLost(this, this.device.queue.onSubmittedWorkDone());
    const rest = performance.now() - awake;
    // If the work was done before the sleep ended, it took less than expected, and the next sleep is shorter.
    this.#expectedWait = Math.min(asleep + rest, 0.75 * asleep + 4 * rest);
  }

  /**
   * Creates a buffer counted in `memory`, rounded up to 4 bytes. Throws `OutOfMemoryError` beyond the device's limit.
   */
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

  /** Destroys buffers made by `createBuffer`. Ignores other buffers and already destroyed ones. */
  destroyBuffers(buffers: Iterable<GPUBuffer>): void {
    for (const buffer of buffers) {
      const size = this.#sizes.get(buffer);
      if (size === undefined) continue;
      this.#sizes.delete(buffer);
      this.memory.bytes -= size;
      buffer.destroy();
    }
  }

  /** Destroys every buffer of this context and, if the context made it, the device. */
  dispose(): void {
    this.destroyBuffers([...this.#sizes.keys()]);
    if (this.#owned) this.device.destroy();
  }
}

/** Describes an adapter from its info. */
export function describe(info: GPUAdapterInfo | undefined): AdapterDescription {
  const { vendor = '', architecture = '', device = '', description = '' } = info ?? {};
  const words = `${vendor} ${architecture} ${device} ${description}`;
  const fallback = (info as { isFallbackAdapter?: boolean })?.isFallbackAdapter ?? false;
  const software = fallback || /swiftshader|llvmpipe|basic render|\bcpu\b/i.test(words);
  return { vendor, architecture, device, description, software };
}

/** The adapter in a few words: 'SwiftShader (software)', 'nvidia ampere'. */
export function adapterName({ vendor, architecture, device, description, software }: AdapterDescription): string {
  const name = description || device || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed adapter';
  return software ? `${name} (software)` : name;
}

/**
 * Runs `work` (synchronous calls on the device) inside error scopes and turns the device's errors into named ones.
 * `what` completes the phrase 'while ...'.
 */
export async function guarded<T>(context: Context, what: string, work: () => T): Promise<T> {
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
  if (refused) throw new GpuValidationError(`refused by the device while ${what}: ${refused.message}`);
  context.checkAlive();
  return result;
}

/**
 * Resolves like the promise, but rejects with a `DeviceLostError` as soon as the device is lost, so that nothing waits
 * for a dead device. Firefox checks for finished work ten times a second and on every submit (bugzilla.mozilla.org, bug
 * 1870699), so in Firefox this keeps making empty submits while it waits. It does not race `context.lost`: handlers on
 * a promise that never settles stay in memory, some kilobytes per prediction.
 */
export async function untilLost<T>(context: Context, promise: Promise<T>): Promise<T> {
  let tell = (_: DeviceLostError) => {};
  const lost = new Promise<never>((_, reject) => {
    tell = reject;
    context.checkAlive(); // rejects at once if the device is already lost
  });
  context.waiting.add(tell);
  const nudge = isFirefox ? setInterval(() => context.device.queue.submit([]), 1) : undefined;
  try {
    return await Promise.race([promise, lost]);
  } catch (error) {
    // A call that fails because of the loss may be reported before the loss itself, long before in Firefox, which
    // polls.
    await Promise.race([context.lost, pause(isFirefox ? 500 : 10)]);
    context.checkAlive();
    throw error;
  } finally {
    context.waiting.delete(tell);
    clearInterval(nudge);
  }
}
