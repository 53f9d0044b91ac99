/** `weightless/ops`: operations on raw buffers of the caller's, on the caller's device. */
import { MAX_U8_INPUTS, randomMatmulU8 } from '../kernels/random_matmul_u8.ts';
import type { ActivationName } from './activations.ts';
import type { ForwardKernelName } from './choose.ts';
import { type Context, guarded } from './context.ts';
import { ShapeError } from './errors.ts';
import { randomMatmul as addRandomMatmul, createGraph, epilogue, input, parameter, type Value } from './graph.ts';
import { type BufferSlice, runDispatches } from './kernel.ts';
import { planOn, Run } from './run.ts';
import { uploadBuffer } from './tensor.ts';
import { isElementwise, type WeightSpec } from './weights/distributions.ts';
import { unitKeys } from './weights/stream.ts';

export { createContext } from './context.ts';
export type { TuneMemory } from './tuner.ts';

export interface RandomMatmulOptions {
  /** Rows, inputs, units. */
  m: number;
  k: number;
  n: number;
  weights: WeightSpec;
  /** (m, k) row-major, read: f32, or bytes, each row padded to a multiple of 4. */
  x: BufferSlice;
  /** What x holds; default f32. Sums over bytes are exact integers, the same on every device. Not for `orthogonal`. */
  inputs?: 'f32' | 'u8';
  /** (m, n) f32 row-major, written. Both must have usage STORAGE. */
  y: BufferSlice;
  /** (n) f32 each; with them y = g(scale * z + bias), without y = z. */
  scale?: BufferSlice;
  bias?: BufferSlice;
  activation?: ActivationName;
  /** The kernel to take; default: as measured where the context tunes, else by shape, distribution and adapter. */
  kernel?: ForwardKernelName;
}

/**
 * y = g(scale * (r . x) + bias) with the (n, k) random matrix r regenerated inside the product. Resolves when the device
 * is done. Throws `ShapeError` for sizes that don't fit.
 */
export async function randomMatmul(context: Context, options: RandomMatmulOptions): Promise<void> {
  const { m, k, n, weights, x, y, scale, bias, activation = 'identity', kernel, inputs = 'f32' } = options;
  for (const [name, size] of Object.entries({ m, k, n })) {
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new ShapeError(`randomMatmul: expected ${name} of 1 or more, got ${size}`);
    }
  }
  for (const [name, slice, count] of [
    ['x', x, inputs === 'u8' ? m * Math.ceil(k / 4) : m * k],
    ['y', y, m * n],
    ['scale', scale, n],
    ['bias', bias, n],
  ] as const) {
    if (slice && slice.size < 4 * count) {
      throw new ShapeError(`randomMatmul: expected '${name}' to hold ${4 * count} bytes, got ${slice.size}`);
    }
  }
  if (!bias && (scale || activation !== 'identity')) {
    throw new ShapeError('randomMatmul: expected a bias beside a scale or an activation, got none');
  }
  if (inputs === 'u8') return multiplyBytes(context, options);
  const graph = createGraph();
  const buffers = new Map<Value, BufferSlice>();
  const bound = (value: Value, buffer: BufferSlice) => {
    buffers.set(value, buffer);
    return value;
  };
  const vector = (name: string, buffer: BufferSlice) => bound(parameter(graph, name, [n]), buffer);
  const z = addRandomMatmul(graph, bound(input(graph, 'x', [m, k]), x), weights, n);
  const u = scale && vector('scale', scale);
  const product = bias ? epilogue(graph, z, u, vector('bias', bias), activation) : z;
  bound(product, y);
  const plan = await planOn(context, graph, { outputs: [product], ...(kernel && { kernel }) });
  const run = await Run.create(context, plan, { buffers });
  try {
    await guarded(context, 'multiplying', () => run.submit());
    await context.settle();
  } finally {
    run.dispose();
  }
}

/** The product over inputs that are bytes: one kernel for all shapes. */
async function multiplyBytes(context: Context, options: RandomMatmulOptions): Promise<void> {
  const { m, k, n, weights, x, y, scale, bias, activation = 'identity', kernel } = options;
  const { seed, tensor, distribution } = weights;
  if (!isElementwise(distribution) || kernel || k > MAX_U8_INPUTS) {
    throw new ShapeError(
      `randomMatmul: expected independent weights, at most ${MAX_U8_INPUTS} inputs and no kernel by name beside u8 inputs, ` +
        `got ${distribution}, ${k}, ${kernel}`,
    );
  }
  const keys = uploadBuffer(context, unitKeys(seed, tensor, n), 'unit keys');
  const tail = bias && { epilogue: { ...(scale && { u: scale }), b: bias, activation } };
  try {
    await runDispatches(context, [randomMatmulU8({ m, k, n, weights: distribution, x, keys, y, ...tail })]);
  } finally {
    context.destroyBuffers([keys]);
  }
}
