import { windowSize } from '../core/window.ts';
import type { WeightSpec } from '../weights/distributions.ts';
import type { ConvArgs } from './conv.ts';
import { convInputGradient } from './conv_input_gradient.ts';
import { randomMatrix } from './random_matmul.ts';

/** dx (rows, height, width, channels) of a random convolution, from dz (positions, filters). */
export const randomConvTransposed = ({
  weights,
  ...args
}: ConvArgs & { weights: WeightSpec; dz: ArrayLike<number> }): Float64Array =>
  convInputGradient({ ...args, w: randomMatrix(weights, windowSize(args.window), args.filters) });
