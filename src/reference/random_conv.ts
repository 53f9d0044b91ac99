import { windowSize } from '../core/window.ts';
import type { WeightSpec } from '../weights/distributions.ts';
import { type ConvArgs, conv } from './conv.ts';
import { randomMatrix } from './random_matmul.ts';

/** z (positions, filters) = each window of x times the random (window size, filters) matrix. */
export const randomConv = ({
  weights,
  ...args
}: ConvArgs & { weights: WeightSpec; x: ArrayLike<number> }): Float64Array =>
  conv({ ...args, w: randomMatrix(weights, windowSize(args.window), args.filters) });
