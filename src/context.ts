/** The device: made here or handed in; its limits, its errors, its loss. Everything else takes a context as argument. */
import type { Choice } from './choose.ts';
import type { CpuContext, CpuOptions } from './cpu/cpu.ts';
import { DeviceLostError, GpuValidationError, NoAdapterError, OutOfMemoryError } from './errors.ts';
import type { PipelineCache } from './kernel.ts';
import type { TuneMemory, Tuner } from './tuner.ts';

export interface ContextOptions extends CpuOptions {
  /** A device of the caller's. Used as it is, never destroyed, its limits and features respected. */
  device?: GPUDevice;
  /** Where to ask for an adapter; default `navigator.gpu`. In Node: `await nodeGpu()` from `weightless/node`. */
  gpu?: GPU;
  powerPreference?: GPUPowerPreference;
  /**
   * Chooses kernels by measuring them on this device instead of by the table. When a predictor, a training or an operation first
   * needs a random product of some shape, the kernels that serve it are timed (about 200 ms a shape, compilation apart) and the
   * fastest is remembered by adapter and version: in the memory given here, with `true` in the page's localStorage. Node has
   * none: give it `tuneFile()` of `weightless/node`, or it forgets with the context. Results stay the same, bit for bit,
   * where kernels add in order (training); else they may differ by rounding, as they do between devices.
   */
  tune?: boolean | TuneMemory;
  /**
   * What computes. 'fastest', the default: WebGPU on a hardware adapter, and the CPU kernels (WebAssembly) where there is none; a
   * software adapter gives way to those too, or, where it could be faster (many cores), both are measured for each model. 'webgpu':
   * WebGPU or a `NoAdapterError`, which is the default where `device` or `gpu` is given. 'cpu': the CPU, whatever there is.
   */
  backend?: 'webgpu' | 'cpu' | 'fastest';
}

/** Options with which there is WebGPU or an error. */
export type GpuOptions = ContextOptions &
  ({ backend: 'webgpu' } | { backend?: undefined; device: GPUDevice } | { backend?: undefined; gpu: GPU });

/** What runs, for people. Firefox leaves all of it empty. */
export interface AdapterDescription {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** True for an adapter that computes on the CPU (SwiftShader, llvmpipe). */
  readonly software: boolean;
}

const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
// Node 20 has no navigator; Deno and browsers have one with another name.
const runtime = globalThis.navigator?.userAgent ?? 'Node';
const isNode = runtime.startsWith('Node');
const isFirefox = runtime.includes('Firefox/');

/** Contexts on one device share what is compiled for it. */
const pipelinesOf = new WeakMap<GPUDevice, PipelineCache>();

/** Owns, or borrows, a GPUDevice, and the pipelines compiled for it. */
export class Context {
  readonly backend = 'webgpu';
  readonly device: GPUDevice;
  readonly adapter: AdapterDescription;
  /** Measures kernels before they are chosen, where that was asked for. */
  readonly tuner: Tuner | undefined;
  /** Compiled pipelines by kernel, distribution and override constants. */
  readonly pipelines: PipelineCache;
  /** Bytes of the buffers that live now on behalf of this context, and the most there were. */
  readonly memory = { bytes: 0, peak: 0 };
  /** Resolves, and never rejects, when the device is lost. */
  readonly lost: Promise<DeviceLostError>;
  /** Who is told of the loss while it waits; leaves when it has what it waits for. */
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

  /** What this device adds to the choice of a kernel. */
  get choice(): Choice {
    return { software: this.adapter.software, features: this.device.features, tuned: this.tuner?.tuned };
  }

  /** What runs, and why. */
  get info(): string {
    return `WebGPU on ${adapterName(this.adapter)}`;
  }

  /** Throws `DeviceLostError` once the device is gone. */
  checkAlive(): void {
    if (this.#lost) throw this.#lost;
  }

  /**
   * Resolves when the device has done everything submitted so far. In Node, Dawn is asked again and again while a promise is
   * pending, which takes a core from a software adapter; so most of the expected time is slept through first.
   */
  async settle(): Promise<void> {
    const asleep = isNode && this.#expectedWait > 5 ? 0.9 * this.#expectedWait : 0;
    if (asleep) await pause(asleep);
    const awake = performance.now();
    await untilLost(this, this.device.queue.onSubmittedWorkDone());
    const rest = performance.now() - awake;
    // Work that was done before the sleep was over took less than that: then the next sleep is shorter.
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

  /** Destroys buffers made by `createBuffer`; others, and those destroyed already, are left alone. */
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

/**
 * A context on the best adapter that `gpu` offers, on the caller's own device, or on the CPU (see `backend`).
 * Throws `NoAdapterError` where WebGPU is asked for and there is none.
 */
export async function createContext(options: GpuOptions): Promise<Context>;
export async function createContext(options?: ContextOptions): Promise<Context | CpuContext>;
export async function createContext(options: ContextOptions = {}): Promise<Context | CpuContext> {
  const { device: given, gpu = globalThis.navigator?.gpu, tune } = options;
  const { backend = given || options.gpu ? 'webgpu' : 'fastest' } = options;
  const orCpu = backend !== 'webgpu';
  const onCpu = async (why: string, rival?: () => Promise<Context>) =>
    (await import('./cpu/cpu.ts')).createCpuContext(options, why, rival);
  if (backend === 'cpu') return onCpu('asked for');
  const tuner = tune ? new (await import('./tuner.ts')).Tuner(tune) : undefined;
  if (given) return new Context(given, describe(given.adapterInfo), false, tuner);
  if (!gpu) {
    if (orCpu) return onCpu('there is no WebGPU here');
    throw new NoAdapterError(
      'expected WebGPU, found no navigator.gpu. Use a browser with WebGPU, on https or localhost; ' +
        'in Node: createContext({ gpu: await nodeGpu() }) from weightless/node.',
    );
  }
  const powerPreference = options.powerPreference ?? 'high-performance';
  const adapter = (await gpu.requestAdapter({ powerPreference })) ?? (await gpu.requestAdapter());
  if (!adapter) {
    if (orCpu) return onCpu('WebGPU has no adapter here');
    throw new NoAdapterError(
      'expected a WebGPU adapter, got none: no usable graphics driver. ' +
        'Look at chrome://gpu, update the driver, or run `weightless doctor`.',
    );
  }
  const description = describe(adapter.info);
  const onGpu = async () => {
    const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
    const device = await adapter.requestDevice({
      requiredLimits: { maxStorageBufferBindingSize, maxBufferSize },
      requiredFeatures: (['shader-f16', 'subgroups', ...(tune ? (['timestamp-query'] as const) : [])] as const).filter(
        (name) => adapter.features.has(name),
      ),
    });
    return new Context(device, description, true, tuner);
  };
  const slow = backend === 'fastest' && description.software;
  return slow ? onCpu(`${adapterName(description)} is slower`, onGpu) : onGpu();
}

function describe(info: GPUAdapterInfo | undefined): AdapterDescription {
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
 * Runs `work` (synchronous calls on the device) inside error scopes, and turns what the device says of it into named errors.
 * `what` completes the sentence 'while ...'.
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
 * The promise, or a `DeviceLostError` as soon as the device is lost, so that nothing waits for a dead device. Firefox looks for
 * finished work ten times a second, and whenever something is submitted (bugzilla.mozilla.org, bug 1870699): there, nothing is
 * submitted again and again meanwhile. `context.lost` is not raced: what is hung on a promise that never settles stays there, some
 * kilobytes a prediction.
 */
export async function untilLost<T>(context: Context, promise: Promise<T>): Promise<T> {
  let tell = (_: DeviceLostError) => {};
  const lost = new Promise<never>((_, reject) => {
    tell = reject;
    context.checkAlive(); // what it throws rejects: who comes after the loss does not wait either
  });
  context.waiting.add(tell);
  const nudge = isFirefox ? setInterval(() => context.device.queue.submit([]), 1) : undefined;
  try {
    return await Promise.race([promise, lost]);
  } catch (error) {
    // A call refused because of the loss may report before the loss itself does: in Firefox, which looks now and then, much later.
    await Promise.race([context.lost, pause(isFirefox ? 500 : 10)]);
    context.checkAlive();
    throw error;
  } finally {
    context.waiting.delete(tell);
    clearInterval(nudge);
  }
}
