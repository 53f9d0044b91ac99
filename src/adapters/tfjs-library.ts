/** The internals of TensorFlow.js 4 used here, beyond its public types. */

export interface TensorInfo {
  readonly dataId: object;
  readonly shape: number[];
  readonly dtype: string;
}
export interface Tensor extends TensorInfo {
  readonly isDisposed: boolean;
  reshape(shape: number[]): Tensor;
  cast(dtype: string): Tensor;
  mul(other: Tensor): Tensor;
  add(other: Tensor): Tensor;
  matMul(other: Tensor): Tensor;
}
export interface Backend {
  readonly device: GPUDevice;
  /** `dtype` describes the numbers in memory, which `cast` to a wider type does not change. */
  readonly tensorMap: { get(dataId: object): { resource?: GPUBuffer | GPUTexture | null; dtype: string } };
  readonly commandQueueOwnedIds: WeakSet<object>;
  readonly commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  dispatchCountInPass: number;
  makeTensorInfo(shape: readonly number[], dtype: string, values?: Float32Array): TensorInfo;
  uploadToGPU(dataId: object): void;
  disposeData(dataId: object): void;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
}
export type Attributes = Record<string, unknown>;
export interface KernelCall {
  readonly inputs: Record<string, TensorInfo>;
  readonly attrs: Attributes;
  readonly backend: Backend;
}
export type Lazy = Record<string, () => Tensor>;
export interface LayerVariable {
  read(): Tensor;
}
export interface Layer {
  addWeight(
    name: string,
    shape: number[],
    dtype: string,
    initializer: unknown,
    regularizer?: unknown,
    trainable?: boolean,
  ): LayerVariable;
  build(shape: unknown): void;
  getConfig(): Attributes;
}
export interface Internals {
  backend(): Backend;
  getBackend(): string;
  env(): { get(flag: string): number };
  engine(): {
    runKernel(name: string, inputs: Record<string, Tensor>, attrs: Attributes): Tensor;
    isTapeOn(): boolean;
  };
  getKernel(name: string, backend: string): { kernelFunc(call: KernelCall): TensorInfo } | undefined;
  registerKernel(config: {
    kernelName: string;
    backendName: string;
    kernelFunc(call: KernelCall): TensorInfo | TensorInfo[];
  }): void;
  registerGradient(config: {
    kernelName: string;
    inputsToSave?: string[];
    gradFunc(dy: Tensor, saved: Tensor[], attrs: Attributes): Lazy;
  }): void;
  tidy<T>(work: () => T): T;
  layers: { Layer: new (config: Attributes) => Layer };
  initializers: Record<'ones' | 'zeros' | 'glorotUniform', () => unknown> & {
    constant(config: { value: number }): unknown;
  };
  serialization: { registerClass(layer: unknown): void };
}
