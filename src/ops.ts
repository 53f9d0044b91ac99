/** `weightless/ops`: operations on raw buffers of the caller's, on the caller's device. */
import type { ActivationName } from './activations.ts';
import { chooseForward, type ForwardKernelName, keyedUnits } from './choose.ts';
import type { Context } from './context.ts';
import { ShapeError } from './errors.ts';
import { type BufferSlice, runDispatches } from './kernel.ts';
import { storageBuffer, uploadBuffer } from './tensor.ts';
import type { WeightSpec } from './weights/distributions.ts';
import { unitKeys } from './weights/stream.ts';

export { createContext } from './context.ts';

export interface RandomMatmulOptions {
  /** Rows, inputs, units. */
  m: number;
  k: number;
  n: number;
  weights: WeightSpec;
  /** (m, k) f32 row-major, read. */
  x: BufferSlice;
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
  const { m, k, n, weights, x, y, scale, bias, activation = 'identity', kernel } = options;
  for (const [name, size] of Object.entries({ m, k, n })) {
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new ShapeError(`randomMatmul: expected ${name} of 1 or more, got ${size}`);
    }
  }
  for (const [name, slice, count] of [
    ['x', x, m * k],
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
  const problem = { m, k, n, weights: weights.distribution };
  const chosen = chooseForward(problem, { software: context.adapter.software, ...(kernel && { kernel }) });
  const keys = uploadBuffer(context, unitKeys(weights.seed, weights.tensor, keyedUnits(problem)), 'unit keys');
  const scratch = chosen.scratchBytes(problem).map((bytes) => storageBuffer(context, bytes, 'scratch'));
  const epilogue = bias && { ...(scale && { u: scale }), b: bias, activation };
  try {
    const args = { ...problem, x, keys, y, ...(epilogue && { epilogue }) };
    await runDispatches(context, chosen.launch<BufferSlice>(args, scratch));
  } finally {
    context.destroyBuffers([keys, ...scratch]);
  }
}
