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
