/** Our operations as kernels of TensorFlow.js, in its own pass, with their gradients. */
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

import type { Attributes, Backend, Internals, KernelCall, Tensor, TensorInfo } from './tfjs-library.ts';
import type { RandomOptions } from './tfjs-options.ts';

/** Operations kept ready for a backend; more shapes than these push out the oldest. */
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

/** Runs an operation on the buffers of the backend, in its pass. */
function encode(
  backend: Backend,
  batchSize: number,
  spec: OperationSpec,
  inputs: Record<string, TensorInfo>,
  outputs: Record<string, number[]>,
): TensorInfo[] {
  const operations = connected.get(backend);
  if (!operations) {
    throw new WeightlessError(
      'weightless-gpu/tfjs: expected a backend that is connected, got another. Call connect(tf) after tf.setBackend.',
    );
  }
  const operation = operations.of(spec);
  const made = Object.entries(outputs).map(
    ([name, shape]) => [name, backend.makeTensorInfo(shape, 'float32')] as const,
  );
  const bound = [...Object.entries(inputs), ...made];
  const buffers: Record<string, GPUBuffer> = {};
  for (const [name, { dataId }] of bound) {
    backend.uploadToGPU(dataId); // allocates, and copies what is only in the page's memory yet
    const resource = backend.tensorMap.get(dataId).resource;
    if (!(resource && 'usage' in resource && 'size' in resource)) {
      throw new WeightlessError(
        `weightless-gpu/tfjs: expected '${name}' in a GPUBuffer, got a texture. Copy it with tf.clone.`,
      );
    }
    buffers[name] = resource as GPUBuffer;
  }
  backend.ensureCommandEncoderReady();
  backend.computePassEncoder ??= backend.commandEncoder!.beginComputePass();
  operation.encode(backend.computePassEncoder, buffers);
  for (const [, { dataId }] of bound) backend.commandQueueOwnedIds.add(dataId);
  backend.dispatchCountInPass++;
  if (backend.dispatchCountInPass >= batchSize) {
    backend.endComputePassEncoder();
    backend.submitQueue();
  }
  return made.map(([, info]) => info);
}

const sizeOf = (info: TensorInfo) => [info.shape[0]!, info.shape[1]!] as const;

/** The names in attributes: plain values, so that TensorFlow.js can keep them on its tape. */
interface Product {
  readonly weights: WeightSpec;
  readonly k: number;
  readonly n: number;
}

export function registerKernels(tf: Internals): void {
  if (tf.getKernel('WeightlessProduct', 'webgpu')) return;
  const run = (name: string, inputs: Record<string, Tensor>, attrs: Attributes) =>
    tf.engine().runKernel(name, inputs, attrs);
  const kernel = (kernelName: string, kernelFunc: (call: KernelCall, batchSize: number) => TensorInfo | TensorInfo[]) =>
    tf.registerKernel({
      kernelName,
      backendName: 'webgpu',
      kernelFunc: (call) => kernelFunc(call, tf.env().get('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE')),
    });
  kernel('WeightlessProduct', ({ inputs, attrs, backend }, batch) => {
    const { k, n, weights } = attrs as unknown as Product;
    const [m] = sizeOf(inputs.x!);
    return encode(backend, batch, { op: 'randomMatmul', m, k, n, weights }, { x: inputs.x! }, { y: [m, n] })[0]!;
  });
  kernel('WeightlessProductTransposed', ({ inputs, attrs, backend }, batch) => {
    const { k, n, weights } = attrs as unknown as Product;
    const [m] = sizeOf(inputs.dz!);
    const spec = { op: 'randomMatmulTransposed', m, k, n, weights } as const;
    return encode(backend, batch, spec, { dz: inputs.dz! }, { dx: [m, k] })[0]!;
  });
  kernel('WeightlessHalf', ({ inputs, attrs, backend }, batch) => {
    const { k, n, weights } = attrs as unknown as Product;
    const [m] = sizeOf(inputs.x!);
    const activation = attrs.activation as ActivationName;
    const spec = { op: 'randomMatmul', m, k, n, weights, scale: true, bias: true, activation } as const;
    return encode(backend, batch, spec, inputs, { y: [m, n] })[0]!;
  });
  kernel('WeightlessEpilogue', ({ inputs, attrs, backend }, batch) => {
    const [m, n] = sizeOf(inputs.z!);
    const activation = attrs.activation as ActivationName;
    const spec = { op: 'epilogue', m, n, scale: true, bias: true, activation } as const;
    return encode(backend, batch, spec, inputs, { y: [m, n] })[0]!;
  });
  kernel('WeightlessEpilogueGradient', ({ inputs, attrs, backend }, batch) => {
    const [m, n] = sizeOf(inputs.z!);
    const { activation, gradients } = attrs as { activation: ActivationName; gradients: ('z' | 'scale' | 'bias')[] };
    const spec = { op: 'epilogueGradient', m, n, scale: true, bias: true, activation, gradients } as const;
    const outputs = Object.fromEntries(gradients.map((name) => [`d${name}`, name === 'z' ? [m, n] : [n]]));
    const made = encode(backend, batch, spec, inputs, outputs);
    return gradients.length === 1 ? made[0]! : made;
  });
  // Both are linear, each the other's gradient: so there are gradients of gradients too.
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
      // One kernel makes the two, here: what is made where a gradient is asked for is gone when that one is done.
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

/** x as a matrix of f32, what comes of it in the shape of x. */
export function onRows(x: Tensor, units: number, work: (x: Tensor, k: number) => Tensor): Tensor {
  const k = x.shape.at(-1);
  if (!k || x.shape.some((size) => !size)) {
    throw new ShapeError(
      `weightless-gpu/tfjs: expected x of shape (..., inputs), nothing of it empty, got (${x.shape})`,
    );
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
