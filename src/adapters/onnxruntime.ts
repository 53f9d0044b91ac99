/**
 * `weightless-gpu/onnxruntime`: operations between the sessions of ONNX Runtime Web, on its WebGPU device, from GPU tensor to GPU tensor. The
 * library is handed in; nothing of it is imported.
 */
import {
  type ActivationName,
  type Context,
  createContext,
  type DistributionName,
  type Operation,
  type OperationSpec,
  prepare,
  type Seed,
  ShapeError,
  WeightlessError,
} from '../ops.ts';

/** A tensor of ONNX Runtime Web, as far as it is used here. */
export interface OnnxTensor {
  readonly dims: readonly number[];
  readonly type: string;
  readonly location: string;
}

/** One on the device. */
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
  /** A number a unit. */
  scale: Float32Array;
  bias: Float32Array;
}

export interface HalfDense<T> {
  /** y (..., units) of x (..., fanIn): a tensor with a buffer of its own, to be disposed. Resolves when it is submitted, not computed. */
  run(x: OnnxTensor): Promise<T>;
  dispose(): void;
}

export interface Connection<T> {
  readonly context: Context;
  /** Half layers between two sessions: what one leaves on the device (`preferredOutputLocation: 'gpu-buffer'`) goes in, what comes out is fed to the next. */
  halfDense(options: HalfDenseOptions): HalfDense<T>;
  /**
   * Any operation of `weightless-gpu/ops`, submitted: tensors by the names of its bindings, those that it writes come back. Prepared anew
   * in each call but for its pipelines; for layers that stay there is `halfDense`.
   */
  run(spec: OperationSpec, inputs: Record<string, OnnxTensor>): Promise<Record<string, T>>;
}

/** Batch sizes that a layer is kept ready for. */
const MOST_OPERATIONS = 8;

/**
 * Connects to the device of ONNX Runtime Web: that of its first session, or one that was set. Throws `WeightlessError` where there is
 * none yet.
 */
export async function connect<T>(ort: OnnxRuntime<T>): Promise<Connection<T>> {
  const device = (await (ort.env.webgpu as { device?: GPUDevice | Promise<GPUDevice> }).device) ?? undefined;
  if (!device) {
    throw new WeightlessError(
      "weightless-gpu/onnxruntime: expected env.webgpu.device, got none. Create a session with executionProviders: ['webgpu'] first.",
    );
  }
  const context = await createContext({ device });

  /** Encodes into an encoder of its own and submits: behind what the sessions have submitted, before what they will. */
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
        const { shape, bytes } = operation.bindings[name]!;
        const download = () => read(device, buffer, bytes);
        const options = { dataType: 'float32', dims: shape, download, dispose: () => buffer.destroy() };
        return [name, ort.Tensor.fromGpuBuffer(buffer, options)];
      }),
    );
  };

  return {
    context,
    halfDense(options) {
      const { fanIn: k, units: n, weights = 'normal', seed = 0, tensor = 0, activation = 'relu' } = options;
      for (const [name, numbers] of [
        ['scale', options.scale],
        ['bias', options.bias],
      ] as const) {
        if (numbers.length !== n) {
          throw new ShapeError(
            `weightless-gpu/onnxruntime: expected ${n} numbers of ${name}, one a unit, got ${numbers.length}`,
          );
        }
      }
      const spec = { op: 'randomMatmul', k, n, activation, scale: true, bias: true } as const;
      const [scale, bias] = [upload(device, options.scale), upload(device, options.bias)];
      const ready = new Map<number, Promise<Operation>>();
      const operationFor = (m: number): Promise<Operation> => {
        const found =
          ready.get(m) ?? prepare(context, { ...spec, m, weights: { seed, tensor, distribution: weights } });
        ready.set(m, found);
        found.catch(() => ready.delete(m));
        if (ready.size > MOST_OPERATIONS) {
          const [oldest, operation] = ready.entries().next().value!;
          ready.delete(oldest);
          operation.then((one) => one.dispose()); // what it was encoded for is submitted
        }
        return found;
      };
      return {
        async run(x) {
          const { dims } = x;
          if (dims.at(-1) !== k) {
            throw new ShapeError(
              `weightless-gpu/onnxruntime: expected x of shape (..., ${k}), got (${dims.join(', ')})`,
            );
          }
          const rows = dims.slice(0, -1).reduce((a, b) => a * b, 1);
          const operation = await operationFor(rows);
          const { y } = submit(operation, { x: bufferOf('x', x), scale, bias });
          return reshaped(ort, y as GpuTensor & T, [...dims.slice(0, -1), n]);
        },
        dispose() {
          for (const operation of ready.values()) operation.then((one) => one.dispose());
          for (const buffer of [scale, bias]) buffer.destroy();
        },
      };
    },
    async run(spec, inputs) {
      const operation = await prepare(context, spec);
      try {
        return submit(
          operation,
          Object.fromEntries(Object.entries(inputs).map(([name, one]) => [name, bufferOf(name, one)])),
        );
      } finally {
        operation.dispose();
      }
    },
  };
}

/** A tensor's buffer. Throws `WeightlessError` where it has none. */
function bufferOf(name: string, tensor: OnnxTensor): GPUBuffer {
  const { location, type } = tensor;
  if (location !== 'gpu-buffer' || type !== 'float32') {
    throw new WeightlessError(
      `weightless-gpu/onnxruntime: expected '${name}' as float32 on the device (gpu-buffer), got ${type} in ${location}. ` +
        "Create the session with preferredOutputLocation: 'gpu-buffer'.",
    );
  }
  return (tensor as GpuTensor).gpuBuffer;
}

/** The tensor with the sizes of what it came from. */
function reshaped<T>(ort: OnnxRuntime<T>, y: GpuTensor & T, dims: readonly number[]): T {
  if (dims.length === 2) return y;
  const whole = y as unknown as { getData(): Promise<Float32Array> };
  const options = { dataType: 'float32', dims, download: () => whole.getData(), dispose: () => y.dispose() };
  return ort.Tensor.fromGpuBuffer(y.gpuBuffer, options);
}

function upload(device: GPUDevice, data: Float32Array): GPUBuffer {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ size: data.byteLength, usage });
  device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
  return buffer;
}

/** What `getData` of a tensor asks for. */
async function read(device: GPUDevice, buffer: GPUBuffer, bytes: number): Promise<Float32Array> {
  const staging = device.createBuffer({ size: bytes, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  try {
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    return new Float32Array(staging.getMappedRange().slice(0));
  } finally {
    staging.destroy();
  }
}
