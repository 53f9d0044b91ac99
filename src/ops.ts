/** `weightless/ops`: operations on raw buffers of the caller's, on the caller's device. */
import { MAX_U8_INPUTS, randomMatmulU8 } from '../kernels/random_matmul_u8.ts';
import type { ActivationName } from './activations.ts';
import { chooseForward, type ForwardKernelName, keyedUnits } from './choose.ts';
import type { Context } from './context.ts';
import { ShapeError } from './errors.ts';
import { type BufferSlice, runDispatches } from './kernel.ts';
import { storageBuffer, uploadBuffer } from './tensor.ts';
import { isElementwise, type WeightSpec } from './weights/distributions.ts';
import { unitKeys } from './weights/stream.ts';

export { createContext } from './context.ts';

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
  /** The kernel to take; default: chosen by shape, distribution and adapter. */
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
  const { distribution } = weights;
  const bytes = inputs === 'u8';
  if (bytes && (!isElementwise(distribution) || kernel || k > MAX_U8_INPUTS)) {
    throw new ShapeError(
      `randomMatmul: expected independent weights, at most ${MAX_U8_INPUTS} inputs and no kernel by name beside u8 inputs, ` +
        `got ${distribution}, ${k}, ${kernel}`,
    );
  }
  const problem = { m, k, n, weights: weights.distribution };
  const chosen = chooseForward(problem, { software: context.adapter.software, ...(kernel && { kernel }) });
  const keys = uploadBuffer(context, unitKeys(weights.seed, weights.tensor, keyedUnits(problem)), 'unit keys');
  const scratch = (bytes ? [] : chosen.scratchBytes(problem)).map((size) => storageBuffer(context, size, 'scratch'));
  const epilogue = bias && { ...(scale && { u: scale }), b: bias, activation };
  try {
    const args = { ...problem, x, keys, y, ...(epilogue && { epilogue }) };
    const dispatches =
      bytes && isElementwise(distribution)
        ? [randomMatmulU8({ ...args, weights: distribution })]
        : chosen.launch<BufferSlice>(args, scratch);
    await runDispatches(context, dispatches);
  } finally {
    context.destroyBuffers([keys, ...scratch]);
  }
}
