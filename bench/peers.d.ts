/** What the bench uses of the peers: they are not installed where the types are checked. */
declare module '@jax-js/jax' {
  export interface Array {
    readonly ref: Array;
    add(other: Array | number): Array;
    sub(other: Array | number): Array;
    mul(other: Array | number): Array;
    div(other: Array | number): Array;
    sum(): Array;
    reshape(shape: number[]): Array;
    data(): Promise<Float32Array>;
    gpuBufferSync(): GPUBuffer;
    dispose(): void;
  }
  export function init(...devices: string[]): Promise<string[]>;
  export function defaultDevice(device: string): void;
  export function getWebGPUDevice(): GPUDevice;
  export function blockUntilReady(array: Array): Promise<Array>;
  export function jit<A extends unknown[], R>(f: (...args: A) => R): ((...args: A) => R) & { dispose(): void };
  export function valueAndGrad<P, A extends unknown[]>(
    f: (parameters: P, ...args: A) => Array,
  ): (parameters: P, ...args: A) => [Array, P];
  export const numpy: {
    array(data: Float32Array): Array;
    matmul(a: Array, b: Array): Array;
    exp(a: Array): Array;
    sqrt(a: Array): Array;
    square(a: Array): Array;
  };
  export const nn: { relu(a: Array): Array; logSoftmax(a: Array, axis: number): Array };
}

declare module '@tensorflow/tfjs-core' {
  export interface Tensor {
    data(): Promise<Float32Array>;
    dispose(): void;
  }
  export interface Variable extends Tensor {
    readonly name: string;
  }
  export function setBackend(name: string): Promise<boolean>;
  export function ready(): Promise<void>;
  export function backend(): unknown;
  export function tensor(data: Float32Array, shape: number[]): Tensor;
  export function tensor1d(data: Float32Array | Int32Array, dtype?: string): Tensor;
  export function tensor2d(data: Float32Array, shape: [number, number]): Tensor;
  export function variable(value: Tensor, trainable: boolean): Variable;
  export function oneHot(labels: Tensor, classes: number): Tensor;
  export function cast(a: Tensor, dtype: string): Tensor;
  export function matMul(a: Tensor, b: Tensor): Tensor;
  export function mul(a: Tensor, b: Tensor): Tensor;
  export function add(a: Tensor, b: Tensor): Tensor;
  export function relu(a: Tensor): Tensor;
  export function dispose(tensors: Tensor[]): void;
  export const fused: {
    matMul(args: { a: Tensor; b: Tensor; bias: Tensor; activation?: string }): Tensor;
  };
  export const losses: { softmaxCrossEntropy(oneHot: Tensor, logits: Tensor): Tensor };
  export const train: {
    adam(
      rate: number,
      beta1: number,
      beta2: number,
      epsilon: number,
    ): { minimize(f: () => Tensor, returnCost: boolean, trained: Variable[]): Tensor | null; dispose(): void };
  };
}

/** Makes every operation differentiable. */
declare module '@tensorflow/tfjs-core/dist/register_all_gradients';

declare module '@tensorflow/tfjs-backend-webgpu' {
  export interface WebGPUBackend {
    readonly queue: GPUQueue;
    readonly commandEncoder: GPUCommandEncoder | null;
    endComputePassEncoder(): void;
    submitQueue(): void;
  }
}

declare module 'onnxruntime-web' {
  export interface OnnxTensor {
    readonly dims: readonly number[];
    getData(): Promise<Float32Array>;
    dispose(): void;
  }
  export interface InferenceSession {
    run(feeds: Record<string, OnnxTensor>): Promise<Record<string, OnnxTensor>>;
    release(): Promise<void>;
  }
  export interface OnnxRuntime {
    readonly env: {
      logLevel: string;
      readonly wasm: { wasmPaths: string; numThreads?: number };
      readonly webgpu: { readonly device: Promise<GPUDevice> };
    };
    readonly InferenceSession: {
      create(model: Uint8Array, options: Record<string, unknown>): Promise<InferenceSession>;
    };
    readonly Tensor: {
      new (type: string, data: Float32Array | Float64Array | string[], dims: readonly number[]): OnnxTensor;
      fromGpuBuffer(buffer: GPUBuffer, options: { dataType: string; dims: readonly number[] }): OnnxTensor;
    };
  }
}

/** The module that Node can import; the package declares types for its main file alone. */
declare module 'wgsl_reflect/wgsl_reflect.module.js' {
  export * from 'wgsl_reflect';
}
