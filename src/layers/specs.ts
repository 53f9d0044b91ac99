/** Layers as plain data: what a model file says of each, and what the constructors (`dense`, `halfConv2d`, ...) return. */
import type { ActivationName } from '../core/activations.ts';
import type { SignalPool } from '../core/signal-pools.ts';
import type { DistributionName, ElementwiseName } from '../weights/distributions.ts';
import type { FieldName } from '../weights/fields.ts';

/** Sizes of one input or output of a layer, without the rows. */
export type Shape = readonly number[];

/** Height and width in an image, or the length along a signal. */
export type Sizes = readonly [number, number] | readonly [number];

/**
 * A half layer (Alpaydin, arXiv:2506.04352): y = g(u * (r . x) + b). r is random and fixed, regenerated from the seed and never
 * stored. Training changes u and b, two numbers a unit; with `trained: false` (a random layer) it changes nothing. With a `rank`,
 * r = factor e: e (units, rank) is random, and the factor (fan-in, rank) is trained too (HalfNet, arXiv:2606.04583).
 */
export interface HalfSpec {
  readonly kind: 'half';
  readonly units: number;
  readonly weights: DistributionName;
  readonly activation: ActivationName;
  readonly trained: boolean;
  readonly rank?: number;
}

/** A fully trained layer: y = g(x W + b), W (fan-in, units). */
export interface DenseSpec {
  readonly kind: 'dense';
  readonly units: number;
  readonly activation: ActivationName;
}

/**
 * y = g(u * (r . x) + b). r is random and fixed, and each of its rows is 0 outside a window of the image. Training changes u and b,
 * two numbers a unit; with `trained: false` it changes nothing.
 */
export interface HalfFieldsSpec {
  readonly kind: 'halfFields';
  readonly units: number;
  readonly weights: FieldName;
  readonly activation: ActivationName;
  /** 2: over an image (height, width) or (height, width, channels); 1: along a signal (length) or (length, channels). */
  readonly directions: 1 | 2;
  readonly trained: boolean;
}

/**
 * Random convolutions along a signal, each pooled to one number for each of `pools`: feature p * units + n is pool p of unit n.
 * Kernels, dilations, paddings and channels are random and fixed. The biases b, one a unit, are set from data, not trained.
 */
export interface RandomKernelsSpec {
  readonly kind: 'randomKernels';
  readonly units: number;
  /** Weights of a kernel along the signal. */
  readonly taps: number;
  readonly weights: ElementwiseName;
  readonly pools: readonly SignalPool[];
  readonly trained: false;
}

export interface Filters {
  /** Filters: channels of the output. */
  readonly channels: number;
  readonly kernel: Sizes;
  readonly stride: Sizes;
  /** Zeros before and after each line and column. */
  readonly padding: Sizes;
  readonly dilation: Sizes;
  readonly activation: ActivationName;
}

/** y = g(u * (r * x) + b) with random filters r, regenerated and never stored. Training changes u and b, two numbers a channel. */
export interface HalfConvSpec extends Filters {
  readonly kind: 'halfConv';
  readonly weights: ElementwiseName;
  readonly trained: boolean;
}

/** A fully trained convolution: y = g(w * x + b), w (kernel height * kernel width * channels, filters). */
export interface ConvSpec extends Filters {
  readonly kind: 'conv';
}

/** The maximum or the mean of each window, channel by channel. */
export interface PoolSpec {
  readonly kind: 'pool';
  readonly pool: 'max' | 'average';
  readonly size: Sizes;
  readonly stride: Sizes;
}

/** The mean of each channel. */
export interface GlobalPoolSpec {
  readonly kind: 'globalPool';
}

export interface FlattenSpec {
  readonly kind: 'flatten';
}

/** In training, each number becomes 0 with probability `rate`, else 1 / (1 - rate) times itself. Prediction changes nothing. */
export interface DropoutSpec {
  readonly kind: 'dropout';
  readonly rate: number;
}

/** y = x + layers(x). */
export interface ResidualSpec {
  readonly kind: 'residual';
  readonly layers: readonly LayerSpec[];
}

/** y = x * layers(x), element by element: the layers are a gate for each number of x. */
export interface GatedSpec {
  readonly kind: 'gated';
  readonly layers: readonly LayerSpec[];
}

/**
 * y = g(x W + c + b * (B (d * (A x)))): VeRA (Kopiczko, Blankevoort, Asano, arXiv:2310.11454). A (rank, fan-in) and
 * B (units, rank) are random, regenerated and never stored; all such layers of a model use slices of the same two matrices.
 * W (fan-in, units) and c (units) are stored; `base` says whether training changes them. Training always changes d (rank, starts
 * at 0.1) and b (units, starts at 0, so that the adapter starts without effect).
 */
export interface VeraSpec {
  readonly kind: 'vera';
  readonly units: number;
  readonly rank: number;
  readonly weights: DistributionName;
  readonly activation: ActivationName;
  readonly base: 'frozen' | 'trained';
}

export type LayerSpec =
  | HalfSpec
  | HalfFieldsSpec
  | RandomKernelsSpec
  | DenseSpec
  | HalfConvSpec
  | ConvSpec
  | PoolSpec
  | GlobalPoolSpec
  | FlattenSpec
  | DropoutSpec
  | ResidualSpec
  | GatedSpec
  | VeraSpec;

/** Name of a kind of layer, as model files have it. */
export type LayerKindName = LayerSpec['kind'];

export type SpecOf<K extends LayerKindName> = Extract<LayerSpec, { kind: K }>;
