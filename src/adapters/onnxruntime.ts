/**
 * `weightless-gpu/onnxruntime`: operations between sessions of ONNX Runtime Web, on its WebGPU device, from GPU tensor
 * to GPU tensor. The caller passes the library in; this module imports nothing from it.
 */

import { activationNames } from '../core/activations.ts';
import { expectOptions } from '../core/options.ts';
import {
  type ActivationName,
  type Context,
  createContext,
  type DistributionName,
  type Operation,
  type OperationBinding,
  type OperationSpec,
  prepare,
  type Seed,
  ShapeError,
  WeightlessError,
} from '../ops.ts';
import { disposed, expectRandom, expectShape, expectSizes, float32, inputBinding, randomOptions } from './border.ts';

const WHAT = 'weightless-gpu/onnxruntime';

/** The part of an ONNX Runtime Web tensor that is used here. */
export interface OnnxTensor {
  readonly dims: readonly number[];
  readonly type: string;
  readonly location: string;
}

/** A tensor on the device. */
interface GpuTensor extends OnnxTensor {
  readonly gpuBuffer: GPUBuffer;
  dispose(): void;
}

/** The namespace `ort` of onnxruntime-web. */
export interface OnnxRuntime<T> {
  readonly env: { readonly webgpu: object };
  readonly Tensor: {
    // biome-ignore lint/suspicious/noExplicitAny: its own types hold for the caller
    fromGpuBuffer(buffer: any, options: any): T;
  };
}

export interface HalfDenseOptions {
  /** Inputs of each unit: the last size of x. */
  fanIn: number;
  units: number;
  /** Distribution of the random weights; default `normal`. */
  weights?: DistributionName;
  /** Default 0. */
  seed?: Seed;
  /** Number of the matrix within its model; default 0. */
  tensor?: number;
  /** Default `relu`. */
  activation?: ActivationName;
  /** One number per unit; copied as f32. */
  scale: ArrayLike<number>;
  bias: ArrayLike<number>;
}

export interface HalfDense<T> {
  /**
   * Computes y (..., units) from x (..., fanIn) as a new tensor, which the caller disposes of. Resolves when the work
   * is submitted, not when it is done. Calls run one after another. Throws `ShapeError` for a wrong shape, and
   * `WeightlessError` for a wrong type, for a tensor that is not on the device, and after `dispose`.
   */
  run(x: OnnxTensor): Promise<T>;
  /** Frees the layer's memory once all earlier calls are submitted. */
  dispose(): void;
}

export interface Connection<T> {
  readonly context: Context;
  /**
   * A half layer between two sessions. Its input is an output that one session leaves on the device
   * (`preferredOutputLocation: 'gpu-buffer'`); its output is fed to the next session.
   */
  halfDense(options: HalfDenseOptions): HalfDense<T>;
  /**
   * Submits any operation of `weightless-gpu/ops`. Tensors are named by binding; the written ones are returned. Every
   * call prepares it again, except for its pipelines. For a permanent layer use `halfDense`.
   */
  run(spec: OperationSpec, inputs: Record<string, OnnxTensor>): Promise<Record<string, T>>;
}

/** Number of batch sizes for which a layer caches prepared operations. */
const MOST_OPERATIONS = 8;

/**
 * Connects to the device of ONNX Runtime Web: the one of its first session, or one that was set. Throws
 * `WeightlessError` if there is none yet.
 */
export async function connect<T>(ort: OnnxRuntime<T>): Promise<Connection<T>> {
  const device = (await (ort.env.webgpu as { device?: GPUDevice | Promise<GPUDevice> }).device) ?? undefined;
  if (!device) {
    throw new WeightlessError(
      `${WHAT}: expected env.webgpu.device, got none. Create a session with executionProviders: ['webgpu'] first.`,
    );
  }
  const context = await createContext({ device });

  /** Encodes into a new encoder and submits it, after the sessions' earlier submits and before their later ones. */
  const submit = (operation: Operation, buffers: Record<string, GPUBuffer>): Record<string, T> => {
    const outputs = Object.entries(operation.bindings).filter(([, { access }]) => access === 'write');
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const made = outputs.map(
      ([name, { bytes }]) => [name, device.createBuffer({ size: Math.ceil(bytes / 16) * 16, usage })] as const,
    );
    try {
      const encoder = device.createCommandEncoder();
      operation.encode(encoder, { ...buffers, ...Object.fromEntries(made) });
      device.queue.submit([encoder.finish()]);
    } catch (error) {
      for (const [, buffer] of made) buffer.destroy();
      throw error;
    }
    return Object.fromEntries(
      made.map(([name, buffer]) => {
        const { shape, bytes, dtype } = operation.bindings[name]!;
        const [dataType, Numbers] = tensorTypes[dtype];
        const download = async () => new Numbers(await read(device, buffer, bytes));
        const options = { dataType, dims: shape, download, dispose: () => buffer.destroy() };
        return [name, ort.Tensor.fromGpuBuffer(buffer, options)];
      }),
    );
  };

  return {
    context,
    halfDense(options) {
      expectOptions(`${WHAT}: halfDense`, options, {
        ...{ fanIn: 'any', units: 'any', ...randomOptions },
        ...{ activation: activationNames, scale: 'any', bias: 'any' },
      });
      const { fanIn: k, units: n, weights = 'normal', seed = 0, tensor = 0, activation = 'relu' } = options;
      expectSizes(WHAT, { fanIn: k, units: n });
      expectRandom(WHAT, options);
      const spec = { op: 'randomMatmul', k, n, activation, scale: true, bias: true } as const;
      const [scale, bias] = (['scale', 'bias'] as const)
        .map((name) => float32(WHAT, name, options[name], n))
        .map((numbers) => upload(device, numbers)) as [GPUBuffer, GPUBuffer];
      const weightSpec = { seed, tensor, distribution: weights };
      const ready = new Map<number, Operation>();
      const operationFor = async (m: number): Promise<Operation> => {
        const operation = ready.get(m) ?? (await prepare(context, { ...spec, m, weights: weightSpec }));
        ready.set(m, operation);
        if (ready.size > MOST_OPERATIONS) {
          const [oldest, first] = ready.entries().next().value!;
          ready.delete(oldest);
          first.dispose(); // calls run one after another, so its work is already submitted
        }
        return operation;
      };
      let last: Promise<unknown> = Promise.resolve();
      let alive = true;
      const run = async (x: OnnxTensor): Promise<T> => {
        const { dims } = x;
        if (dims.at(-1) !== k) {
          throw new ShapeError(`${WHAT}: expected x of shape (..., ${k}), got (${dims.join(', ')})`);
        }
        const rows = dims.slice(0, -1).reduce((a, b) => a * b, 1);
        const operation = await operationFor(rows);
        const { y } = submit(operation, { x: bufferOf('x', x, operation.bindings.x!), scale, bias });
        return reshaped(ort, y as GpuTensor & T, [...dims.slice(0, -1), n]);
      };
      return {
        async run(x) {
          if (!alive) throw new WeightlessError(`${WHAT}: expected a layer in use, got one that was disposed`);
          const turn = last.then(() => run(x));
          last = turn.catch(() => {});
          return turn;
        },
        dispose() {
          alive = false;
          void last.then(() => {
            for (const operation of ready.values()) operation.dispose();
            for (const buffer of [scale, bias]) buffer.destroy();
          });
        },
      };
    },
    async run(spec, inputs) {
      const operation = await prepare(context, spec);
      try {
        const bound = Object.entries(inputs).map(([name, tensor]) => {
          const binding = inputBinding(WHAT, name, operation.bindings);
          const buffer = bufferOf(name, tensor, binding);
          expectShape(WHAT, name, tensor.dims, binding);
          return [name, buffer] as const;
        });
        return submit(operation, Object.fromEntries(bound));
      } finally {
        operation.dispose();
      }
    },
  };
}

/** The tensor type and the array type for each binding type. */
const tensorTypes = {
  f32: ['float32', Float32Array],
  i32: ['int32', Int32Array],
  u8: ['uint8', Uint8Array],
} as const satisfies Record<OperationBinding['dtype'], readonly [string, unknown]>;

/** A tensor's buffer. Throws `WeightlessError` if it has none, or if its type differs from the binding's. */
function bufferOf(name: string, tensor: OnnxTensor, { dtype }: Pick<OperationBinding, 'dtype'>): GPUBuffer {
  const { location, type } = tensor;
  const [expected] = tensorTypes[dtype];
  if (location === 'none') throw disposed(WHAT, name);
  if (location !== 'gpu-buffer' || type !== expected) {
    throw new WeightlessError(
      `${WHAT}: expected '${name}' as ${expected} on the device (gpu-buffer), got ${type} in ${location}. ` +
        (location === 'gpu-buffer'
          ? `Cast it to ${expected} in the model that makes it.`
          : "Create the session with preferredOutputLocation: 'gpu-buffer'."),
    );
  }
  return (tensor as GpuTensor).gpuBuffer;
}

/** The tensor with the shape of its source. */
function reshaped<T>(ort: OnnxRuntime<T>, y: GpuTensor & T, dims: readonly number[]): T {
  if (dims.length === 2) return y;
  const whole = y as unknown as { getData(): Promise<Float32Array> };
  const options = { dataType: 'float32', dims, download: () => whole.getData(), dispose: () => y.dispose() };
  return ort.Tensor.fromGpuBuffer(y.gpuBuffer, options);
}

function upload(device: GPUDevice, data: Float32Array<ArrayBuffer>): GPUBuffer {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ size: data.byteLength, usage });
  device.queue.writeBuffer(buffer, 0, data);
  return buffer;
}

/** Reads the bytes of a buffer, for a tensor's `getData`. */
async function read(device: GPUDevice, buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
  const staging = device.createBuffer({ size: bytes, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  try {
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    return staging.getMappedRange().slice(0);
  } finally {
    staging.destroy();
  }
}
