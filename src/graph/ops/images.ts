/** Convolutions, pooling, and their gradients. Rows are images, or signals of height 1 (core/window.ts). */
import { imageSize, type Window, windowCounts, windowSize } from '../../core/window.ts';
import type { WeightSpec } from '../../weights/distributions.ts';
import { op } from '../declare.ts';
import { expectShape, matrix, type Value } from '../value.ts';

export interface Filters {
  readonly window: Window;
  readonly filters: number;
}
export interface RandomFilters extends Filters {
  readonly weights: WeightSpec;
}

export const imageOps = {
  /**
   * Rows of images (core/window.ts): z (rows, windows * filters) = each window times the random (filters, window size)
   * matrix of `weights`.
   */
  randomConv: op<RandomFilters>()('image', ['x'], { z: ({ x, ...filters }) => convolved(x, filters) }),
  randomConvTransposed: op<RandomFilters>()('imageGradient', ['dz'], {
    dx: ({ dz, ...filters }) => images(dz, filters),
  }),
  /** The same with stored filters w (window size, filters). */
  conv: op<Filters>()('image', ['x', 'w'], {
    z: ({ x, w, ...filters }) => {
      expectShape(w, [windowSize(filters.window), filters.filters]);
      return convolved(x, filters);
    },
  }),
  convInputGradient: op<Filters>()('imageGradient', ['dz', 'w'], {
    dx: ({ dz, ...filters }) => images(dz, filters),
  }),
  convWeightGradient: op<Filters>()('imageGradient', ['x', 'dz'], {
    dw: ({ x, dz, ...filters }) => {
      expectShape(dz, convolved(x, filters));
      return [windowSize(filters.window), filters.filters];
    },
  }),
  /** y (rows, windows * channels): the maximum of each window, per channel. */
  maxPool: op<{ readonly window: Window }>()('image', ['x'], { y: ({ x, window }) => pooled(x, window) }),
  maxPoolGradient: op<{ readonly window: Window }>()('imageGradient', ['x', 'dy'], {
    dx: ({ x, dy, window }) => {
      expectShape(dy, pooled(x, window));
      return x.shape;
    },
  }),
  /** y (rows, windows * channels): the mean of each window, per channel. */
  averagePool: op<{ readonly window: Window }>()('image', ['x'], {
    y: ({ x, window }) => pooled(x, window),
  }),
  averagePoolGradient: op<{ readonly window: Window }>()('imageGradient', ['dy'], {
    dx: ({ dy, window }) => images(dy, { window, filters: window.channels }),
  }),
} as const;

/** `filters` numbers per window, for rows of images. */
function convolved(x: Value, { window, filters }: Filters): readonly number[] {
  const [rows] = matrix(x);
  expectShape(x, [rows, imageSize(window)]);
  const [down, across] = windowCounts(window);
  return [rows, down * across * filters];
}

const pooled = (x: Value, window: Window): readonly number[] => convolved(x, { window, filters: window.channels });

/** The images of a window, from `filters` numbers per window. */
function images(dz: Value, { window, filters }: Filters): readonly number[] {
  const [rows] = matrix(dz);
  const [down, across] = windowCounts(window);
  expectShape(dz, [rows, down * across * filters]);
  return [rows, imageSize(window)];
}
