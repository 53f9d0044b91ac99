/** The CPU kernels (wasm/) and their memory. */
import { arrayType } from '../core/arrays.ts';
import { OutOfMemoryError } from '../core/errors.ts';
import { codeBit } from '../weights/code-words.ts';
import { distributions, type ElementwiseName } from '../weights/distributions.ts';
import type { IndexKernels, LazyKernels } from './kernels.ts';
import type { KernelModules } from './module.ts';

/** The kernels of a machine. Those of wasm/lazy.ts exist once `addLazyKernels` has added them. */
export type Kernels = IndexKernels & LazyKernels;

/** Addresses fixed by wasm/memory.ts. */
const WEIGHTS = 1024;
const HEAP = 65536;
const PAGE = 65536;
/** Kernels read and write whole vectors, so they may exceed the end of an array by this many bytes. */
const ROOM = 16;

/** Owns the memory of the programs that run on it. It is freed as a whole. */
export class Machine {
  readonly kernels: Kernels;
  readonly #memory: WebAssembly.Memory;
  #top = HEAP;
  #weights: ElementwiseName | undefined;

  private constructor(kernels: WebAssembly.Exports, memory: WebAssembly.Memory) {
    this.kernels = kernels as unknown as Kernels;
    this.#memory = memory;
  }

  static async create({ strict, relaxed }: KernelModules): Promise<Machine> {
    const { exports } = await WebAssembly.instantiate(strict, {});
    const machine = new Machine({ ...exports }, exports.memory as WebAssembly.Memory);
    if (relaxed) await machine.add(relaxed);
    return machine;
  }

  /** Adds the kernels of another module that works on this memory. They replace kernels of the same names. */
  async add(module: WebAssembly.Module): Promise<void> {
    Object.assign(this.kernels, (await WebAssembly.instantiate(module, { env: { memory: this.#memory } })).exports);
  }

  /** Address of `size` bytes, a multiple of 64. The memory is not cleared. Throws `OutOfMemoryError`. */
  allocate(size: number): number {
    const address = this.#top;
    const end = Math.ceil((address + size + ROOM) / 64) * 64;
    const missing = end - this.#memory.buffer.byteLength;
    if (missing > 0) {
      try {
        this.#memory.grow(Math.ceil(missing / PAGE));
      } catch {
        throw new OutOfMemoryError(
          `expected ${size} more bytes of memory for the CPU kernels, could not get them beside ${address}. Use smaller batches or fewer units.`,
        );
      }
    }
    this.#top = end;
    return address;
  }

  /** Bytes of its memory; it never shrinks. */
  get bytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** A mark for `release`, which frees everything allocated after it. */
  mark(): number {
    return this.#top;
  }

  release(mark: number): void {
    this.#top = mark;
  }

  /** f32 at an address. The view is valid until the next `allocate`. */
  floats(address: number, count: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#memory.buffer as ArrayBuffer, address, count);
  }

  words(address: number, count: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.#memory.buffer as ArrayBuffer, address, count);
  }

  /** Copies the data into memory and returns the address. */
  place(data: Float32Array | Uint32Array): number {
    const address = this.allocate(data.byteLength);
    if (arrayType(data) === 'Float32Array') this.floats(address, data.length).set(data);
    else this.words(address, data.length).set(data);
    return address;
  }

  /** Makes the kernels read bytes as weights of this distribution. */
  decodeAs(distribution: ElementwiseName): void {
    if (this.#weights === distribution) return;
    this.#weights = distribution;
    const { decode, weightsPerWord } = distributions[distribution];
    if (distribution === 'codeword') {
      const bits = (byte: number) =>
        Array.from({ length: 16 }, (_, i) => codeBit(byte, i) << i).reduce((a, b) => a | b);
      this.words(WEIGHTS, 256).set(Uint32Array.from({ length: 256 }, (_, byte) => bits(byte)));
    }
    if (weightsPerWord !== 4) return;
    this.floats(WEIGHTS, 512).set(
      Float32Array.from({ length: 512 }, (_, i) => decode(((i & 255) << (8 * (i >> 8))) >>> 0, i >> 8)),
    );
  }
}
