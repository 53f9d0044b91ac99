import { type Window, windowCounts, windowSize, windowSteps } from '../src/core/window.ts';
import source from './conv_weight_gradient.wgsl';
import { type Dispatch, linearGrid } from './dispatch.ts';
import { sumBlocks } from './sum_blocks.ts';

export interface ConvWeightGradientArgs<B> {
  readonly rows: number;
  readonly window: Window;
  readonly filters: number;
  /** (rows, height, width, channels) f32, with a border (`padImage`) if the window has padding. */
  readonly x: B;
  /** (rows, windows down, windows across, filters) f32. */
  readonly dz: B;
  /** (slices, window size, filters) f32, written; slices as `weightGradientSlices` says. */
  readonly parts: B;
  /** (window size, filters) f32, written. */
  readonly dw: B;
}

type Sizes = Pick<ConvWeightGradientArgs<never>, 'rows' | 'window' | 'filters'>;

/** Enough invocations to keep a chip busy. */
const BUSY = 4096;
/** A slice of fewer positions does not pay. */
const LEAST = 64;

const tilesOf = ({ window, filters }: Sizes) => Math.ceil(windowSize(window) / 8) * Math.ceil(filters / 8);

const positionsOf = ({ rows, window }: Sizes) => {
  const [down, across] = windowCounts(window);
  return rows * down * across;
};

/** Number of slices of the sum over positions. Slices let small filters fill a chip too. */
export function weightGradientSlices(sizes: Sizes): number {
  const positions = positionsOf(sizes);
  const wanted = Math.max(1, Math.min(Math.ceil(BUSY / tilesOf(sizes)), Math.floor(positions / LEAST)));
  return Math.ceil(positions / Math.ceil(positions / wanted)); // rounded so that no slice is empty
}

/** dw: the gradient of the convolution with respect to its filters. */
export function convWeightGradient<B>(args: ConvWeightGradientArgs<B>): Dispatch<B>[] {
  const { window, filters, x, dz, parts, dw } = args;
  const { channels, kernel, padding } = window;
  const [down, across] = windowCounts(window);
  const { stride, dilation } = windowSteps(window);
  const line = (window.width + 2 * padding[1]) * channels;
  const [k, slices, positions] = [windowSize(window), weightGradientSlices(args), positionsOf(args)];
  return [
    {
      source,
      params: {
        positions,
        slice: Math.ceil(positions / slices),
        slices,
        width: across,
        height: down,
        k,
        n: filters,
        step_x: stride[1] * channels,
        step_y: stride[0] * line,
        step_image: (window.height + 2 * padding[0]) * line,
        channels,
        taps_x: kernel[1],
        tap_y: dilation[0] * line,
        tap_x: dilation[1] * channels,
      },
      buffers: { x, dz, parts },
      grid: linearGrid(slices * tilesOf(args), 64),
    },
    sumBlocks({ m: 1, k: k * filters, blocks: slices, p: k * filters, parts, dx: dw }),
  ];
}
