/** Translates windows over images to the parameters of shaders/include/window_tile.wgsl. */

import { ShapeError } from '../src/core/errors.ts';
import { type Window, windowCounts, windowSteps } from '../src/core/window.ts';
import { fold } from './dispatch.ts';
import type { Border } from './pad_image.ts';

/** The border that a convolution reads around its images. */
export const windowBorder = ({ padding: [y, x] }: Window): Border => ({ top: y, bottom: y, left: x, right: x });

/**
 * The border of zeros that the input gradient reads around dz, so that every pixel finds every tap. Pixel q sees tap k
 * in window (q + padding - k * dilation) / stride if that is whole. The border spans the first to the last of these.
 */
export function gradientBorder(window: Window): Border {
  const counts = windowCounts(window);
  const [y, x] = [window.height, window.width].map((size, i) => {
    const [kernel, stride, padding, dilation] = axis(window, i as 0 | 1);
    const first = Math.ceil((padding - (kernel - 1) * dilation) / stride);
    const last = Math.floor((size - 1 + padding) / stride);
    return [Math.max(0, -first), Math.max(0, last - counts[i]! + 1)] as const;
  });
  return { top: y![0], bottom: y![1], left: x![0], right: x![1] };
}

const axis = ({ kernel, stride, padding, dilation }: Window, i: 0 | 1) =>
  [kernel[i], stride[i], padding[i], dilation[i]] as const;

interface Tile {
  readonly constants: { readonly QUADS: number };
  readonly params: Record<string, number>;
  readonly grid: [number, number, number];
}

/** Fields of `Params` that may be negative are stored modulo 2^32. */
function tile(params: Record<string, number>, most: number): Tile {
  const { positions, n, run } = params as { positions: number; n: number; run: number };
  const groups = Math.min(Math.ceil(positions / (64 * 8)), most);
  const [x, z] = fold(groups, 1);
  return {
    constants: { QUADS: Number(run % 4 === 0) },
    params,
    grid: [x, Math.ceil(n / 8), z],
  };
}

/**
 * The tile of a convolution of `filters` filters over `rows` images that have their border. `most` limits the
 * workgroups per eight filters, for adapters on which starting a workgroup is expensive.
 */
export function convTile(rows: number, window: Window, filters: number, most = Number.POSITIVE_INFINITY): Tile {
  const { channels, kernel } = window;
  const [down, across] = windowCounts(window);
  const { stride, dilation } = windowSteps(window);
  const line = (window.width + 2 * window.padding[1]) * channels;
  const image = (window.height + 2 * window.padding[0]) * line;
  const merged = dilation[1] === 1; // the channels of a whole line of taps are contiguous
  return tile(
    {
      positions: rows * down * across,
      width: across,
      height: down,
      n: filters,
      origin: 0,
      step_x: stride[1] * channels,
      step_y: stride[0] * line,
      step_image: image,
      run: (merged ? kernel[1] : 1) * channels,
      taps_y: kernel[0],
      taps_x: merged ? 1 : kernel[1],
      tap_y: dilation[0] * line,
      tap_x: dilation[1] * channels,
      first_tap: 0,
      next_tap_y: merged ? 1 : kernel[1],
      next_tap_x: 1,
      out_origin: 0,
      out_x: filters,
      out_y: across * filters,
      out_image: down * across * filters,
    },
    most,
  );
}

/** The taps that the pixels of a phase see: first, step, count; and the window of pixel 0 under the first tap. */
function phaseTaps(window: Window, i: 0 | 1, phase: number) {
  const [kernel, stride, padding, dilation] = axis(window, i);
  const seen = Array.from({ length: kernel }, (_, k) => k).filter(
    (k) => (phase + padding - k * dilation) % stride === 0,
  );
  const [first = 0, second = first] = seen; // a single tap takes no step, which need not be whole
  const step = second - first;
  return {
    first,
    step,
    count: seen.length,
    window: (phase + padding - first * dilation) / stride,
    next: (-step * dilation) / stride, // windows from one tap to the next
  };
}

/** The most launches of an input gradient. */
const MOST_TILES = 4096;

/** The tiles of a convolution's input gradient, one per phase of the stride. dz has its `gradientBorder`. */
export function gradientTiles(rows: number, window: Window, filters: number, most = Number.POSITIVE_INFINITY): Tile[] {
  const { height, width, channels, kernel, stride } = window;
  const [down, across] = windowCounts(window);
  const border = gradientBorder(window);
  const line = (across + border.left + border.right) * filters;
  const image = (down + border.top + border.bottom) * line;
  const tiles = Math.min(height, stride[0]) * Math.min(width, stride[1]);
  if (tiles > MOST_TILES) {
    throw new ShapeError(
      `expected strides of at most ${MOST_TILES} pixels in all under a gradient, got ${stride.join(' x ')}: each pixel of a step is a launch of its own`,
    );
  }
  const phases = (size: number, step: number) => Array.from({ length: Math.min(size, step) }, (_, phase) => phase);
  return phases(height, stride[0]).flatMap((py) =>
    phases(width, stride[1]).map((px) => {
      const [y, x] = [phaseTaps(window, 0, py), phaseTaps(window, 1, px)];
      const seen = y.count && x.count; // with a stride larger than the kernel, no window sees some pixels
      const lines = Math.ceil((height - py) / stride[0]);
      const columns = Math.ceil((width - px) / stride[1]);
      return tile(
        {
          positions: rows * lines * columns,
          width: columns,
          height: lines,
          n: channels,
          origin: seen ? (border.top + y.window) * line + (border.left + x.window) * filters : 0,
          step_x: filters,
          step_y: line,
          step_image: image,
          run: filters,
          taps_y: seen ? y.count : 0,
          taps_x: seen ? x.count : 0,
          tap_y: y.next * line,
          tap_x: x.next * filters,
          first_tap: y.first * kernel[1] + x.first,
          next_tap_y: y.step * kernel[1],
          next_tap_x: x.step,
          out_origin: (py * width + px) * channels,
          out_x: Math.min(stride[1], width) * channels, // a larger stride leaves one column a tile
          out_y: Math.min(stride[0], height) * width * channels,
          out_image: height * width * channels,
        },
        most,
      );
    }),
  );
}
