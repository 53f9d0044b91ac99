/**
 * Which kernel computes a random product x (rows, inputs) r', by kind of adapter. A rule holds from so many rows and so many
 * outputs (rows times units) on, for the weights that it names, and names kernels, best first. The first kernel of the first
 * rule that may be taken is taken: it serves the weights, the device has its features, and it adds in order where that is asked.
 *
 * `npm run bench -- --tune` measures and rewrites the section of the adapter at hand, and that section alone.
 */

import type { DistributionName } from '../../weights/distributions.ts';
import type { ForwardKernelName } from './forward-kernels.ts';

export type Rule = readonly [
  rows: number,
  outputs: number,
  weights: DistributionName | 'any',
  ...kernels: ForwardKernelName[],
];

/** Measured on google swiftshader (software) by `npm run bench -- --tune`. */
export const software: Rule[] = [
  [9, 0, 'any', 'tile 16x8'],
  [5, 0, 'binary', 'tile 8x8'],
  [3, 8192, 'binary', 'tile 8x8'],
  [3, 1448, 'binary', 'sign sums', 'tile 8x8'],
  [3, 0, 'any', 'tile 8x8'],
  [2, 4096, 'normal', 'rows'],
  [2, 724, 'normal', 'tile 8x8'],
  [2, 0, 'normal', 'rows'],
  [1, 0, 'binary', 'sign sums', 'rows'],
  [1, 0, 'any', 'rows'],
];

/**
 * Not measured: derived from cycles a multiply-accumulate in machine code of RDNA2. The largest tile that keeps the chip busy
 * (4096 invocations); for fewer outputs, rows split along their inputs.
 */
export const gpu: Rule[] = [
  [4, 262144, 'any', 'tile 16x4'],
  [4, 131072, 'any', 'tile 8x4'],
  [9, 0, 'any', 'rows sliced', 'tile 8x4'],
  [4, 0, 'binary', 'sign sums sliced', 'tile 8x4'],
  [4, 0, 'any', 'rows sliced', 'tile 8x4'],
  [1, 0, 'binary', 'sign sums sliced', 'rows'],
  [1, 0, 'any', 'rows sliced', 'rows'],
];
