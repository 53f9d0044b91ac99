/**
 * `weightless/tfjs`: half layers in TensorFlow.js, on the device, the buffers and the command encoder of its own WebGPU backend. The
 * library is handed in; nothing of it is imported.
 */
import {
  type ActivationName,
  type Context,
  createContext,
  type DistributionName,
  type Operation,
  type OperationSpec,
  prepareNow,
  type Seed,
  ShapeError,
  WeightlessError,
  type WeightSpec,
} from '../ops.ts';

/** TensorFlow.js: the namespace `tf`, or those of its packages in one: `{ ...core, ...layers }`. */
export interface TensorFlow {
  readonly layers?: { readonly Layer: abstract new (...args: never[]) => unknown };
  // biome-ignore lint/suspicious/noExplicitAny: what is used of it is named below; its own types hold for the caller
  readonly tensor: (...args: any[]) => unknown;
  readonly backend: () => unknown;
}

type TensorOf<TF extends TensorFlow> = ReturnType<TF['tensor']>;
type LayerOf<TF extends TensorFlow> = TF extends {
  readonly layers: { readonly Layer: abstract new (...args: never[]) => infer L };
}
  ? L
  : never;

/** Which random matrix. */
export interface RandomOptions {
  /** Distribution of the random weights; default `normal`. */
  weights?: DistributionName;
  /** Default 0. */
  seed?: Seed;
  /** Number of the matrix within its model; layers of one seed want different ones. Default 0. */
  tensor?: number;
}

export interface HalfDenseOptions extends RandomOptions {
  units: number;
  /** Default `relu`. */
  activation?: ActivationName;
  /** Of the layer, as TensorFlow.js knows it. */
  name?: string;
  inputShape?: number[];
  trainable?: boolean;
}

export interface VeraDenseOptions extends RandomOptions {
  units: number;
  /** Rows of A and columns of B. */
  rank: number;
  /** Where d starts; default 0.1, as in the paper. b starts as 0, so that an untrained adapter changes nothing. */
  dInitial?: number;
  name?: string;
  inputShape?: number[];
  trainable?: boolean;
}

export interface Connection<TF extends TensorFlow> {
  /** z (..., units) = x (..., k) times the transpose of the random (units, k) matrix. Differentiable, any number of times. */
  randomMatmul(x: TensorOf<TF>, units: number, options?: RandomOptions): TensorOf<TF>;
  /** A half layer for tfjs-layers: y = g(scale * (r . x) + bias), trained by its optimizers, saved by `model.save` without r. */
  halfDense(options: HalfDenseOptions): LayerOf<TF>;
  /**
   * A VeRA adapter (arXiv:2310.11454) around a frozen dense layer: y = x W + c + b * (B (d * (A x))). Trained are d (rank) and b
   * (units); A and B are regenerated. W and c are weights of the layer, not trained: `layer.setWeights([d, b, W, c])`.
   */
  veraDense(options: VeraDenseOptions): LayerOf<TF>;
  /** The context on its device. */
  readonly context: Context;
  /** Destroys what the operations of this connection hold on the device; the backend goes on. */
  dispose(): void;
}

// What is used of TensorFlow.js 4, beside what its types promise.
interface TensorInfo {
  readonly dataId: object;
  readonly shape: number[];
  readonly dtype: string;
}
interface Tensor extends TensorInfo {
  reshape(shape: number[]): Tensor;
  cast(dtype: string): Tensor;
  mul(other: Tensor): Tensor;
  add(other: Tensor): Tensor;
  matMul(other: Tensor): Tensor;
}
interface Backend {
  readonly device: GPUDevice;
  readonly tensorMap: { get(dataId: object): { resource?: GPUBuffer | GPUTexture | null } };
  readonly commandQueueOwnedIds: WeakSet<object>;
  readonly commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  dispatchCountInPass: number;
  makeTensorInfo(shape: readonly number[], dtype: string): TensorInfo;
  uploadToGPU(dataId: object): void;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
}
type Attributes = Record<string, unknown>;
interface KernelCall {
  readonly inputs: Record<string, TensorInfo>;
  readonly attrs: Attributes;
  readonly backend: Backend;
}
type Lazy = Record<string, () => Tensor>;
interface LayerVariable {
  read(): Tensor;
}
interface Layer {
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
interface Internals {
  backend(): Backend;
  getBackend(): string;
  env(): { get(flag: string): number };
  engine(): {
    runKernel(name: string, inputs: Record<string, Tensor>, attrs: Attributes): Tensor;
    isTapeOn(): boolean;
  };
  getKernel(name: string, backend: string): unknown;
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

/** Operations kept ready for a backend; more shapes than these push out the oldest. */
const MOST_OPERATIONS = 64;

/** Operations of one backend, by their specification. */
class Operations {
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

const connected = new WeakMap<object, Operations>();

/**
 * Connects to the WebGPU backend that TensorFlow.js uses now. Throws `WeightlessError` where it uses another. What its kernels
 * record goes into the backend's own pass, so the order of its commands holds, and it submits when it does.
 */
export async function connect<TF extends TensorFlow>(tensorFlow: TF): Promise<Connection<TF>> {
  const tf = tensorFlow as unknown as Internals;
  const backend = tf.backend();
  if (!(backend && 'device' in backend && 'commandQueueOwnedIds' in backend)) {
    throw new WeightlessError(
      `weightless/tfjs: expected TensorFlow.js on its webgpu backend, got '${tf.getBackend()}'. ` +
        "Import @tensorflow/tfjs-backend-webgpu, then await tf.setBackend('webgpu').",
    );
  }
  const operations = connected.get(backend) ?? new Operations(await createContext({ device: backend.device }), backend);
  connected.set(backend, operations);
  registerKernels(tf);
  const classes = tf.layers ? layerClasses(tf) : undefined;
  const make = (name: 'HalfDense' | 'VeraDense', options: object) => {
    if (!classes) {
      throw new WeightlessError(
        'weightless/tfjs: expected tf.layers, got none. Hand in @tensorflow/tfjs, or { ...core, ...layers } of its packages.',
      );
    }
    return new classes[name](options as Attributes) as LayerOf<TF>;
  };
  return {
    context: operations.context,
    randomMatmul: (x, units, options = {}) => product(tf, x as Tensor, units, options) as TensorOf<TF>,
    halfDense: (options) => make('HalfDense', options),
    veraDense: (options) => make('VeraDense', options),
    dispose: () => operations.dispose(),
  };
}

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
      'weightless/tfjs: expected a backend that is connected, got another. Call connect(tf) after tf.setBackend.',
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
        `weightless/tfjs: expected '${name}' in a GPUBuffer, got a texture. Copy it with tf.clone.`,
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

function registerKernels(tf: Internals): void {
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
function onRows(x: Tensor, units: number, work: (x: Tensor, k: number) => Tensor): Tensor {
  const k = x.shape.at(-1);
  if (!k || x.shape.some((size) => !size)) {
    throw new ShapeError(`weightless/tfjs: expected x of shape (..., inputs), nothing of it empty, got (${x.shape})`);
  }
  const rows = x.shape.length === 2 ? x : x.reshape([-1, k]);
  const made = work(rows.dtype === 'float32' ? rows : rows.cast('float32'), k);
  return x.shape.length === 2 ? made : made.reshape([...x.shape.slice(0, -1), units]);
}

const specOf = ({ weights = 'normal', seed = 0, tensor = 0 }: RandomOptions): WeightSpec => ({
  seed,
  tensor,
  distribution: weights,
});

function product(tf: Internals, x: Tensor, units: number, options: RandomOptions): Tensor {
  const weights = specOf(options);
  return tf.tidy(() =>
    onRows(x, units, (x, k) => tf.engine().runKernel('WeightlessProduct', { x }, { weights, k, n: units })),
  );
}

type LayerClass = new (config: Attributes) => Layer;
const made = new WeakMap<object, { HalfDense: LayerClass; VeraDense: LayerClass }>();

/** Seeds beyond 2^53 are text in a model's JSON. */
const seedOf = (seed: unknown): Seed => (typeof seed === 'string' ? BigInt(seed) : ((seed ?? 0) as Seed));
const seedText = (seed: Seed): number | string => (typeof seed === 'bigint' ? String(seed) : seed);
const single = (inputs: Tensor | Tensor[]): Tensor => (Array.isArray(inputs) ? inputs[0]! : inputs);
const fanInOf = (shape: unknown): number =>
  (Array.isArray((shape as unknown[])[0]) ? (shape as number[][])[0]! : (shape as number[])).at(-1)!;

/** The layers as subclasses of this TensorFlow.js's own, registered with its serialization. */
function layerClasses(tf: Internals) {
  const known = made.get(tf.layers.Layer);
  if (known) return known;

  /** What the two have in common: units, and which random matrices. */
  abstract class Random extends tf.layers.Layer {
    readonly units: number;
    readonly random: Required<RandomOptions>;

    constructor({ weights = 'normal', ...config }: Attributes & { weights?: DistributionName }) {
      super(config); // to tfjs-layers `weights` are numbers to start from
      const { units, seed, tensor = 0 } = config as unknown as HalfDenseOptions;
      if (!Number.isSafeInteger(units) || units < 1) {
        throw new ShapeError(`${this.constructor.name}: expected units of 1 or more, got ${units}`);
      }
      this.units = units;
      this.random = { weights, seed: seedOf(seed), tensor };
    }

    computeOutputShape(shape: number[]): number[] {
      return [...shape.slice(0, -1), this.units];
    }

    override getConfig(): Attributes {
      const { weights, seed, tensor } = this.random;
      return { ...super.getConfig(), units: this.units, weights, seed: seedText(seed), tensor };
    }
  }

  class HalfDense extends Random {
    static className = 'HalfDense';
    readonly activation: ActivationName;
    scale: LayerVariable | undefined;
    bias: LayerVariable | undefined;

    constructor(config: Attributes) {
      super(config);
      this.activation = (config.activation as ActivationName | undefined) ?? 'relu';
    }

    override build(shape: unknown): void {
      this.scale = this.addWeight('scale', [this.units], 'float32', tf.initializers.ones());
      this.bias = this.addWeight('bias', [this.units], 'float32', tf.initializers.zeros());
      super.build(shape);
    }

    call(inputs: Tensor | Tensor[]): Tensor {
      const [weights, activation, n] = [specOf(this.random), this.activation, this.units];
      const [scale, bias] = [this.scale!.read(), this.bias!.read()];
      const engine = tf.engine();
      return tf.tidy(() =>
        onRows(single(inputs), n, (x, k) => {
          // Prediction takes one kernel; training keeps the product, from which the gradients follow.
          if (!engine.isTapeOn())
            return engine.runKernel('WeightlessHalf', { x, scale, bias }, { weights, k, n, activation });
          const z = engine.runKernel('WeightlessProduct', { x }, { weights, k, n });
          return engine.runKernel('WeightlessEpilogue', { z, scale, bias }, { activation });
        }),
      );
    }

    override getConfig(): Attributes {
      return { ...super.getConfig(), activation: this.activation };
    }
  }

  class VeraDense extends Random {
    static className = 'VeraDense';
    readonly rank: number;
    readonly dInitial: number;
    variables: Record<'d' | 'b' | 'kernel' | 'bias', LayerVariable> | undefined;

    constructor(config: Attributes) {
      super(config);
      const { rank, dInitial = 0.1 } = config as unknown as VeraDenseOptions;
      if (!Number.isSafeInteger(rank) || rank < 1) {
        throw new ShapeError(`VeraDense: expected a rank of 1 or more, got ${rank}`);
      }
      this.rank = rank;
      this.dInitial = dInitial;
    }

    override build(shape: unknown): void {
      const k = fanInOf(shape);
      const { ones: _, zeros, glorotUniform, constant } = tf.initializers;
      const frozen = (name: string, shape: number[], initializer: unknown) =>
        this.addWeight(name, shape, 'float32', initializer, undefined, false);
      this.variables = {
        d: this.addWeight('d', [this.rank], 'float32', constant({ value: this.dInitial })),
        b: this.addWeight('b', [this.units], 'float32', zeros()),
        kernel: frozen('kernel', [k, this.units], glorotUniform()),
        bias: frozen('bias', [this.units], zeros()),
      };
      super.build(shape);
    }

    call(inputs: Tensor | Tensor[]): Tensor {
      const { d, b, kernel, bias } = this.variables!;
      return tf.tidy(() =>
        onRows(single(inputs), this.units, (x) => {
          const low = product(tf, x, this.rank, this.random).mul(d.read());
          const high = product(tf, low, this.units, { ...this.random, tensor: this.random.tensor + 1 }).mul(b.read());
          return x.matMul(kernel.read()).add(bias.read()).add(high);
        }),
      );
    }

    override getConfig(): Attributes {
      return { ...super.getConfig(), rank: this.rank, dInitial: this.dInitial };
    }
  }

  tf.serialization.registerClass(HalfDense);
  tf.serialization.registerClass(VeraDense);
  const classes = { HalfDense, VeraDense } as unknown as { HalfDense: LayerClass; VeraDense: LayerClass };
  made.set(tf.layers.Layer, classes);
  return classes;
}
