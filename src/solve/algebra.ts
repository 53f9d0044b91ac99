/**
 * Symmetric matrices in float64: sums of products of rows, Cholesky, systems of equations. Computed by WebAssembly
 * (wasm/solve.ts), whichever backend makes the features, in a fixed order: the same input gives the same bits.
 */
import packed from '../../wasm/solve.wasm';
import { NoAdapterError, OutOfMemoryError } from '../core/errors.ts';
import { unpack } from '../core/unpack.ts';
import type { SolveKernels } from './kernels.ts';

type Numbers = Float32Array | Float64Array;

/** Rows that are copied to the kernels at a time. */
const CHUNK = 64;
const PAGE = 65536;

let compiled: Promise<WebAssembly.Module> | undefined;

const compile = async (): Promise<WebAssembly.Module> => {
  const [bytes] = await unpack(packed);
  return WebAssembly.compile(bytes!).catch((error) => {
    throw new NoAdapterError(
      `expected WebAssembly for the solver, got: ${error.message}. If the page has a content security policy, ` +
        "add 'wasm-unsafe-eval' to its script-src.",
    );
  });
};

/** Sizes that the kernels compute with are multiples of 4. */
export const padded = (size: number): number => Math.ceil(size / 4) * 4;

/** The kernels and a memory of their own, which is freed with this object. */
class Workspace {
  readonly kernels: SolveKernels;
  readonly #memory: WebAssembly.Memory;
  #top = PAGE;

  private constructor({ exports }: WebAssembly.Instance) {
    this.kernels = exports as unknown as SolveKernels;
    this.#memory = exports.memory as WebAssembly.Memory;
  }

  static async create(): Promise<Workspace> {
    compiled ??= compile();
    return new Workspace(await WebAssembly.instantiate(await compiled, {}));
  }

  /** Address of `count` zeros, f64. Throws `OutOfMemoryError`. */
  allocate(count: number): number {
    const at = this.#top;
    this.#top = Math.ceil((at + 8 * count) / 64) * 64;
    const missing = this.#top - this.#memory.buffer.byteLength;
    try {
      if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE));
    } catch {
      throw new OutOfMemoryError(
        `expected ${8 * count} more bytes of memory to solve, could not get them beside ${at}. Use fewer units.`,
      );
    }
    this.numbers(at, count).fill(0);
    return at;
  }

  /** Memory in use, for `release`. */
  mark(): number {
    return this.#top;
  }

  /** Frees what was allocated after the mark. */
  release(mark: number): void {
    this.#top = mark;
  }

  /** A view; the next allocation may detach it. */
  numbers(at: number, count: number): Float64Array<ArrayBuffer> {
    return new Float64Array(this.#memory.buffer as ArrayBuffer, at >>> 0, count);
  }
}

/** A symmetric matrix (size, size), of which the upper triangle counts. */
export class SymmetricMatrix {
  readonly size: number;
  readonly #space: Workspace;
  readonly #at: number;
  readonly #width: number;

  private constructor(space: Workspace, size: number) {
    this.size = size;
    this.#space = space;
    this.#width = padded(size);
    this.#at = space.allocate(this.#width ** 2);
  }

  /** Zeros. Throws `OutOfMemoryError`. */
  static async zeros(size: number): Promise<SymmetricMatrix> {
    return new SymmetricMatrix(await Workspace.create(), size);
  }

  /** Row `i`, as a view until the next call; columns before `i` are undefined. */
  row(i: number): Float64Array<ArrayBuffer> {
    return this.#space.numbers(this.#at + 8 * i * this.#width, this.size);
  }

  /** Another matrix with the same numbers, in a memory of its own. */
  async copy(): Promise<SymmetricMatrix> {
    const copy = await SymmetricMatrix.zeros(this.size);
    const count = this.#width ** 2;
    copy.#space.numbers(copy.#at, count).set(this.#space.numbers(this.#at, count));
    return copy;
  }

  /** Adds `sign` times x'x for rows x (count, size), row-major. The products are exact for f32 rows. */
  add(rows: Numbers, sign = 1): void {
    const { size } = this;
    const width = this.#width;
    const space = this.#space;
    const mark = space.mark();
    const x = space.allocate(CHUNK * width);
    const scratch = space.allocate(CHUNK * width);
    const count = rows.length / size;
    for (let first = 0; first < count; first += CHUNK) {
      const depth = Math.min(CHUNK, count - first);
      const to = space.numbers(x, depth * width);
      for (let r = 0; r < depth; r++) {
        to.set(rows.subarray((first + r) * size, (first + r + 1) * size), r * width);
      }
      const stride = 8 * width;
      space.kernels.accumulate(x, stride, width, x, stride, width, depth, sign, this.#at, stride, scratch);
    }
    space.release(mark);
  }

  /** Adds the upper triangle of another matrix (size, size), row-major. */
  addMatrix(other: Numbers): void {
    for (let i = 0; i < this.size; i++) {
      const row = this.row(i);
      for (let j = i, at = i * (this.size + 1); j < this.size; j++, at++) row[j]! += other[at]!;
    }
  }

  /**
   * Turns this matrix into its Cholesky factor, which solves systems with it. Returns undefined where it is not
   * positive definite; the matrix is lost then.
   */
  factorise(): Factor | undefined {
    const { size } = this;
    const width = this.#width;
    const space = this.#space;
    for (let i = size; i < width; i++) {
      const row = space.numbers(this.#at + 8 * i * width, width);
      row.fill(0);
      row[i] = 1;
    }
    for (let i = 0; i < size; i++) space.numbers(this.#at + 8 * (i * width + size), width - size).fill(0);
    const mark = space.mark();
    const failed = space.kernels.cholesky(this.#at, width, space.allocate(CHUNK * width));
    space.release(mark);
    return failed ? undefined : new Factor(space, this.#at, size, width);
  }
}

/** The Cholesky factor of a matrix A (size, size). */
export class Factor {
  readonly #space: Workspace;
  readonly #at: number;
  readonly #size: number;
  readonly #width: number;

  constructor(space: Workspace, at: number, size: number, width: number) {
    this.#space = space;
    this.#at = at;
    this.#size = size;
    this.#width = width;
  }

  /** The solution x (size, columns) of A x = b. */
  solve(b: Float64Array, columns: number): Float64Array<ArrayBuffer> {
    return this.#with(b, columns, (at, m, scratch) => {
      const { kernels } = this.#space;
      kernels.solveLower(this.#at, this.#width, at, m, scratch);
      kernels.solveUpper(this.#at, this.#width, at, m);
      const x = new Float64Array(this.#size * columns);
      for (let i = 0; i < this.#size; i++) x.set(this.#space.numbers(at + 8 * i * m, columns), i * columns);
      return x;
    });
  }

  /** v' A^-1 v for each column v of b (size, columns). */
  quadraticForms(b: Float64Array, columns: number): Float64Array<ArrayBuffer> {
    return this.#with(b, columns, (at, m, scratch) => {
      this.#space.kernels.solveLower(this.#at, this.#width, at, m, scratch);
      const forms = new Float64Array(columns);
      for (let i = 0; i < this.#size; i++) {
        const y = this.#space.numbers(at + 8 * i * m, columns);
        for (let c = 0; c < columns; c++) forms[c]! += y[c]! ** 2;
      }
      return forms;
    });
  }

  #with<T>(b: Float64Array, columns: number, work: (at: number, m: number, scratch: number) => T): T {
    const space = this.#space;
    const mark = space.mark();
    const m = padded(columns);
    const at = space.allocate(this.#width * m);
    const scratch = space.allocate(CHUNK * (this.#width + m));
    for (let i = 0; i < this.#size; i++) {
      space.numbers(at + 8 * i * m, columns).set(b.subarray(i * columns, (i + 1) * columns));
    }
    try {
      return work(at, m, scratch);
    } finally {
      space.release(mark);
    }
  }
}
