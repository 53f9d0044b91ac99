/** Our operations as TensorFlow.js kernels, encoded into its own pass, with their gradients. */
import {
  type ActivationName,
  type Context,
  type Operation,
  type OperationSpec,
  prepareNow,
  ShapeError,
  WeightlessError,
  type WeightSpec,
} from '../ops.ts';

import { disposed } from './border.ts';
import type { Attributes, Backend, Internals, KernelCall, Tensor, TensorInfo } from './tfjs-library.ts';
import type { RandomOptions } from './tfjs-options.ts';

const WHAT = 'weightless-gpu/tfjs';

/** Maximum number of prepared operations per backend. Another one evicts the oldest. */
const MOST_OPERATIONS = 64;

/** Operations of one backend, by their specification. */
export class Operations {
  readonly context: Context;
  readonly #backend: Backend;
  readonly #ready = new Map<string, Operation>();

  constructor(context: Context, backend: Backend) {
    this.context = context;
    this.#backend = backend;
  }

  of(spec: OperationSpec): Operation {
    const key = JSON.stringify(spec, (_, value) => (typeof value === 'bigint' ? String(value) : value));
    const found = this.#ready.get(key);
    if (found) return found;
    const made = prepareNow(this.context, spec);
    this.#ready.set(key, made);
    if (this.#ready.size > MOST_OPERATIONS) {
      const [oldest, operation] = this.#ready.entries().next().value!;
      this.#flush(); // it may be encoded and not submitted yet
      operation.dispose();
      this.#ready.delete(oldest);
    }
    return made;
  }

  dispose(): void {
    this.#flush();
    for (const operation of this.#ready.values()) operation.dispose();
    this.#ready.clear();
  }

  #flush(): void {
    if (!this.#backend.commandEncoder) return;
    this.#backend.endComputePassEncoder();
    this.#backend.submitQueue();
  }
}

export const connected = new WeakMap<object, Operations>();

function expectNumeric(name: string, dtype: string): void {
  if (['float32', 'int32', 'bool'].includes(dtype)) return;
  throw new WeightlessError(`${WHAT}: expected '${name}' as float32, int32 or bool, got ${dtype}`);
}

/**
 * The tensor with f32 numbers in memory. TensorFlow.js' `cast` keeps the integers of an int32 or bool tensor in memory
 * and only changes its type; its own kernels ask the backend for the type in memory. Multiplying by 1 converts. `made`:
 * whether the tensor is a new one.
 */
function inFloats(
  tf: Internals,
  backend: Backend,
  name: string,
  info: TensorInfo,
): { info: TensorInfo; made: boolean } {
  const { dtype } = backend.tensorMap.get(info.dataId);
  if (dtype === 'float32') return { info, made: false };
  expectNumeric(name, dtype);
  const one = backend.makeTensorInfo([], 'float32', Float32Array.of(1));
  try {
    const inputs = { a: { ...info, dtype }, b: one };
    return { info: tf.getKernel('Multiply', 'webgpu')!.kernelFunc({ inputs, attrs: {}, backend }), made: true };
  } finally {
    backend.disposeData(one.dataId);
  }
}

/** Runs an operation on the buffers of the backend, in its pass. */
function encode(
  tf: Internals,
  backend: Backend,
  spec: OperationSpec,
  inputs: Record<string, TensorInfo>,
  outputs: Record<string, number[]>,
): TensorInfo[] {
  const operations = connected.get(backend);
  if (!operations) {
    throw new WeightlessError(
      `${WHAT}: expected a backend that is connected, got another. Call connect(tf) after tf.setBackend.`,
    );
  }
  const operation = operations.of(spec);
  const read = Object.entries(inputs).map(([name, info]) => [name, inFloats(tf, backend, name, info)] as const);
  const made = Object.entries(outputs).map(
    ([name, shape]) => [name, backend.makeTensorInfo(shape, 'float32')] as const,
  );
  const bound = [...read.map(([name, { info }]) => [name, info] as const), ...made];
  const buffers: Record<string, GPUBuffer> = {};
  for (const [name, { dataId }] of bound) {
    backend.uploadToGPU(dataId); // allocates, and uploads data that is only in the page's memory
    const resource = backend.tensorMap.get(dataId).resource;
    if (!(resource && 'usage' in resource && 'size' in resource)) {
      throw new WeightlessError(`${WHAT}: expected '${name}' in a GPUBuffer, got a texture. Copy it with tf.clone.`);
    }
    buffers[name] = resource as GPUBuffer;
  }
  backend.ensureCommandEncoderReady();
  backend.computePassEncoder ??= backend.commandEncoder!.beginComputePass();
  operation.encode(backend.computePassEncoder, buffers);
  for (const [, { dataId }] of bound) backend.commandQueueOwnedIds.add(dataId);
  backend.dispatchCountInPass++;
  if (backend.dispatchCountInPass >= tf.env().get('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE')) {
    backend.endComputePassEncoder();
    backend.submitQueue();
  }
  for (const [, { info, made }] of read) if (made) backend.disposeData(info.dataId); // freed once it is submitted
  return made.map(([, info]) => info);
}

const sizeOf = (info: TensorInfo) => [info.shape[0]!, info.shape[1]!] as const;

/** The attribute names. Values are plain, so that TensorFlow.js can store them on its tape. */
interface Product {
  readonly weights: WeightSpec;
  readonly k: number;
  readonly n: number;
}

export function registerKernels(tf: Internals): void {
  if (tf.getKernel('WeightlessProduct', 'webgpu')) return;
  const run = (name: string, inputs: Record<string, Tensor>, attrs: Attributes) =>
    tf.engine().runKernel(name, inputs, attrs);
  const kernel = (kernelName: string, kernelFunc: (call: KernelCall) => TensorInfo | TensorInfo[]) =>
    tf.registerKernel({ kernelName, backendName: 'webgpu', kernelFunc });
  kernel('WeightlessProduct', ({ inputs, attrs, backend }) => {
    const { k, n, weights } = attrs as unknown as Product;
    const [m] = sizeOf(inputs.x!);
    return encode(tf, backend, { op: 'randomMatmul', m, k, n, weights }, { x: inputs.x! }, { y: [m, n] })[0]!;
  });
  kernel('WeightlessProductTransposed', ({ inputs, attrs, backend }) => {
    const { k, n, weights } = attrs as unknown as Product;
    const [m] = sizeOf(inputs.dz!);
    const spec = { op: 'randomMatmulTransposed', m, k, n, weights } as const;
    return encode(tf, backend, spec, { dz: inputs.dz! }, { dx: [m, k] })[0]!;
  });
  kernel('WeightlessHalf', ({ inputs, attrs, backend }) => {
    const { k, n, weights } = attrs as unknown as Product;
    const [m] = sizeOf(inputs.x!);
    const activation = attrs.activation as ActivationName;
    const spec = { op: 'randomMatmul', m, k, n, weights, scale: true, bias: true, activation } as const;
    return encode(tf, backend, spec, inputs, { y: [m, n] })[0]!;
  });
  kernel('WeightlessEpilogue', ({ inputs, attrs, backend }) => {
    const [m, n] = sizeOf(inputs.z!);
    const activation = attrs.activation as ActivationName;
    const spec = { op: 'epilogue', m, n, scale: true, bias: true, activation } as const;
    return encode(tf, backend, spec, inputs, { y: [m, n] })[0]!;
  });
  kernel('WeightlessEpilogueGradient', ({ inputs, attrs, backend }) => {
    const [m, n] = sizeOf(inputs.z!);
    const { activation, gradients } = attrs as { activation: ActivationName; gradients: ('z' | 'scale' | 'bias')[] };
    const spec = { op: 'epilogueGradient', m, n, scale: true, bias: true, activation, gradients } as const;
    const outputs = Object.fromEntries(gradients.map((name) => [`d${name}`, name === 'z' ? [m, n] : [n]]));
    const made = encode(tf, backend, spec, inputs, outputs);
    return gradients.length === 1 ? made[0]! : made;
  });
  // Both are linear and each is the other's gradient, so higher gradients work too.
  tf.registerGradient({
    kernelName: 'WeightlessProduct',
    gradFunc: (dy, _, attrs) => ({ x: () => run('WeightlessProductTransposed', { dz: dy }, attrs) }),
  });
  tf.registerGradient({
    kernelName: 'WeightlessProductTransposed',
    gradFunc: (dx, _, attrs) => ({ dz: () => run('WeightlessProduct', { x: dx }, attrs) }),
  });
  tf.registerGradient({
    kernelName: 'WeightlessEpilogue',
    inputsToSave: ['z', 'scale', 'bias'],
    gradFunc(dy, [z, scale, bias], { activation }) {
      const inputs = { z: z!, scale: scale!, bias: bias!, dy };
      // One kernel computes both here. Tensors created inside a single gradient function are disposed of with it.
      const attrs = { activation, gradients: ['scale', 'bias'] };
      const [dscale, dbias] = run('WeightlessEpilogueGradient', inputs, attrs) as unknown as [Tensor, Tensor];
      return {
        z: () => run('WeightlessEpilogueGradient', inputs, { activation, gradients: ['z'] }),
        scale: () => dscale,
        bias: () => dbias,
      };
    },
  });
}

/**
 * Runs `work` on x as an f32 matrix and returns its result in the shape of x. Throws `ShapeError`, or `WeightlessError`
 * for a disposed tensor.
 */
export function onRows(x: Tensor, units: number, work: (x: Tensor, k: number) => Tensor): Tensor {
  if (x.isDisposed) throw disposed(WHAT, 'x');
  expectNumeric('x', x.dtype);
  const k = x.shape.at(-1);
  if (!k || x.shape.some((size) => !size)) {
    throw new ShapeError(`${WHAT}: expected x of shape (..., inputs), nothing of it empty, got (${x.shape})`);
  }
  const rows = x.shape.length === 2 ? x : x.reshape([-1, k]);
  const made = work(rows.dtype === 'float32' ? rows : rows.cast('float32'), k);
  return x.shape.length === 2 ? made : made.reshape([...x.shape.slice(0, -1), units]);
}

export const specOf = ({ weights = 'normal', seed = 0, tensor = 0 }: RandomOptions): WeightSpec => ({
  seed,
  tensor,
  distribution: weights,
});

export function product(tf: Internals, x: Tensor, units: number, options: RandomOptions): Tensor {
  const weights = specOf(options);
  return tf.tidy(() =>
    onRows(x, units, (x, k) => tf.engine().runKernel('WeightlessProduct', { x }, { weights, k, n: units })),
  );
}
