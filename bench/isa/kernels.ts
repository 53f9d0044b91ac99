/**
 * Our kernels whose machine code is examined: all that compute a product, and those of bench/stored. The kernels of
 * src/gpu/choose/forward-kernels.ts are included automatically; any other needs a line in `products`, or the line
 * `// No product: memory-bound.` in its header. If the instructions of a kernel do not show its multiply-accumulates
 * (MACs), `countings` gives them.
 */
import { convWeightGradient } from '../../kernels/conv_weight_gradient.ts';
import type { Dispatch } from '../../kernels/dispatch.ts';
import { gram } from '../../kernels/gram.ts';
import { matmul } from '../../kernels/matmul.ts';
import { matmulRows } from '../../kernels/matmul_rows.ts';
import { randomMatmulBitPlanes } from '../../kernels/random_matmul_bit_planes.ts';
import { randomMatmulF16 } from '../../kernels/random_matmul_f16.ts';
import { randomMatmulStaged } from '../../kernels/random_matmul_staged.ts';
import { randomMatmulTransposed } from '../../kernels/random_matmul_transposed.ts';
import { randomMatmulU8 } from '../../kernels/random_matmul_u8.ts';
import { randomMatmulU8Rows } from '../../kernels/random_matmul_u8_rows.ts';
import { type ForwardKernel, forwardKernels } from '../../src/gpu/choose/forward-kernels.ts';
import { type DistributionName, elementwiseNames } from '../../src/weights/distributions.ts';
import { type Format, formats, storedMatmul } from '../stored/stored_matmul.ts';
import { storedMatmulRows } from '../stored/stored_matmul_rows.ts';
import type { Counting } from './cost.ts';

export interface Listed {
  readonly engine: 'weightless' | 'stored';
  /** A distribution, or the format of stored weights. */
  readonly weights: string;
  readonly dispatch: Dispatch<string>;
}

/** Shapes are parameters of a kernel and do not change its code, except for the passes of `orthogonal`. */
const [m, k, n] = [64, 4096, 4096];
const epilogue = { u: 'u', b: 'b', activation: 'relu' } as const;
const forward = { m, k, n, x: 'x', keys: 'keys', epilogue, y: 'y' };

const each = <T extends string>(
  names: readonly T[],
  make: (weights: T) => Dispatch<string>,
  engine: Listed['engine'] = 'weightless',
) => names.map((weights): Listed => ({ engine, weights, dispatch: make(weights) }));

const chosen = Object.values<ForwardKernel>(forwardKernels).flatMap(({ weights, launch }) =>
  weights.flatMap((name: DistributionName) =>
    launch({ ...forward, weights: name }, ['a', 'b'])
      .filter(({ source }) => source.name !== 'sum_parts') // memory-bound
      .map((dispatch): Listed => ({ engine: 'weightless', weights: name, dispatch })),
  ),
);

const formatNames = Object.keys(formats) as Format[];
const stored = { m, k, n, x: 'x', words: 'words', u: 'u', b: 'b', activation: 'relu', y: 'y' } as const;
const dense = { a: 'a', b: 'b', c: 'c' };
/** A 3 x 3 convolution of 32 filters over images of 16 channels. */
const images = {
  rows: 64,
  filters: 32,
  window: { height: 28, width: 28, channels: 16, kernel: [3, 3], stride: [1, 1], padding: [1, 1], dilation: [1, 1] },
} as const;
/** The kernel itself, without the sum of its parts. */
const [weightGradient] = convWeightGradient({ ...images, x: 'x', dz: 'dz', parts: 'parts', dw: 'dw' });

const products: readonly Listed[] = [
  ...chosen,
  ...each(elementwiseNames, (weights) => randomMatmulU8({ ...forward, weights })),
  ...each(elementwiseNames, (weights) => randomMatmulF16({ ...forward, weights }, 'scales')),
  ...each(elementwiseNames, (weights) => randomMatmulStaged({ ...forward, weights })),
  ...[1, 8].flatMap((m) => each(elementwiseNames, (weights) => randomMatmulU8Rows({ ...forward, m, weights }, true))),
  ...[1, 8].flatMap((m) =>
    each(['binary', 'codeword'], (weights) =>
      randomMatmulBitPlanes({ ...forward, m, weights }, 'planes', 'totals', true),
    ),
  ),
  ...([8, 16] as const).flatMap((rows) =>
    ([1, 2] as const).flatMap((quads) =>
      each(elementwiseNames, (weights) =>
        randomMatmulTransposed({ m, k, n, weights, dz: 'dz', keys: 'keys', dx: 'dx' }, rows, quads),
      ),
    ),
  ),
  ...each(['f32'], () => matmul({ m, k, n, ...dense })),
  ...each(['f32'], () => matmulRows({ m: 1, k, n, ...dense }, true)),
  ...each(['f32'], () => matmul({ m, k, n, ...dense, transposeA: true })),
  ...each(['f32'], () => matmul({ m, k, n, ...dense, transposeB: true })),
  ...each(['f32'], () => gram({ m, n, x: 'x', g: 'g' })),
  ...each(['f32'], () => weightGradient!),
  ...each(formatNames, (format) => storedMatmul({ ...stored, format }), 'stored'),
  ...each(formatNames, (format) => storedMatmulRows({ ...stored, format }), 'stored'),
];

export const keyOf = ({ engine, weights, dispatch: { source, constants = {} } }: Listed): string =>
  [engine, source.name, weights, ...Object.entries(constants).map(([name, value]) => `${name}=${value}`)].join(' ');

/** The list without duplicates. */
export const kernels: readonly Listed[] = [...new Map(products.map((one) => [keyOf(one), one])).values()];

/**
 * Products that are not followed: their loops over lines, columns and channels of a window take ten seconds per kernel.
 * Convolutions share one tile (shaders/include/window_tile.wgsl).
 */
export const NOT_FOLLOWED = [
  'conv',
  'conv_input_gradient',
  'random_conv',
  'random_conv_transposed',
  'random_fields',
  'random_fields_transposed',
  'random_kernels',
];

/** Countings by kernel, as a function of its override constants. */
const countings: Readonly<Record<string, (constants: Readonly<Record<string, number>>) => Counting>> = {
  random_matmul_u8: () => ({
    macs: 32 * 2 * 4,
    why: '32 rows x 2 units x 4 inputs; the dot products that add up the weights do no MAC',
  }),
  random_matmul_u8_rows: ({ ROWS }) => ({
    macs: 4 * ROWS!,
    why: 'four inputs of each row; the dot product that adds up the weights does no MAC',
  }),
  random_matmul_f16: () => ({
    macs: 16 * 4 * 8,
    why: '16 rows x 4 units x 8 inputs; additions of sums of eight products do no MAC',
  }),
  random_matmul_bit_planes: ({ ROWS }) => ({
    macs: 32 * ROWS!,
    why: 'a turn counts 32 signs of each row in 8 bit planes',
  }),
  random_matmul_sign_sums: ({ SIGNS }) => ({
    macs: SIGNS!,
    why: `a turn looks up the sums of a word of ${SIGNS} signs, ${SIGNS! / 4} MACs a read`,
  }),
  random_matmul_sign_sums_rows: ({ SIGNS }) => ({
    macs: 8 * SIGNS!,
    why: `a turn looks up the sums of a word of ${SIGNS} signs for eight rows, ${SIGNS!} MACs a read`,
  }),
  code_sums: () => ({
    whole: true,
    macs: (16 * n) / 8,
    why: `8 invocations make the sums of 16 inputs, in place of the 16 MACs of each of ${n} units`,
  }),
  code_sums_rows: () => ({
    whole: true,
    macs: (4 * 16 * n) / 8,
    why: `8 invocations make the sums of 16 inputs of four rows, in place of the MACs of each of ${n} units`,
  }),
  sign_sums_rows: () => ({
    whole: true,
    macs: (4 * 8 * n) / 16,
    why: `16 invocations make the sums of eight inputs of four rows, in place of the MACs of each of ${n} units`,
  }),
  sign_sums: () => ({
    whole: true,
    macs: (8 * n) / 16,
    why: `16 invocations make the sums of eight inputs, in place of the eight MACs of each of ${n} units`,
  }),
  orthogonal_pass: () => ({
    whole: true,
    macs: (64 * k) / 4,
    why: `64 units of a dense product would take 64 x ${k} MACs; four passes do it for ${k} inputs`,
  }),
};

export const countingOf = ({ dispatch: { source, constants = {} } }: Listed): Counting | undefined =>
  countings[source.name]?.(constants);
