/**
 * `weightless-gpu/jax`: random matrices in jax-js as expressions, usable under its `grad`, `jit` and `vmap`, and our
 * kernels on its arrays outside of these. The caller passes the library in; this module imports nothing from it.
 *
 * jax-js 0.1 has no custom primitives or derivatives, so our kernels can't run under its `grad`. But it has 32-bit
 * integers: the weight stream (src/weights/SPEC.md) is expressed in them, and its compiler compiles the expression.
 */

import { expectOptions } from '../core/options.ts';
import {
  type Context,
  createContext,
  type DistributionName,
  decodeTable,
  elementwiseNames,
  type OperationBinding,
  type OperationSpec,
  prepare,
  type Seed,
  ShapeError,
  unitKeys,
  WeightlessError,
  WORD_MULTIPLIER,
  WORD_WEYL,
  weightScale,
} from '../ops.ts';
import { disposed, expectRandom, expectShape, expectSizes, inputBinding, randomOptions } from './border.ts';

const WHAT = 'weightless-gpu/jax';

/** The part of a jax-js array that is used here. jax-js functions consume their arguments, unless passed as `ref`. */
export interface JaxArray {
  readonly ref: this;
  readonly shape: number[];
  readonly dtype: string;
  add(other: this | number): this;
  mul(other: this | number): this;
  astype(dtype: never): this;
  dispose(): void;
}

/** The namespace `jax` of @jax-js/jax. */
export interface Jax {
  // biome-ignore lint/suspicious/noExplicitAny: its own types hold for the caller
  readonly numpy: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly lax: any;
  readonly getWebGPUDevice: () => GPUDevice;
}

export interface RandomMatrixOptions {
  /** Rows. */
  fanIn: number;
  /** Columns. */
  units: number;
  /** Distribution of the random weights; default `normal`. Not `orthogonal`, whose elements depend on one another. */
  weights?: Exclude<DistributionName, 'orthogonal'>;
  /** Default 0. */
  seed?: Seed;
  /** Number of the matrix within its model; default 0. */
  tensor?: number;
}

/**
 * The (fanIn, units) random matrix, bit for bit the same as in every other entry point, as a lazy jax-js array. Inside
 * `jit` each call regenerates it. On the device it holds two words per unit. It has no gradient.
 */
export function randomMatrix<A = JaxArray>(jax: Jax, options: RandomMatrixOptions): A {
  expectOptions(`${WHAT}: randomMatrix`, options, { fanIn: 'any', units: 'any', ...randomOptions });
  const { fanIn, units, weights = 'normal', seed = 0, tensor = 0 } = options;
  expectSizes(WHAT, { fanIn, units });
  expectRandom(WHAT, options, elementwiseNames);
  const { numpy: np, lax } = jax;
  const u32 = (numbers: Uint32Array | number[], shape: number[]) =>
    np.array(numbers instanceof Uint32Array ? numbers : Uint32Array.from(numbers), { dtype: np.uint32 }).reshape(shape);
  const word = (value: number) => u32([value], [1, 1]);
  const keys = unitKeys(seed, tensor, units);
  const half = (at: 0 | 1) =>
    u32(
      keys.filter((_, i) => i % 2 === at),
      [1, units],
    );
  const { bits, places, shifts, rows, integers } = decodeTable(weights);
  // Indices of words and places within them: counted here, fanIn words each.
  const index = u32(
    Uint32Array.from({ length: fanIn }, (_, k) => Math.imul(Math.floor(k / places), WORD_WEYL) >>> 0),
    [fanIn, 1],
  );
  const column = (of: (place: number) => number) =>
    u32(
      Uint32Array.from({ length: fanIn }, (_, k) => of(k % places)),
      [fanIn, 1],
    );
  const xorShift = (h: JaxArray, by: number) => np.bitwiseXor(h.ref, np.rightShift(h, word(by)));
  // Section 3.
  let h = half(0).add(index);
  h = xorShift(h, 16).mul(np.bitwiseOr(half(1), word(1)));
  h = xorShift(h, 15).add(half(1)).mul(word(WORD_MULTIPLIER));
  h = xorShift(h, 15);
  // Section 4.
  const code = np.bitwiseAnd(
    np.rightShift(
      h,
      column((place) => shifts[place]!),
    ),
    word(2 ** bits - 1),
  );
  const entry = code.add(column((place) => rows[place]!));
  const integer = np.take(np.array(Float32Array.from(integers)), np.astype(entry, np.int32), 0);
  return lax.stopGradient(integer.mul(weightScale(weights, fanIn) as never)) as A;
}

/**
 * z (..., units) = x times the random matrix; the inputs of a unit are the last size of x. Under `grad`, x has its
 * gradient.
 */
export function randomMatmul<A extends { readonly shape: number[] }>(
  jax: Jax,
  x: A,
  units: number,
  options: Omit<RandomMatrixOptions, 'fanIn' | 'units'> = {},
): A {
  expectOptions(`${WHAT}: randomMatmul`, options, randomOptions);
  const fanIn = x.shape.at(-1);
  if (!fanIn) throw new ShapeError(`${WHAT}: expected x of shape (..., inputs), got (${x.shape.join(', ')})`);
  return jax.numpy.matmul(x, randomMatrix(jax, { ...options, fanIn, units })) as A;
}

export interface Connection<A> {
  readonly context: Context;
  /**
   * Runs any operation of `weightless-gpu/ops` on jax-js arrays, named by binding, and submits it. Results are new
   * arrays on the same device. Consumes the arrays, like functions of jax-js. Not under `grad` or `jit`, where arrays
   * have no memory.
   */
  run(spec: OperationSpec, inputs: Record<string, A>): Promise<Record<string, A>>;
}

/** The jax-js type of each binding type, and the types that are converted to it. */
const arrayTypes = {
  f32: ['float32', ['int32', 'uint32', 'bool', 'float16']],
  i32: ['int32', ['bool']],
  u8: ['uint32', []],
} as const satisfies Record<OperationBinding['dtype'], readonly [string, readonly string[]]> as Record<
  OperationBinding['dtype'],
  readonly [string, readonly string[]]
>;

/** Connects to the device of jax-js. Throws `WeightlessError` if it has none: call `await jax.init('webgpu')` first. */
export async function connect<A = JaxArray>(jax: Jax): Promise<Connection<A>> {
  let device: GPUDevice;
  try {
    device = jax.getWebGPUDevice();
  } catch (error) {
    throw new WeightlessError(
      `${WHAT}: expected jax-js on WebGPU, got: ${(error as Error).message}. Call await jax.init('webgpu') first.`,
    );
  }
  const context = await createContext({ device });
  /** The memory of an array. Consumes the array; jax-js frees the memory. */
  const bufferOf = (name: string, array: unknown): GPUBuffer => {
    try {
      return (array as { gpuBufferSync(): GPUBuffer }).gpuBufferSync();
    } catch (error) {
      if (error instanceof ReferenceError) throw disposed(WHAT, name);
      throw new WeightlessError(
        `${WHAT}: expected '${name}' as an array on the webgpu device, got: ${(error as Error).message}`,
      );
    }
  };
  /** Converts the array to the type of the binding: integers and booleans become f32. Consumes the array. */
  const typed = (name: string, array: JaxArray, { dtype }: OperationBinding): JaxArray => {
    const [wanted, convertible] = arrayTypes[dtype];
    if (array.dtype === wanted) return array;
    if (convertible.includes(array.dtype)) return jax.numpy.astype(array, wanted);
    const others = convertible.length ? ` or ${convertible.join(', ')}, which become ${wanted}` : '';
    throw new WeightlessError(`${WHAT}: expected '${name}' as ${wanted}${others}; got ${array.dtype}`);
  };
  return {
    context,
    async run(spec, inputs) {
      const operation = await prepare(context, spec);
      try {
        const outputs = Object.entries(operation.bindings).filter(([, { access }]) => access === 'write');
        // jax-js can't wrap a buffer in an array, so it creates the array, which is then overwritten.
        const arrays = Object.entries(inputs).map(([name, given]) => {
          const array = given as JaxArray;
          const binding = inputBinding(WHAT, name, operation.bindings);
          // Bytes are passed as words of four.
          const shape = binding.dtype === 'u8' ? binding.shape.map((size, i) => (i ? size / 4 : size)) : binding.shape;
          expectShape(WHAT, name, array.shape, { shape });
          return [name, typed(name, array, binding)] as const;
        });
        const made = outputs.map(
          ([name, { shape, dtype }]) => [name, jax.numpy.zeros(shape, { dtype: arrayTypes[dtype][0] })] as const,
        );
        const buffers = Object.fromEntries(made.map(([name, array]) => [name, bufferOf(name, array.ref)]));
        for (const [name, array] of arrays) buffers[name] = bufferOf(name, array);
        const encoder = device.createCommandEncoder();
        operation.encode(encoder, buffers);
        device.queue.submit([encoder.finish()]); // jax-js reuses the inputs' memory only in later submits
        return Object.fromEntries(made);
      } finally {
        operation.dispose();
      }
    },
  };
}
