/**
 * `weightless-gpu/tfjs`: half layers in TensorFlow.js, on the device, the buffers and the command encoder of its own
 * WebGPU backend. The caller passes the library in; this module imports nothing from it.
 */
import { activationNames } from '../core/activations.ts';
import { expectOptions, type OptionTable } from '../core/options.ts';
import { type Context, createContext, WeightlessError } from '../ops.ts';
import { expectRandom, expectSizes, randomOptions } from './border.ts';
import { connected, Operations, product, registerKernels } from './tfjs-kernels.ts';
import { layerClasses } from './tfjs-layers.ts';
import type { Attributes, Internals, Tensor } from './tfjs-library.ts';
import type { HalfDenseOptions, RandomOptions, VeraDenseOptions } from './tfjs-options.ts';

export type { HalfDenseOptions, RandomOptions, VeraDenseOptions } from './tfjs-options.ts';

/** TensorFlow.js: the namespace `tf`, or the merged namespaces of its packages: `{ ...core, ...layers }`. */
export interface TensorFlow {
  readonly layers?: { readonly Layer: abstract new (...args: never[]) => unknown };
  // biome-ignore lint/suspicious/noExplicitAny: tfjs-library.ts types what is used; callers get the library's own types
  readonly tensor: (...args: any[]) => unknown;
  readonly backend: () => unknown;
}

type TensorOf<TF extends TensorFlow> = ReturnType<TF['tensor']>;
type LayerOf<TF extends TensorFlow> = TF extends {
  readonly layers: { readonly Layer: abstract new (...args: never[]) => infer L };
}
  ? L
  : never;

export interface Connection<TF extends TensorFlow> {
  /** z (..., units) = x (..., k) times the transpose of the random (units, k) matrix. Differentiable to any order. */
  randomMatmul(x: TensorOf<TF>, units: number, options?: RandomOptions): TensorOf<TF>;
  /**
   * A half layer for tfjs-layers: y = g(scale * (r . x) + bias), trained by its optimizers, saved by `model.save`
   * without r.
   */
  halfDense(options: HalfDenseOptions): LayerOf<TF>;
  /**
   * A VeRA adapter (arXiv:2310.11454) around a frozen dense layer: y = x W + c + b * (B (d * (A x))). Only d (rank) and
   * b (units) are trained; A and B are regenerated. W and c are untrained weights: `layer.setWeights([d, b, W, c])`.
   */
  veraDense(options: VeraDenseOptions): LayerOf<TF>;
  /** The context on the backend's device. */
  readonly context: Context;
  /** Frees the device memory of this connection's operations. The backend stays usable. */
  dispose(): void;
}

const WHAT = 'weightless-gpu/tfjs';

/** What both layers take. */
const layerOptions = {
  ...randomOptions,
  units: 'any',
  name: 'string',
  inputShape: 'array',
  trainable: 'boolean',
} as const;

/**
 * Connects to the current WebGPU backend of TensorFlow.js. Throws `WeightlessError` if TensorFlow.js uses another
 * backend. Our kernels are recorded into the backend's own pass, so the order of commands is preserved; the backend
 * submits them.
 */
export async function connect<TF extends TensorFlow>(tensorFlow: TF): Promise<Connection<TF>> {
  const tf = tensorFlow as unknown as Internals;
  const backend = tf.backend();
  if (!(backend && 'device' in backend && 'commandQueueOwnedIds' in backend)) {
    throw new WeightlessError(
      `${WHAT}: expected TensorFlow.js on its webgpu backend, got '${tf.getBackend()}'. ` +
        "Import @tensorflow/tfjs-backend-webgpu, then await tf.setBackend('webgpu').",
    );
  }
  const operations = connected.get(backend) ?? new Operations(await createContext({ device: backend.device }), backend);
  connected.set(backend, operations);
  registerKernels(tf);
  const classes = tf.layers ? layerClasses(tf) : undefined;
  const make = <T extends RandomOptions & { units: number }>(
    name: 'HalfDense' | 'VeraDense',
    options: T,
    known: OptionTable<T>,
  ) => {
    expectOptions(`${WHAT}: ${name}`, options, known);
    expectRandom(`${WHAT}: ${name}`, options);
    expectSizes(`${WHAT}: ${name}`, { units: options.units });
    if (!classes) {
      throw new WeightlessError(
        `${WHAT}: expected tf.layers, got none. Hand in @tensorflow/tfjs, or { ...core, ...layers } of its packages.`,
      );
    }
    return new classes[name](options as Attributes) as LayerOf<TF>;
  };
  return {
    context: operations.context,
    randomMatmul(x, units, options = {}) {
      expectOptions(`${WHAT}: randomMatmul`, options, randomOptions);
      expectRandom(WHAT, options);
      expectSizes(WHAT, { units });
      return product(tf, x as Tensor, units, options) as TensorOf<TF>;
    },
    halfDense: (options) => make('HalfDense', options, { ...layerOptions, activation: activationNames }),
    veraDense: (options) => make('VeraDense', options, { ...layerOptions, rank: 'any', dInitial: 'number' }),
    dispose: () => operations.dispose(),
  };
}
