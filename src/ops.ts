/** `weightless/ops`: operations on raw buffers of the caller's, on the caller's device. */
import { halfRows, halfRowWords } from '../kernels/half_rows.ts';
import { quantiseRows } from '../kernels/quantise_rows.ts';
import { randomMatmulF16 } from '../kernels/random_matmul_f16.ts';
import { MAX_U8_INPUTS } from '../kernels/random_matmul_u8.ts';
import type { ActivationName } from './activations.ts';
import type { ForwardKernelName } from './choose.ts';
import { type BatchKernelName, chooseBatch } from './choose-batch.ts';
import { chooseInteger, type IntegerKernelName } from './choose-integer.ts';
import { type Context, guarded } from './context.ts';
import type { Dispatch } from './dispatch.ts';
import { ShaderError, ShapeError } from './errors.ts';
import { randomMatmul as addRandomMatmul, createGraph, epilogue, input, parameter, type Value } from './graph.ts';
import { type BufferSlice, runDispatches } from './kernel.ts';
import { planOn, Run } from './run.ts';
import { storageBuffer, uploadBuffer } from './tensor.ts';
import { type ElementwiseName, isElementwise, type WeightSpec } from './weights/distributions.ts';
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
  /**
   * How x enters the product; default f32. `u8`: x holds bytes; sums are exact integers, the same on every device. `i8`: x holds f32
   * that is rounded to int8 on the device, each row with a scale of its own, max |x| / 127: at most max |x| / 254 off an input,
   * about 0.4% of |z| for uniform x. Neither for `orthogonal`.
   */
  inputs?: 'f32' | 'u8' | 'i8';
  /**
   * `f16`: inputs, weights and sums of eight products in f16, everything else in f32: about 0.06% of |z| off. On devices with
   * `shader-f16` only; not for `orthogonal`, nor beside integer inputs. Default f32.
   */
  precision?: 'f32' | 'f16';
  /** (m, n) f32 row-major, written. Both must have usage STORAGE. */
  y: BufferSlice;
  /** (n) f32 each; with them y = g(scale * z + bias), without y = z. */
  scale?: BufferSlice;
  bias?: BufferSlice;
  activation?: ActivationName;
  /** The kernel to take; default: as measured where the context tunes, else by shape, distribution and adapter. */
  kernel?: ForwardKernelName | BatchKernelName | IntegerKernelName;
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
  const make = directly(context, options);
  if (make) return multiplyDirectly(context, options, make);
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
  const plan = await planOn(context, graph, {
    outputs: [product],
    ...(kernel && { kernel: kernel as ForwardKernelName }),
  });
  const run = await Run.create(context, plan, { buffers });
  try {
    await guarded(context, 'multiplying', () => run.submit());
    await context.settle();
  } finally {
    run.dispose();
  }
}

/** Dispatches of a product, given its keys and epilogue and what makes memory for it. */
type Make = (
  args: { keys: BufferSlice; epilogue?: { u?: BufferSlice; b: BufferSlice; activation: ActivationName } },
  memory: (bytes: number) => BufferSlice,
) => Dispatch<BufferSlice>[];

/** What makes the dispatches where the product is none of the graph's: integer inputs, f16, large batches. Throws for what cannot be. */
function directly(context: Context, options: RandomMatmulOptions): Make | undefined {
  const { m, k, n, weights, x, y, kernel, inputs = 'f32', precision = 'f32' } = options;
  const problem = { m, k, n, weights: weights.distribution };
  const sizes = { m, k, n, y, weights: weights.distribution as ElementwiseName };
  const { software } = context.adapter;
  if (precision === 'f16') {
    if (inputs !== 'f32' || kernel || !isElementwise(problem.weights)) {
      throw new ShapeError(
        `randomMatmul: expected f32 inputs, independent weights and no kernel by name beside f16, got ${inputs}, ${problem.weights}, ${kernel}`,
      );
    }
    if (!context.device.features.has('shader-f16')) {
      throw new ShaderError(
        "randomMatmul: expected a device with 'shader-f16' for f16, got one without. Leave `precision` out, or ask the adapter for the feature.",
      );
    }
    return (args, memory) => {
      const [h, scales] = [memory(4 * m * halfRowWords(k)), memory(4 * m)];
      return [halfRows({ m, k, x, h, scales }), randomMatmulF16({ ...sizes, ...args, x: h }, scales)];
    };
  }
  if (inputs !== 'f32') {
    if (k > MAX_U8_INPUTS) {
      throw new ShapeError(`randomMatmul: expected at most ${MAX_U8_INPUTS} inputs where they are integers, got ${k}`);
    }
    const chosen = chooseInteger(problem, software, kernel);
    return (args, memory) => {
      const scratch = chosen.scratchBytes(problem).map(memory);
      if (inputs === 'u8') return chosen.launch({ ...sizes, ...args, x }, scratch);
      const [q, scales] = [memory(4 * m * Math.ceil(k / 4)), memory(4 * m)];
      return [quantiseRows({ m, k, x, q, scales }), ...chosen.launch({ ...sizes, ...args, x: q, scales }, scratch)];
    };
  }
  const chosen = chooseBatch(problem, software || Boolean(context.tuner), kernel); // a context that tunes measures the others
  return chosen && ((args) => chosen.launch({ ...sizes, ...args, x }, []));
}

async function multiplyDirectly(context: Context, options: RandomMatmulOptions, make: Make): Promise<void> {
  const { n, weights, scale, bias, activation = 'identity' } = options;
  const own: GPUBuffer[] = [];
  const memory = (buffer: GPUBuffer): BufferSlice => {
    own.push(buffer);
    return buffer;
  };
  try {
    const keys = memory(uploadBuffer(context, unitKeys(weights.seed, weights.tensor, n), 'unit keys'));
    const args = { keys, ...(bias && { epilogue: { ...(scale && { u: scale }), b: bias, activation } }) };
    await runDispatches(
      context,
      make(args, (bytes) => memory(storageBuffer(context, bytes, 'scratch'))),
    );
  } finally {
    context.destroyBuffers(own);
  }
}
