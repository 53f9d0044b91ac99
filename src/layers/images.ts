/** Layers over images and signals: convolutions and pooling. */
import { type ActivationName, activationNames } from '../core/activations.ts';
import { ShapeError } from '../core/errors.ts';
import { expectOptions } from '../core/options.ts';
import { product } from '../core/shape.ts';
import { imageSize, type Pair, type Window, windowCounts, windowSize } from '../core/window.ts';
import { applyFrom } from '../graph/graph.ts';
import { denseOps } from '../graph/ops/dense.ts';
import { imageOps } from '../graph/ops/images.ts';
import { type ElementwiseName, elementwiseNames } from '../weights/distributions.ts';
import { type Cost, expectCount, expectOneOf, type LayerKinds, scaleAndBias } from './kind.ts';
import type { ConvSpec, Filters, FlattenSpec, GlobalPoolSpec, HalfConvSpec, PoolSpec, Shape, Sizes } from './specs.ts';

const apply = applyFrom({ ...denseOps, ...imageOps });

/** One number for all directions, or one per direction. */
type SizeOption<D extends 1 | 2> = number | (D extends 1 ? readonly [number] : readonly [number, number]);

export interface ConvOptions<D extends 1 | 2 = 2> {
  /** Filters: channels of the output. */
  channels: number;
  kernel: SizeOption<D>;
  /** Default 1. */
  stride?: SizeOption<D>;
  /** Zeros around the image; default 0. `same` preserves the size if the stride is 1. */
  padding?: SizeOption<D> | 'same';
  /** Default 1. */
  dilation?: SizeOption<D>;
  /** Default `relu`. */
  activation?: ActivationName;
}

export interface HalfConvOptions<D extends 1 | 2 = 2> extends ConvOptions<D> {
  /** Distribution of the random weights; default `normal`. */
  weights?: ElementwiseName;
}

function sizes(what: string, option: string, value: unknown, dims: number, least = 1): Sizes {
  const all: unknown[] = Array.isArray(value) ? value : Array(dims).fill(value);
  if (all.length !== dims) {
    throw new ShapeError(
      `${what}: expected ${option} to be a number or ${dims}, got ${all.length ? all.join(', ') : 'none'}`,
    );
  }
  for (const size of all) expectCount(what, option, size, least);
  return all as unknown as Sizes;
}

const filterOptions = {
  channels: 'any',
  kernel: 'number or array',
  stride: 'number or array',
  padding: 'any',
  dilation: 'number or array',
  activation: 'any',
} as const;

function filters(what: string, options: ConvOptions<1> | ConvOptions<2>, dims: number): Filters {
  const { channels, activation = 'relu' } = options;
  expectCount(what, 'channels', channels);
  expectOneOf(what, 'activation', activation, activationNames);
  const kernel = sizes(what, 'kernel', options.kernel, dims);
  const stride = sizes(what, 'stride', options.stride ?? 1, dims);
  const dilation = sizes(what, 'dilation', options.dilation ?? 1, dims);
  const same = kernel.map((size, i) => (dilation[i]! * (size - 1)) / 2);
  if (options.padding === 'same' && !same.every(Number.isInteger)) {
    throw new ShapeError(
      `${what}: expected a kernel of odd sizes beside padding 'same', got ${kernel.join(' x ')}. Give the padding as numbers.`,
    );
  }
  const padding = sizes(
    what,
    'padding',
    options.padding === 'same' ? same : options.padding === undefined ? 0 : options.padding,
    dims,
    0,
  );
  return { channels, kernel, stride, padding, dilation, activation };
}

function halfConv(what: string, options: HalfConvOptions<1> | HalfConvOptions<2>, dims: number): HalfConvSpec {
  expectOptions(what, options, { ...filterOptions, weights: 'any' });
  const { weights = 'normal' } = options;
  expectOneOf(what, 'weights', weights, elementwiseNames);
  return { kind: 'halfConv', weights, trained: true, ...filters(what, options, dims) };
}

/** A half convolution over images: trains a scale and a bias per channel, but not the filters. */
export const halfConv2d = (options: HalfConvOptions<2>): HalfConvSpec => halfConv('halfConv2d', options, 2);

/** A half convolution along signals (length) or (length, channels). */
export const halfConv1d = (options: HalfConvOptions<1>): HalfConvSpec => halfConv('halfConv1d', options, 1);

/** Like `halfConv2d`, but training leaves the scales and biases at their calibrated start. */
export const randomConv2d = (options: HalfConvOptions<2>): HalfConvSpec => ({
  ...halfConv('randomConv2d', options, 2),
  trained: false,
});

/** Like `halfConv1d`, but training leaves the scales and biases at their calibrated start. */
export const randomConv1d = (options: HalfConvOptions<1>): HalfConvSpec => ({
  ...halfConv('randomConv1d', options, 1),
  trained: false,
});

function conv(what: string, options: ConvOptions<1> | ConvOptions<2>, dims: number): ConvSpec {
  expectOptions(what, options, filterOptions);
  return { kind: 'conv', ...filters(what, options, dims) };
}

/** A fully trained convolution over images. */
export const conv2d = (options: ConvOptions<2>): ConvSpec => conv('conv2d', options, 2);

/** A fully trained convolution along signals (length) or (length, channels). */
export const conv1d = (options: ConvOptions<1>): ConvSpec => conv('conv1d', options, 1);

export interface PoolOptions<D extends 1 | 2 = 2> {
  size: SizeOption<D>;
  /** Default: the size, so that windows do not overlap. */
  stride?: SizeOption<D>;
}

function pooling(
  pool: 'max' | 'average',
  what: string,
  options: PoolOptions<1> | PoolOptions<2>,
  dims: number,
): PoolSpec {
  expectOptions(what, options, { size: 'number or array', stride: 'number or array' });
  const size = sizes(what, 'size', options.size, dims);
  return { kind: 'pool', pool, size, stride: sizes(what, 'stride', options.stride ?? size, dims) };
}

/** The maximum of each window, per channel. */
export const maxPool2d = (options: PoolOptions<2>): PoolSpec => pooling('max', 'maxPool2d', options, 2);
export const maxPool1d = (options: PoolOptions<1>): PoolSpec => pooling('max', 'maxPool1d', options, 1);

/** The mean of each window, per channel. */
export const averagePool2d = (options: PoolOptions<2>): PoolSpec => pooling('average', 'averagePool2d', options, 2);
export const averagePool1d = (options: PoolOptions<1>): PoolSpec => pooling('average', 'averagePool1d', options, 1);

/** The mean of each channel over the whole image or signal. */
export const globalAveragePool = (): GlobalPoolSpec => ({ kind: 'globalPool' });

/** An image as a plain row of numbers: (y * width + x) * channels + c. Dense layers do this themselves. */
export const flatten = (): FlattenSpec => ({ kind: 'flatten' });

/** The window of a layer over an input of this shape. Throws `ShapeError` where it is no image, or no signal. */
function windowOver(
  input: Shape,
  { kernel, stride, padding, dilation }: Pick<Filters, 'kernel' | 'stride'> & Partial<Filters>,
): Window {
  const dims = kernel.length;
  if (input.length !== dims && input.length !== dims + 1) {
    const sizes =
      dims === 1 ? 'a signal (length) or (length, channels)' : 'an image (height, width) or (height, width, channels)';
    throw new ShapeError(`expected ${sizes}, got (${input.join(', ')})`);
  }
  const both = (sizes: readonly number[], down: number): Pair =>
    dims === 1 ? [down, sizes[0]!] : [sizes[0]!, sizes[1]!];
  const [height, width] = both(input, 1);
  return {
    height,
    width,
    channels: input[dims] ?? 1,
    kernel: both(kernel, 1),
    stride: both(stride, 1),
    padding: padding ? both(padding, 0) : [0, 0],
    dilation: dilation ? both(dilation, 1) : [1, 1],
  };
}

const windowsShape = (window: Window, dims: number, channels: number): Shape => [
  ...windowCounts(window).slice(2 - dims),
  channels,
];

const convOutput = (spec: Filters, input: Shape): Shape =>
  windowsShape(windowOver(input, spec), spec.kernel.length, spec.channels);

const poolWindow = ({ size, stride }: PoolSpec, input: Shape) => windowOver(input, { kernel: size, stride });

/** Images are copied with their border; the CPU makes all filters at once. */
function convCost(spec: Filters, input: Shape): Cost {
  const window = windowOver(input, spec);
  const filters = spec.channels * windowSize(window);
  const [down, across] = windowCounts(window);
  const bordered = {
    height: window.height + 2 * window.padding[0],
    width: window.width + 2 * window.padding[1],
    channels: window.channels,
  };
  return {
    numbers: imageSize(bordered) + filters + tableNumbers(window),
    multiplyAdds: down * across * windowSize(window) * Math.max(spec.channels, LEAST_FILTERS),
  };
}

/** Filters share what is read of a window: fewer than these take as long. */
const LEAST_FILTERS = 3;

/** To find a pixel takes as long as to pool so many channels of it. */
const PIXEL_CHANNELS = 4;

/** Numbers of tables that say where windows and their pixels lie. */
function tableNumbers(window: Window): number {
  const [down, across] = windowCounts(window);
  return 2 * (down * across + window.kernel[0] * window.kernel[1]);
}

/** Every window looks at its pixels. */
function poolCost(window: Window): Partial<Cost> {
  const [down, across] = windowCounts(window);
  const pixels = down * across * window.kernel[0] * window.kernel[1];
  return { numbers: tableNumbers(window), multiplyAdds: pixels * (window.channels + PIXEL_CHANNELS) };
}

/** The window that is all pixels of its input. */
function wholeWindow(input: Shape): Window {
  const all = product(input.slice(0, -1));
  return windowOver([all, input.at(-1)!], { kernel: [all], stride: [1] });
}

/** Directions of a layer of a model file: as many as its kernel has. */
const directions = (value: unknown): 1 | 2 => (Array.isArray(value) && value.length === 1 ? 1 : 2);

/** What src/convolution.ts adds to the kinds of layers. */
export const imageKinds = {
  halfConv: {
    make({ trained, ...options }: HalfConvOptions<2> & { trained: boolean }) {
      expectOneOf('halfConv', 'trained', trained, [true, false]);
      return { ...halfConv('halfConv', options, directions(options.kernel)), trained };
    },
    output: convOutput,
    cost: convCost,
    parameters: ({ channels }) => scaleAndBias(channels),
    calibrated: true,
    regenerated: (spec, input) => spec.channels * windowSize(windowOver(input, spec)),
    add({ graph, spec, index, seed, input, x, parameters: [u, b] }) {
      const weights = { seed, tensor: index, distribution: spec.weights };
      const { activation, channels } = spec;
      const { z } = apply(graph, 'randomConv', { x, weights, window: windowOver(input, spec), filters: channels });
      return { z, y: apply(graph, 'epilogue', { z, u, b: b!, activation, channels }).y };
    },
  },
  conv: {
    make: (options: ConvOptions<2>) => conv('conv', options, directions(options.kernel)),
    output: convOutput,
    cost: convCost,
    parameters: (spec, input) => [
      ['weight', 'random', windowSize(windowOver(input, spec)), spec.channels],
      ['b', 0, spec.channels],
    ],
    add({ graph, spec, input, x, parameters: [weight, b] }) {
      const { activation, channels } = spec;
      const { z } = apply(graph, 'conv', { x, w: weight!, window: windowOver(input, spec), filters: channels });
      return { z, y: apply(graph, 'epilogue', { z, b: b!, activation, channels }).y };
    },
  },
  pool: {
    make({ pool, ...options }: PoolOptions<2> & { pool: 'max' | 'average' }) {
      expectOneOf('pool', 'pool', pool, ['max', 'average']);
      return pooling(pool, 'pool', options, directions(options.size));
    },
    output(spec, input) {
      const window = poolWindow(spec, input);
      return windowsShape(window, spec.size.length, window.channels);
    },
    cost: (spec, input) => poolCost(poolWindow(spec, input)),
    add: ({ graph, spec, input, x }) => ({
      y: apply(graph, spec.pool === 'max' ? 'maxPool' : 'averagePool', { x, window: poolWindow(spec, input) }).y,
    }),
  },
  globalPool: {
    make: globalAveragePool,
    output(_, input) {
      if (input.length < 2) throw new ShapeError(`expected sizes and channels, got (${input.join(', ')})`);
      return input.slice(-1);
    },
    cost: (_, input) => poolCost(wholeWindow(input)),
    add({ graph, input, x }) {
      return { y: apply(graph, 'averagePool', { x, window: wholeWindow(input) }).y };
    },
  },
  flatten: {
    make: flatten,
    output: (_, input) => [product(input)],
    add: ({ x }) => ({ y: x }),
  },
} satisfies LayerKinds;
