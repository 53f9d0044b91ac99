/** The CPU kernels (wasm/) with memory of their own. Addresses are byte offsets into it. */
import { OutOfMemoryError } from '../core/errors.ts';
import { distributions, type ElementwiseName } from '../weights/distributions.ts';
import type { KernelModules } from './module.ts';

/** Of pooling: windows and the pixels of one, as tables of byte offsets. */
type WindowTables = [positions: number, count: number, numbers: number, size: number, channels: number];

/** What wasm/index.ts exports, and with `addLater` wasm/later.ts: addresses and counts, f32 factors. */
export interface Kernels {
  epilogue(z: number, u: number, b: number, code: number, m: number, n: number, y: number): void;
  epilogueInputGradient(
    ...args: [z: number, u: number, b: number, code: number, m: number, n: number, dy: number, dz: number]
  ): void;
  epilogueParameterGradient(
    ...args: [z: number, u: number, b: number, code: number, m: number, n: number, dy: number, du: number, db: number]
  ): void;
  softmaxCrossEntropy(logits: number, labels: number, m: number, n: number, loss: number, dlogits: number): void;
  meanSquaredError(y: number, targets: number, m: number, n: number, loss: number, dy: number): void;
  adam(
    ...args: [
      ...[value: number, gradient: number, moment1: number, moment2: number, count: number],
      ...[beta1: number, beta2: number, epsilon: number, rate: number, correction1: number, correction2: number],
    ]
  ): void;
  sgd(value: number, gradient: number, velocity: number, count: number, momentum: number, rate: number): void;
  packRows(
    ...args: [a: number, strideM: number, strideK: number, m: number, k: number, depth: number, out: number]
  ): void;
  unpackRows(acc: number, m: number, n: number, stride: number, scale: number, z: number): void;
  unpackTiles(acc: number, m: number, n: number, scale: number, z: number): void;
  scale(from: number, count: number, factor: number, to: number): void;
  matmul(
    ...args: [a: number, blocks: number, k: number, b: number, strideK: number, strideN: number, n: number, acc: number]
  ): void;
  matmulRow(x: number, k: number, b: number, n: number, z: number): void;
  randomMatmul(
    ...args: [x: number, blocks: number, k: number, key0: number, key1: number, kind: number, n: number, acc: number]
  ): void;
  randomMatmulTransposed(
    ...args: [dz: number, blocks: number, n: number, key0: number, key1: number, kind: number, k: number, acc: number]
  ): void;
  randomMatmulRow(
    ...args: [
      ...[x: number, k: number, key0: number, key1: number, kind: number, n: number, z: number],
      ...[kept: number, keptUnits: number],
    ]
  ): void;
  keepIntegers(k: number, key0: number, key1: number, kind: number, n: number, to: number): void;
  randomFields(...args: FieldsArguments): void;
  randomFieldsTransposed(...args: FieldsArguments): void;
  signNibbles(x: number, k: number, key0: number, key1: number, n: number, z: number): void;
  signTables(
    ...args: [x: number, blocks: number, k: number, key0: number, key1: number, n: number, z: number, scratch: number]
  ): void;
  randomFilters(
    ...args: [key0: number, key1: number, kind: number, k: number, n: number, factor: number, out: number]
  ): void;
  windowTiles(
    ...args: [
      ...[x: number, positions: number, targets: number, count: number, segments: number, segmentCount: number],
      ...[panels: number, k: number, n: number, z: number],
    ]
  ): void;
  windowGradient(
    ...args: [
      ...[x: number, positions: number, count: number, numbers: number, k: number],
      ...[dz: number, stride: number, panels: number],
    ]
  ): void;
  packPanels(
    ...args: [
      ...[from: number, rows: number, strideRow: number, columns: number, strideColumn: number],
      ...[to: number, stride: number],
    ]
  ): void;
  unpackPanels(panels: number, rows: number, columns: number, stride: number, to: number): void;
  copyLines(from: number, stride: number, lines: number, bytes: number, to: number, toStride: number): void;
  maxPool(x: number, ...args: [...WindowTables, y: number]): void;
  maxPoolGradient(x: number, ...args: [...WindowTables, dy: number, dx: number]): void;
  averagePool(x: number, ...args: [...WindowTables, y: number]): void;
  averagePoolGradient(...args: [...WindowTables, dy: number, dx: number]): void;
  add(a: number, b: number, count: number, c: number): void;
  dropout(
    ...args: [x: number, count: number, key0: number, key1: number, threshold: number, factor: number, y: number]
  ): void;
  orthogonal(v: number, p: number, signs: number): void;
  orthogonalTransposed(v: number, p: number, signs: number): void;
}

type FieldsArguments = [
  ...[input: number, blocks: number, k: number, width: number, channels: number],
  ...[fields: number, n: number, kind: number, output: number],
];

/** Places that wasm/memory.ts fixes. */
const WEIGHTS = 1024;
const HEAP = 65536;
const PAGE = 65536;
/** What may be read or written behind the end of an array, as kernels take whole vectors. */
const ROOM = 16;

/** Owns the memory of what runs on it: dropped as a whole. */
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

  /** Kernels of another module that works on this memory; they take the places of those of the same names. */
  async add(module: WebAssembly.Module): Promise<void> {
    Object.assign(this.kernels, (await WebAssembly.instantiate(module, { env: { memory: this.#memory } })).exports);
  }

  /** Address of `size` bytes, a multiple of 64. What lies there is whatever was there. Throws `OutOfMemoryError`. */
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

  /** Everything allocated from here on can be given back by `release`. */
  mark(): number {
    return this.#top;
  }

  release(mark: number): void {
    this.#top = mark;
  }

  /** f32 at an address. The view is good until the next `allocate`. */
  floats(address: number, count: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#memory.buffer as ArrayBuffer, address, count);
  }

  words(address: number, count: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.#memory.buffer as ArrayBuffer, address, count);
  }

  /** Address of a copy. */
  place(data: Float32Array | Uint32Array): number {
    const address = this.allocate(data.byteLength);
    if (data instanceof Float32Array) this.floats(address, data.length).set(data);
    else this.words(address, data.length).set(data);
    return address;
  }

  /** Has the kernels read bytes as weights of this distribution. */
  decodeAs(distribution: ElementwiseName): void {
    if (this.#weights === distribution) return;
    this.#weights = distribution;
    const { decode, weightsPerWord } = distributions[distribution];
    if (weightsPerWord !== 4) return;
    this.floats(WEIGHTS, 512).set(
      Float32Array.from({ length: 512 }, (_, i) => decode(((i & 255) << (8 * (i >> 8))) >>> 0, i >> 8)),
    );
  }
}
