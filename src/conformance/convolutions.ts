/** Convolutions, pooling and related kernels on integers: exact. */
import { add } from '../../kernels/add.ts';
import { conv } from '../../kernels/conv.ts';
import { convInputGradient } from '../../kernels/conv_input_gradient.ts';
import { convWeightGradient, weightGradientSlices } from '../../kernels/conv_weight_gradient.ts';
import { maxPool } from '../../kernels/max_pool.ts';
import { maxPoolGradient } from '../../kernels/max_pool_gradient.ts';
import { multiply } from '../../kernels/multiply.ts';
import { type Border, paddedSize, padImage } from '../../kernels/pad_image.ts';
import { randomConv } from '../../kernels/random_conv.ts';
import { randomConvTransposed } from '../../kernels/random_conv_transposed.ts';
import { gradientBorder, windowBorder } from '../../kernels/window_tile.ts';
import { imageSize, type Window, windowCounts, windowSize } from '../core/window.ts';
import type { BufferSlice } from '../gpu/kernel.ts';
import { conv as convTwin } from '../reference/conv.ts';
import { convInputGradient as inputGradientTwin } from '../reference/conv_input_gradient.ts';
import { convWeightGradient as weightGradientTwin } from '../reference/conv_weight_gradient.ts';
import { maxPool as maxPoolTwin } from '../reference/max_pool.ts';
import { maxPoolGradient as maxPoolGradientTwin } from '../reference/max_pool_gradient.ts';
import { multiply as multiplyTwin } from '../reference/multiply.ts';
import { elementwiseNames, integerWeights } from '../weights/distributions.ts';
import { unitKeys } from '../weights/stream.ts';
import { type Case, type Covered, type Group, integers, unscaled } from './case.ts';
import { between } from './training.ts';

type Buffers = Record<string, BufferSlice>;

/** Images with gaps between windows and with a border, images with channels in words of four, a signal. */
const windows: readonly Window[] = [
  { height: 9, width: 11, channels: 3, kernel: [3, 2], stride: [2, 1], padding: [1, 2], dilation: [1, 2] },
  { height: 6, width: 7, channels: 8, kernel: [3, 3], stride: [1, 1], padding: [1, 1], dilation: [1, 1] },
  { height: 1, width: 40, channels: 2, kernel: [1, 5], stride: [1, 3], padding: [0, 0], dilation: [1, 1] },
];

const [rows, filters, seed, tensor] = [3, 10, 9, 1] as const;

const exact = (values: ArrayLike<number>) => ({ want: Float32Array.from(values, (value) => value + 0) });

/** The cases of one window. Every image is padded first, even if it need not be. */
function casesOf(window: Window, i: number): Case[] {
  const [down, across] = windowCounts(window);
  const what = `${window.height}x${window.width}x${window.channels}`;
  const sizes = { rows, window, filters };
  const output = { height: down, width: across, channels: filters };
  const [before, behind] = [windowBorder(window), gradientBorder(window)];
  const pad = (image: Parameters<typeof paddedSize>[0], border: Border, x: BufferSlice, out: BufferSlice) => {
    const { height, width, channels } = image;
    return padImage({ rows, height, width, channels, border, x, out });
  };
  const x = integers(rows * imageSize(window), i, 20);
  const dz = integers(rows * imageSize(output), i + 10, 20);
  const w = integers(windowSize(window) * filters, i + 20, 20);
  const room = new Float32Array(rows * paddedSize(window, before)).fill(Number.NaN);
  const back = new Float32Array(rows * paddedSize(output, behind)).fill(Number.NaN);
  const parts = new Float32Array(windowSize(window) * filters * weightGradientSlices(sizes)).fill(Number.NaN);
  const distributions = i === 0 ? elementwiseNames : elementwiseNames.slice(0, 1); // each is a pipeline, so all of them run only once
  const random = distributions.flatMap((weights): Case[] => {
    const matrix = integerWeights({ seed, tensor, distribution: weights }, [0, windowSize(window)], [0, filters]);
    const keys = unitKeys(seed, tensor, filters);
    return [
      {
        what: `${what} ${weights}`,
        inputs: { x, keys, room },
        outputs: { y: exact(convTwin({ ...sizes, x, w: matrix })) },
        dispatch: ({ x, keys, room, y }: Buffers) => [
          pad(window, before, x!, room!),
          ...unscaled([randomConv({ ...sizes, weights, x: room!, keys: keys!, y: y! })]),
        ],
      },
      {
        what: `${what} ${weights}, by its input`,
        inputs: { dz, keys, back },
        outputs: { dx: exact(inputGradientTwin({ ...sizes, dz, w: matrix })) },
        dispatch: ({ dz, keys, back, dx }: Buffers) => [
          pad(output, behind, dz!, back!),
          ...unscaled(randomConvTransposed({ ...sizes, weights, dz: back!, keys: keys!, dx: dx! })),
        ],
      },
    ];
  });
  return [
    ...random,
    {
      what: `${what} trained`,
      inputs: { x, w, room },
      outputs: { y: exact(convTwin({ ...sizes, x, w })) },
      dispatch: ({ x, w, room, y }: Buffers) => [
        pad(window, before, x!, room!),
        conv({ ...sizes, x: room!, w: w!, y: y! }),
      ],
    },
    {
      what: `${what} trained, by its input`,
      inputs: { dz, w, back },
      outputs: { dx: exact(inputGradientTwin({ ...sizes, dz, w })) },
      dispatch: ({ dz, w, back, dx }: Buffers) => [
        pad(output, behind, dz!, back!),
        ...convInputGradient({ ...sizes, dz: back!, w: w!, dx: dx! }),
      ],
    },
    {
      what: `${what} trained, by its filters`,
      inputs: { x, dz, room, parts },
      outputs: { dw: exact(weightGradientTwin({ ...sizes, x, dz })) },
      dispatch: ({ x, dz, room, parts, dw }: Buffers) => [
        pad(window, before, x!, room!),
        ...convWeightGradient({ ...sizes, x: room!, dz: dz!, parts: parts!, dw: dw! }),
      ],
    },
  ];
}

/** Pooling over overlapping windows and windows with gaps; sums of two values. */
function poolings(): Case[] {
  const image = { height: 7, width: 9, channels: 3, padding: [0, 0], dilation: [1, 1] } as const;
  return (
    [
      { ...image, kernel: [3, 2], stride: [2, 1] },
      { ...image, kernel: [2, 2], stride: [3, 2] },
    ] as const
  ).flatMap((window): Case[] => {
    const [down, across] = windowCounts(window);
    const what = `windows of ${window.kernel.join(' x ')}`;
    const x = integers(rows * imageSize(window), 1, 3);
    const dy = integers(rows * down * across * window.channels, 2, 9);
    return [
      {
        what: `largest of ${what}`,
        inputs: { x },
        outputs: { y: exact(maxPoolTwin({ rows, window, x }).y) },
        dispatch: ({ x, y }) => maxPool({ rows, window, x: x!, y: y! }),
      },
      {
        what: `largest of ${what}, by its input`,
        inputs: { x, dy },
        outputs: { dx: exact(maxPoolGradientTwin({ rows, window, x, dy })) },
        dispatch: ({ x, dy, dx }) => maxPoolGradient({ rows, window, x: x!, dy: dy!, dx: dx! }),
      },
      {
        what: 'sums of two',
        inputs: { a: x, b: x },
        outputs: { c: exact(x.map((value) => 2 * value)) },
        dispatch: ({ a, b, c }) => add({ count: x.length, a: a!, b: b!, c: c! }),
      },
      {
        what: 'products of two',
        inputs: { a: x, b: x },
        outputs: { c: exact(multiplyTwin({ a: x, b: x })) },
        dispatch: ({ a, b, c }) => multiply({ count: x.length, a: a!, b: b!, c: c! }),
      },
    ];
  });
}

export const convolutions: Group = {
  name: 'convolutions of integers',
  cases: () => [...windows.flatMap(casesOf), ...poolings()],
};

export const imageCases: Covered<'image' | 'imageGradient'> = {
  randomConv: [convolutions],
  randomConvTransposed: [convolutions],
  conv: [convolutions],
  convInputGradient: [convolutions],
  convWeightGradient: [convolutions],
  maxPool: [convolutions],
  maxPoolGradient: [convolutions],
  averagePool: [between],
  averagePoolGradient: [between],
  add: [convolutions],
  multiply: [convolutions],
};
