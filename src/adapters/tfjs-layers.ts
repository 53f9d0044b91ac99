/** Layers for tfjs-layers. */
import { type ActivationName, type DistributionName, type Seed, ShapeError } from '../ops.ts';
import { onRows, product, specOf } from './tfjs-kernels.ts';
import type { Attributes, Internals, Layer, LayerVariable, Tensor } from './tfjs-library.ts';
import type { HalfDenseOptions, RandomOptions, VeraDenseOptions } from './tfjs-options.ts';

type LayerClass = new (config: Attributes) => Layer;
const made = new WeakMap<object, { HalfDense: LayerClass; VeraDense: LayerClass }>();

/** Seeds beyond 2^53 are text in a model's JSON. */
const seedOf = (seed: unknown): Seed => (typeof seed === 'string' ? BigInt(seed) : ((seed ?? 0) as Seed));
const seedText = (seed: Seed): number | string => (typeof seed === 'bigint' ? String(seed) : seed);
const single = (inputs: Tensor | Tensor[]): Tensor => (Array.isArray(inputs) ? inputs[0]! : inputs);
const fanInOf = (shape: unknown): number =>
  (Array.isArray((shape as unknown[])[0]) ? (shape as number[][])[0]! : (shape as number[])).at(-1)!;

/** The layers as subclasses of this TensorFlow.js instance's classes, registered for serialization. */
export function layerClasses(tf: Internals) {
  const known = made.get(tf.layers.Layer);
  if (known) return known;

  /** The base of both layers: units, and the choice of random matrices. */
  abstract class Random extends tf.layers.Layer {
    readonly units: number;
    readonly random: Required<RandomOptions>;

    constructor({ weights = 'normal', ...config }: Attributes & { weights?: DistributionName }) {
      super(config); // in tfjs-layers `weights` means initial values
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
          // Prediction takes one kernel. Training keeps the product for the gradients.
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
        throw new ShapeError(`VeraDense: expected a rank of 1 or more, got ${String(rank)}`);
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
