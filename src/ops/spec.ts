/** The specifications of operations on raw buffers, as plain data, and their checks. */
import { type ActivationName, activationNames } from '../core/activations.ts';
import { ShapeError } from '../core/errors.ts';
import { expectOptions, type OptionTable, typeName } from '../core/options.ts';
import { type Pair, type Window, windowCounts } from '../core/window.ts';
import type { BatchKernelName } from '../gpu/choose/batch.ts';
import type { ForwardKernelName } from '../gpu/choose/forward-kernels.ts';
import type { IntegerKernelName } from '../gpu/choose/integer.ts';
import { distributionNames, type ElementwiseName, type WeightSpec } from '../weights/distributions.ts';

/** Rows, inputs and units of a product with the (n, k) random matrix of `weights`. */
export interface RandomProduct {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly weights: WeightSpec;
}

/** y = g(scale * z + bias), with one scale and one bias per unit; without bias y = z. */
export interface Epilogue {
  /** Whether there is a scale; default no. A scale requires a bias. */
  readonly scale?: boolean;
  /** Whether there is a bias; default no. */
  readonly bias?: boolean;
  /** Default identity; any other requires a bias. */
  readonly activation?: ActivationName;
}

export interface RandomMatmulSpec extends RandomProduct, Epilogue {
  readonly op: 'randomMatmul';
  /**
   * The type of x in the product; default f32. `u8`: x holds bytes; sums are exact integers, the same on every device.
   * `i8`: x holds f32, rounded to int8 on the device with one scale per row, max |x| / 127: an error of at most
   * max |x| / 254 per input, about 0.4% of |z| for uniform x. Neither supports `orthogonal`.
   */
  readonly inputs?: 'f32' | 'u8' | 'i8';
  /**
   * `f16`: inputs, weights and sums of eight products in f16, everything else in f32: an error of about 0.06% of |z|.
   * Only on devices with `shader-f16`; not for `orthogonal` and not with integer inputs. Default f32.
   */
  readonly precision?: 'f32' | 'f16';
  /** Forces a kernel. Default: as measured if the context tunes, else by shape, distribution and adapter. */
  readonly kernel?: ForwardKernelName | BatchKernelName | IntegerKernelName;
  /** Whether to write z too, for `epilogueGradient`. The product is then not fused with the epilogue. f32 only. */
  readonly product?: boolean;
}

/**
 * Sizes of a convolution over images (rows, height, width, channels), channels last; y is (rows, windows down, across,
 * filters).
 */
export interface Convolution {
  readonly rows: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly filters: number;
  readonly kernel: Pair;
  /** Default [1, 1]. */
  readonly stride?: Pair;
  /** Zeros around the image; default [0, 0]. */
  readonly padding?: Pair;
  /** Default [1, 1]. */
  readonly dilation?: Pair;
  /** The (filters, kernel height * kernel width * channels) random matrix; not `orthogonal`. */
  readonly weights: WeightSpec & { readonly distribution: ElementwiseName };
}

/** VeRA (Kopiczko, Blankevoort, Asano, arXiv:2310.11454): two fixed random matrices, two trained vectors. */
export interface Vera {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly rank: number;
  /** A, (rank, k). Adapters of one model share it. */
  readonly a: WeightSpec;
  /** B, (n, rank). */
  readonly b: WeightSpec;
}

/** Layouts of every binding: `Operation.bindings`, and docs/backend.md. */
export type OperationSpec =
  /** y (m, n) = g(scale * (x r') + bias), x (m, k), r (n, k) regenerated. */
  | RandomMatmulSpec
  /** dx (m, k) = dz (m, n) r: the transposed product with the same matrix. */
  | ({ readonly op: 'randomMatmulTransposed' } & RandomProduct)
  /** From x, dy (and scale, bias): the requested ones of dx, dscale, dbias. z is recomputed if needed. */
  | ({
      readonly op: 'randomMatmulGradient';
      readonly gradients: readonly ('x' | 'scale' | 'bias')[];
    } & RandomProduct &
      Epilogue)
  /** y (m, n) = g(scale * z + bias). */
  | ({ readonly op: 'epilogue'; readonly m: number; readonly n: number } & Epilogue)
  /** From z, dy, scale, bias: the requested ones of dz, dscale, dbias. */
  | ({
      readonly op: 'epilogueGradient';
      readonly m: number;
      readonly n: number;
      readonly gradients: readonly ('z' | 'scale' | 'bias')[];
    } & Epilogue)
  /** y (m, n) = g(x w + bias), w (k, n) stored. */
  | ({ readonly op: 'dense'; readonly m: number; readonly k: number; readonly n: number } & Omit<Epilogue, 'scale'>)
  /** From x, w, dy (and bias): the requested ones of dx, dw, dbias. */
  | ({
      readonly op: 'denseGradient';
      readonly m: number;
      readonly k: number;
      readonly n: number;
      readonly gradients: readonly ('x' | 'w' | 'bias')[];
    } & Omit<Epilogue, 'scale'>)
  /** y = g(scale * (r * x) + bias): random filters r, one scale and one bias per filter. */
  | ({ readonly op: 'halfConv2d' } & Convolution & Epilogue)
  | ({
      readonly op: 'halfConv2dGradient';
      readonly gradients: readonly ('x' | 'scale' | 'bias')[];
    } & Convolution &
      Epilogue)
  /**
   * y (m, n) = base + b * (B (d * (A x))): x (m, k), d (rank), b (n), base (m, n) = W x where `base` is set, else 0.
   */
  | ({ readonly op: 'vera'; readonly base?: boolean } & Vera)
  /** From x, d, b, dy: the requested ones of dx (the part through A and B), dd, db. */
  | ({ readonly op: 'veraGradient'; readonly gradients: readonly ('x' | 'd' | 'b')[] } & Vera)
  /** out = any slice of a random matrix, (inputs, units), one row per input; `transposed`: (units, inputs). */
  | {
      readonly op: 'materialize';
      readonly weights: WeightSpec;
      /** Half-open. */
      readonly inputs: readonly [from: number, to: number];
      /** Half-open. Of `orthogonal` from the first unit of a block (its size: SPEC.md, section 4). */
      readonly units: readonly [from: number, to: number];
      /** Number of inputs of the layer, which determines the scale of the weights. */
      readonly fanIn: number;
      /** `f32` (default): weights. `i32`: the integers before they are scaled; not of `orthogonal`. */
      readonly dtype?: 'f32' | 'i32';
      readonly transposed?: boolean;
    };

const product = { m: 'number', k: 'number', n: 'number', weights: 'object' } as const;
const epilogue = { scale: 'boolean', bias: 'boolean', activation: activationNames } as const;
const gradients = { op: 'string', gradients: 'array' } as const;
const denseSizes = { m: 'number', k: 'number', n: 'number', bias: 'boolean', activation: activationNames } as const;
const convolution: OptionTable<Convolution> = {
  ...{ rows: 'number', height: 'number', width: 'number', channels: 'number', filters: 'number', weights: 'object' },
  ...{ kernel: 'array', stride: 'array', padding: 'array', dilation: 'array' },
};
const veraSizes = { m: 'number', k: 'number', n: 'number', rank: 'number', a: 'object', b: 'object' } as const;

/** The fields of each operation. */
const fields: { readonly [O in OperationSpec['op']]: OptionTable<Extract<OperationSpec, { op: O }>> } = {
  randomMatmul: {
    ...{ op: 'string', ...product, ...epilogue },
    ...{ inputs: ['f32', 'u8', 'i8'], precision: ['f32', 'f16'], kernel: 'string', product: 'boolean' },
  },
  randomMatmulTransposed: { op: 'string', ...product },
  randomMatmulGradient: { ...gradients, ...product, ...epilogue },
  epilogue: { op: 'string', m: 'number', n: 'number', ...epilogue },
  epilogueGradient: { ...gradients, m: 'number', n: 'number', ...epilogue },
  dense: { op: 'string', ...denseSizes },
  denseGradient: { ...gradients, ...denseSizes },
  halfConv2d: { op: 'string', ...convolution, ...epilogue },
  halfConv2dGradient: { ...gradients, ...convolution, ...epilogue },
  vera: { op: 'string', base: 'boolean', ...veraSizes },
  veraGradient: { ...gradients, ...veraSizes },
  materialize: {
    ...{ op: 'string', weights: 'object', inputs: 'array', units: 'array', fanIn: 'number' },
    ...{ dtype: ['f32', 'i32'], transposed: 'boolean' },
  },
};

/** Throws `ShapeError` for an unknown operation, `OptionError` for a field that it does not have or of the wrong type. */
export function expectSpec(spec: OperationSpec): void {
  const op: unknown = spec?.op;
  if (typeof op !== 'string' || !Object.hasOwn(fields, op)) {
    const got = typeof op === 'string' ? `'${op}'` : typeName(op);
    throw new ShapeError(`expected op to be an operation, one of ${Object.keys(fields).join(', ')}; got ${got}`);
  }
  expectOptions<object>(op, spec, fields[op as OperationSpec['op']]);
}

export const expectSizes = (what: string, sizes: Readonly<Record<string, number>>): void => {
  for (const [name, size] of Object.entries(sizes)) {
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new ShapeError(`${what}: expected ${name} of 1 or more, got ${size}`);
    }
  }
};

export function expectWeights(what: string, weights: WeightSpec, names: readonly string[] = distributionNames): void {
  expectOptions(`${what}: weights`, weights, { seed: 'any', tensor: 'number', distribution: 'any' });
  const { distribution } = weights;
  if (!names.includes(distribution)) {
    throw new ShapeError(
      `${what}: expected weights to be one of ${names.join(', ')}; got distribution '${String(distribution)}'`,
    );
  }
}

export function expectEpilogue(what: string, { scale, bias, activation = 'identity' }: Epilogue): void {
  if (!activationNames.includes(activation)) {
    throw new ShapeError(
      `${what}: expected activation to be one of ${activationNames.join(', ')}; got '${String(activation)}'`,
    );
  }
  if (!bias && (scale || activation !== 'identity')) {
    throw new ShapeError(`${what}: expected a bias beside a scale or an activation, got none`);
  }
}

export function expectGradients(what: string, gradients: readonly string[], names: readonly string[]): void {
  const wrong = gradients.filter((name) => !names.includes(name));
  if (wrong.length || gradients.length === 0) {
    throw new ShapeError(`${what}: expected gradients of ${names.join(', ')}; got ${gradients.join(', ') || 'none'}`);
  }
}

/** The window of a convolution. */
export function windowOf(what: string, spec: Convolution): Window {
  const { height, width, channels, kernel, stride = [1, 1], padding = [0, 0], dilation = [1, 1] } = spec;
  expectSizes(what, { rows: spec.rows, height, width, channels, filters: spec.filters });
  for (const [name, pair, least] of [
    ['kernel', kernel, 1],
    ['stride', stride, 1],
    ['padding', padding, 0],
    ['dilation', dilation, 1],
  ] as const) {
    if (!(pair?.length === 2 && pair.every((size) => Number.isSafeInteger(size) && size >= least))) {
      throw new ShapeError(`${what}: expected ${name} as two integers of ${least} or more, got ${pair}`);
    }
  }
  const window = { height, width, channels, kernel, stride, padding, dilation };
  windowCounts(window); // throws where the kernel does not fit
  return window;
}
