/**
 * An operation on raw buffers: dispatches with compiled pipelines and their own memory. Each encoding binds the
 * caller's buffers. It submits nothing, copies nothing and waits for nothing.
 */

import type { Dispatch } from '../../kernels/dispatch.ts';
import orthogonalPass from '../../kernels/orthogonal_pass.wgsl';
import { GpuValidationError, OutOfMemoryError, ShapeError } from '../core/errors.ts';
import { bindingsOf, type KernelSource, paramsOf } from '../core/kernel-source.ts';
import { type TypedArray, writeBuffer } from '../gpu/buffers.ts';
import { type Context, guarded } from '../gpu/context.ts';
import {
  type BufferSlice,
  compileAll,
  type Pipeline,
  type PipelineCache,
  packParams,
  pipelineKey,
  pipelineParts,
} from '../gpu/kernel.ts';

/** A buffer that the caller supplies for each encoding. */
export interface OperationBinding {
  /** Row-major. */
  readonly shape: readonly number[];
  /** `u8`: four bytes per word, each row zero-padded to whole words. */
  readonly dtype: 'f32' | 'i32' | 'u8';
  /** Number of bytes read or written from the slice's offset on. The buffer may be larger. */
  readonly bytes: number;
  readonly access: 'read' | 'write';
}

/**
 * What a binding of a kernel stands for: a buffer of the caller's by name, or a piece of the operation's own memory.
 */
export type Place = { readonly name: string } | { readonly own: number };

/** An operation before it has a device: plain data. */
export interface Recipe {
  /** Its name in error messages. */
  readonly what: string;
  readonly dispatches: readonly Dispatch<Place>[];
  /** Everything that can be bound; what no dispatch binds need not be given. */
  readonly bindings: Readonly<Record<string, Omit<OperationBinding, 'access'>>>;
  /** Its own memory: a zero-filled size in bytes, or initial data. */
  readonly memory: readonly (number | TypedArray)[];
}

/** The caller's compute pass, or an encoder in which `encode` opens and ends a pass. */
export type EncodeTarget = GPUComputePassEncoder | GPUCommandEncoder;

interface Step {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly kernel: string;
  readonly grid: readonly [number, number, number];
  /** Its kernel's bindings in order. `write`: the kernel writes it. */
  readonly entries: readonly { readonly place: Place | 'params'; readonly write: boolean }[];
  readonly paramsSize: number;
}

export class Operation {
  /** Every buffer that `encode` needs, by name: shape, type, bytes, and whether it is read or written. */
  readonly bindings: Readonly<Record<string, OperationBinding>>;
  /** Bytes of its own memory on the device: unit keys, scratch, parameters of its kernels. */
  readonly ownBytes: number;
  readonly #context: Context;
  readonly #recipe: Recipe;
  readonly #steps: readonly Step[];
  readonly #own: readonly GPUBuffer[];
  readonly #params: GPUBuffer;
  #disposed = false;

  private constructor(context: Context, recipe: Recipe, pipelines: readonly Pipeline[]) {
    this.#context = context;
    this.#recipe = recipe;
    this.#steps = recipe.dispatches.map((dispatch, i) => stepOf(dispatch, pipelines[i]!));
    const written = new Set<string>();
    const bound = new Set<string>();
    for (const { place, write } of this.#steps.flatMap(({ entries }) => entries)) {
      if (place === 'params' || !('name' in place)) continue;
      bound.add(place.name);
      if (write) written.add(place.name);
    }
    this.bindings = Object.fromEntries(
      Object.entries(recipe.bindings)
        .filter(([name]) => bound.has(name))
        .map(([name, binding]) => [name, { ...binding, access: written.has(name) ? 'write' : 'read' }]),
    );
    const made: GPUBuffer[] = [];
    try {
      for (const content of recipe.memory) made.push(ownBuffer(context, content));
      this.#own = [...made];
      this.#params = paramsBuffer(context, recipe.dispatches, pipelines);
    } catch (error) {
      context.destroyBuffers(made);
      throw error;
    }
    this.ownBytes = [...this.#own, this.#params].reduce((sum, { size }) => sum + size, 0);
  }

  /** Compiles missing pipelines without blocking. Device errors reject as named errors. */
  static async prepare(context: Context, recipe: Recipe): Promise<Operation> {
    const cache = cacheOf(context);
    const missing = recipe.dispatches.filter((dispatch) => !cache.has(pipelineKey(dispatch)));
    const compiled = await compileAll(context, missing);
    missing.forEach((dispatch, i) => {
      cache.set(pipelineKey(dispatch), compiled[i]!);
    });
    return guarded(context, `preparing ${recipe.what}`, () => Operation.now(context, recipe));
  }

  /** The same, synchronously: compilation blocks, and the device reports errors by its `uncapturederror` event. */
  static now(context: Context, recipe: Recipe): Operation {
    context.checkAlive();
    const cache = cacheOf(context);
    const pipelines = recipe.dispatches.map((dispatch) => {
      const key = pipelineKey(dispatch);
      const pipeline = cache.get(key) ?? compileNow(context, dispatch);
      cache.set(key, pipeline);
      return pipeline;
    });
    return new Operation(context, recipe, pipelines);
  }

  /**
   * Adds the operation to the caller's pass or encoder. Throws `ShapeError` for a missing, unknown or too small buffer,
   * and `GpuValidationError` for a usage, offset or combination of buffers that the device would reject. Then nothing
   * is encoded.
   */
  encode(target: EncodeTarget, buffers: Readonly<Record<string, BufferSlice>>): void {
    this.#context.checkAlive();
    if (this.#disposed)
      throw new GpuValidationError(`${this.#recipe.what}: expected an operation in use, got a disposed one`);
    const slices = this.#check(buffers);
    const stride = paramsStride(this.#context);
    const groups = this.#steps.map(({ layout, kernel, entries, paramsSize }, i) => {
      const resources = entries.map(({ place }): GPUBufferBinding => {
        if (place === 'params') return { buffer: this.#params, offset: i * stride, size: paramsSize };
        return 'own' in place ? { buffer: this.#own[place.own]! } : slices.get(place.name)!;
      });
      checkCompany(this.#recipe.what, kernel, entries, resources);
      return this.#context.device.createBindGroup({
        label: kernel,
        layout,
        entries: resources.map((resource, binding) => ({ binding, resource })),
      });
    });
    const pass = 'beginComputePass' in target ? target.beginComputePass({ label: this.#recipe.what }) : target;
    this.#steps.forEach(({ pipeline, grid }, i) => {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, groups[i]!);
      pass.dispatchWorkgroups(...grid);
    });
    if (pass !== target) pass.end();
  }

  /** Destroys its own memory. Encoded but not yet submitted commands can no longer be submitted. */
  dispose(): void {
    this.#disposed = true;
    this.#context.destroyBuffers([...this.#own, this.#params]);
  }

  /** The parts of the caller's buffers that are bound. */
  #check(buffers: Readonly<Record<string, BufferSlice>>): Map<string, GPUBufferBinding> {
    const { what, bindings: known } = this.#recipe;
    const { maxStorageBufferBindingSize, minStorageBufferOffsetAlignment } = this.#context.device.limits;
    for (const name of Object.keys(buffers)) {
      if (!(name in known)) {
        throw new ShapeError(
          `${what}: expected buffers ${Object.keys(this.bindings).join(', ')}; got one called '${name}'`,
        );
      }
    }
    const slices = new Map<string, GPUBufferBinding>();
    for (const [name, { bytes, shape, dtype }] of Object.entries(this.bindings)) {
      const slice = buffers[name];
      if (!slice)
        throw new ShapeError(`${what}: expected a buffer '${name}', got ${Object.keys(buffers).join(', ') || 'none'}`);
      const [buffer, offset] = 'offset' in slice ? [slice.buffer, slice.offset] : [slice, 0];
      const { size } = slice;
      if (!(size >= bytes)) {
        throw new ShapeError(
          `${what}: expected '${name}' to hold ${bytes} bytes, got ${size}: its shape is (${shape.join(', ')}) ${dtype}`,
        );
      }
      if (!(Number.isSafeInteger(offset) && offset >= 0 && offset + size <= buffer.size)) {
        throw new ShapeError(
          `${what}: expected '${name}' to lie within its buffer of ${buffer.size} bytes, got offset ${offset} and size ${size}`,
        );
      }
      if (!(buffer.usage & GPUBufferUsage.STORAGE)) {
        throw new GpuValidationError(
          `${what}: expected '${name}' in a buffer with usage STORAGE (0x80), got usage 0x${buffer.usage.toString(16)}. Create it with GPUBufferUsage.STORAGE.`,
        );
      }
      if (offset % minStorageBufferOffsetAlignment) {
        throw new GpuValidationError(
          `${what}: expected '${name}' at an offset that is a multiple of ${minStorageBufferOffsetAlignment} ` +
            `(minStorageBufferOffsetAlignment of this device), got ${offset}. Move it to ${Math.ceil(offset / minStorageBufferOffsetAlignment) * minStorageBufferOffsetAlignment}, or copy it first.`,
        );
      }
      if (bytes > maxStorageBufferBindingSize) {
        throw new OutOfMemoryError(
          `${what}: expected '${name}' to bind at most ${maxStorageBufferBindingSize} bytes (maxStorageBufferBindingSize of this device), ` +
            `got ${bytes}. Split the batch, or ask for the device with a higher limit.`,
        );
      }
      slices.set(name, { buffer, offset, size: bytes });
    }
    return slices;
  }
}

/** WebGPU does not allow a dispatch to write any part of a buffer that it also reads, or to write one place twice. */
function checkCompany(
  what: string,
  kernel: string,
  entries: Step['entries'],
  resources: readonly GPUBufferBinding[],
): void {
  const nameOf = (i: number) => {
    const place = entries[i]!.place;
    return place !== 'params' && 'name' in place ? place.name : undefined;
  };
  resources.forEach((a, i) => {
    resources.forEach((b, j) => {
      const [first, second] = [nameOf(i), nameOf(j)];
      if (i === j || a.buffer !== b.buffer || !entries[i]!.write || !first || !second) return;
      const apart = a.offset! + a.size! <= b.offset! || b.offset! + b.size! <= a.offset!;
      if (entries[j]!.write && apart) return;
      throw new GpuValidationError(
        `${what}: expected '${first}', which ${kernel} writes, in a buffer apart from '${second}', got both in one (WebGPU ` +
          'reads or writes a buffer in a dispatch, never both). Give it a buffer of its own.',
      );
    });
  });
}

function stepOf({ grid, buffers }: Dispatch<Place>, { source, pipeline, layout }: Pipeline): Step {
  const entries = bindingsOf(source).map(({ name, type }) => {
    const place = name === 'params' ? ('params' as const) : buffers[name];
    if (!place) throw new ShapeError(`kernel ${source.name}: no buffer for binding '${name}'`);
    return { place, write: type === 'storage' };
  });
  return {
    pipeline,
    layout,
    kernel: source.name,
    grid,
    entries,
    paramsSize: Math.ceil(paramsOf(source).length / 4) * 16,
  };
}

function ownBuffer(context: Context, content: number | TypedArray): GPUBuffer {
  const bytes = typeof content === 'number' ? content : content.byteLength;
  const buffer = context.createBuffer(bytes, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST, 'operation');
  if (typeof content !== 'number') writeBuffer(context, buffer, 0, content);
  return buffer;
}

/** From one kernel's params to the next one's: bytes. */
const paramsStride = ({ device }: Context): number => Math.max(256, device.limits.minUniformBufferOffsetAlignment);

function paramsBuffer(context: Context, dispatches: Recipe['dispatches'], pipelines: readonly Pipeline[]): GPUBuffer {
  const stride = paramsStride(context);
  const data = new DataView(new ArrayBuffer(stride * dispatches.length));
  dispatches.forEach(({ params }, i) => {
    packParams(pipelines[i]!.source, params, data, i * stride);
  });
  const buffer = context.createBuffer(data.byteLength, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST, 'params');
  context.device.queue.writeBuffer(buffer, 0, data.buffer as ArrayBuffer);
  return buffer;
}

const settled = new WeakMap<PipelineCache, Map<string, Pipeline>>();

/** The pipelines of a device that are compiled: those of `Context.pipelines` are promised. */
function cacheOf({ pipelines }: Context): Map<string, Pipeline> {
  const cache = settled.get(pipelines) ?? new Map<string, Pipeline>();
  settled.set(pipelines, cache);
  return cache;
}

/** Texts of the kernels that models fetch when they need them: here they are at hand. */
const fetched: Readonly<Record<string, KernelSource>> = { orthogonal_pass: orthogonalPass };

/** Blocks while it compiles. */
function compileNow(context: Context, dispatch: Dispatch<unknown>): Pipeline {
  const { source: later } = dispatch;
  const source = 'fetch' in later ? fetched[later.name]! : later;
  const { layout, descriptor } = pipelineParts(context, source, dispatch);
  return { source, pipeline: context.device.createComputePipeline(descriptor), layout };
}
