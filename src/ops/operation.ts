/**
 * An operation on raw buffers: dispatches that are compiled, with memory of their own, bound to the caller's buffers each time they
 * are encoded. It submits nothing, copies nothing and waits for nothing.
 */

import type { Dispatch } from '../../kernels/dispatch.ts';
import { GpuValidationError, OutOfMemoryError, ShapeError } from '../core/errors.ts';
import { allocateMemory, type Memory } from '../gpu/buffers.ts';
import { type DeviceContext, guarded } from '../gpu/device.ts';
import { type BufferSlice, Executor, PARAMS } from '../gpu/kernel.ts';
import { compileAll } from '../gpu/pipelines.ts';

/** A buffer that `encode` takes. */
export interface OperationBinding {
  /** Row-major. */
  readonly shape: readonly number[];
  /** `u8`: four bytes per word, each row zero-padded to whole words. */
  readonly dtype: 'f32' | 'i32' | 'u8';
  /** Bytes that the operation reads or writes, from the slice's offset on; the buffer may be larger. */
  readonly bytes: number;
  readonly access: 'read' | 'write';
}

/** The memory of a kernel's binding: a buffer of the caller's by name, or a piece of the operation's own memory. */
export type Place = { readonly name: string } | { readonly own: number };

/** An operation before it has a device: plain data. */
export interface Recipe {
  /** Its name in errors. */
  readonly what: string;
  readonly dispatches: readonly Dispatch<Place>[];
  /** Everything that can be bound; buffers that no dispatch binds are not needed. */
  readonly bindings: Readonly<Record<string, Omit<OperationBinding, 'access'>>>;
  /** Memory of its own. */
  readonly memory: readonly Memory[];
}

/** A compute pass of the caller's, or an encoder, in which the operation begins and ends a pass of its own. */
export type EncodeTarget = GPUComputePassEncoder | GPUCommandEncoder;

/** A part of a caller's buffer. */
type Slice = Exclude<BufferSlice, GPUBuffer>;

export class Operation {
  /** Every buffer that `encode` needs, by name: shape, type, bytes, and whether it is read or written. */
  readonly bindings: Readonly<Record<string, OperationBinding>>;
  /** Bytes of its own memory on the device: unit keys, scratch, parameters of its kernels. */
  readonly ownBytes: number;
  readonly #context: DeviceContext;
  readonly #recipe: Recipe;
  readonly #executor: Executor<Place>;
  readonly #own: readonly GPUBuffer[];
  #disposed = false;

  private constructor(context: DeviceContext, recipe: Recipe) {
    this.#context = context;
    this.#recipe = recipe;
    this.#executor = new Executor(context, recipe.dispatches);
    const written = new Set<string>();
    const bound = new Set<string>();
    for (const { place, write } of this.#executor.steps.flatMap(({ bindings }) => bindings)) {
      const name = nameOf(place);
      if (name === undefined) continue;
      bound.add(name);
      if (write) written.add(name);
    }
    this.bindings = Object.fromEntries(
      Object.entries(recipe.bindings)
        .filter(([name]) => bound.has(name))
        .map(([name, binding]) => [name, { ...binding, access: written.has(name) ? 'write' : 'read' }]),
    );
    try {
      this.#own = allocateMemory(context, recipe.memory, recipe.what);
    } catch (error) {
      this.#executor.dispose();
      throw error;
    }
    this.ownBytes = this.#own.reduce((sum, { size }) => sum + size, this.#executor.bytes);
  }

  /** Compiles what is missing without blocking; throws the device's errors by name. */
  static async prepare(context: DeviceContext, recipe: Recipe): Promise<Operation> {
    await compileAll(context, recipe.dispatches);
    return guarded(context, `preparing ${recipe.what}`, () => Operation.now(context, recipe));
  }

  /** The same at once: compilation blocks, and WebGPU reports an error only by the device's `uncapturederror` event. */
  static now(context: DeviceContext, recipe: Recipe): Operation {
    context.checkAlive();
    return new Operation(context, recipe);
  }

  /**
   * Adds the operation to a pass, or to an encoder, of the caller's. Throws, before it encodes anything: `ShapeError` for a buffer that is
   * missing, unknown or too small; `GpuValidationError` for one that the device would reject because of its usage or offset, or because
   * another binding uses the same buffer; `OutOfMemoryError` for a binding beyond the device's limit.
   */
  encode(target: EncodeTarget, buffers: Readonly<Record<string, BufferSlice>>): void {
    this.#context.checkAlive();
    if (this.#disposed)
      throw new GpuValidationError(`${this.#recipe.what}: expected an operation in use, got a disposed one`);
    const slices = this.#check(buffers);
    for (const { kernel, bindings } of this.#executor.steps) {
      checkOverlaps(this.#recipe.what, kernel, bindings, slices);
    }
    const groups = this.#executor.bind((place) => ('own' in place ? this.#own[place.own]! : slices.get(place.name)!));
    const pass = 'beginComputePass' in target ? target.beginComputePass({ label: this.#recipe.what }) : target;
    this.#executor.encode(pass, groups);
    if (pass !== target) pass.end();
  }

  /** Destroys its own memory. A command buffer that contains it and was not submitted yet becomes invalid. */
  dispose(): void {
    this.#disposed = true;
    this.#executor.dispose();
    this.#context.destroyBuffers(this.#own);
  }

  /** The parts of the caller's buffers to bind. */
  #check(buffers: Readonly<Record<string, BufferSlice>>): Map<string, Slice> {
    const { what, bindings: known } = this.#recipe;
    const { maxStorageBufferBindingSize, minStorageBufferOffsetAlignment } = this.#context.device.limits;
    for (const name of Object.keys(buffers)) {
      if (!(name in known)) {
        throw new ShapeError(
          `${what}: expected buffers ${Object.keys(this.bindings).join(', ')}; got one called '${name}'`,
        );
      }
    }
    const slices = new Map<string, Slice>();
    for (const [name, { bytes, shape, dtype }] of Object.entries(this.bindings)) {
      const slice = buffers[name];
      if (!slice)
        throw new ShapeError(`${what}: expected a buffer '${name}', got ${Object.keys(buffers).join(', ') || 'none'}`);
      if (typeof slice !== 'object') {
        throw new ShapeError(`${what}: expected '${name}' as a GPUBuffer or a part of one, got ${typeof slice}`);
      }
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

/** WebGPU lets no dispatch write a buffer that it also reads, in whatever part, nor write one place twice. */
function checkOverlaps(
  what: string,
  kernel: string,
  bindings: readonly { readonly place: Place | typeof PARAMS; readonly write: boolean }[],
  slices: ReadonlyMap<string, Slice>,
): void {
  const named = bindings.flatMap(({ place, write }) => {
    const name = nameOf(place);
    return name === undefined ? [] : [{ name, write, ...slices.get(name)! }];
  });
  named.forEach((a, i) => {
    named.forEach((b, j) => {
      if (i === j || a.buffer !== b.buffer || !a.write) return;
      const apart = a.offset + a.size <= b.offset || b.offset + b.size <= a.offset;
      if (b.write && apart) return;
      throw new GpuValidationError(
        `${what}: expected '${a.name}', which ${kernel} writes, in a buffer apart from '${b.name}', got both in one (WebGPU ` +
          'reads or writes a buffer in a dispatch, never both). Give it a buffer of its own.',
      );
    });
  });
}

const nameOf = (place: Place | typeof PARAMS): string | undefined =>
  place !== PARAMS && 'name' in place ? place.name : undefined;
