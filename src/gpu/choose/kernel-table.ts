/**
 * The kernel of a random product x (rows, inputs) r', by kind of adapter. A rule applies from a number of rows and a
 * number of outputs (rows times units) on, for the weights that it names. It lists kernels, best first. The planner
 * takes the first kernel of the first applicable rule that supports the weights, has its features on the device and, if
 * required, adds in order.
 *
 * `npm run bench -- --tune` measures the present adapter and rewrites its section, and no other.
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
  [65, 0, 'binary', 'tile 16x8'],
  [17, 0, 'binary', 'sign sums of rows', 'tile 16x8'],
  [9, 5793, 'binary', 'sign sums of rows', 'tile 16x8'],
  [9, 0, 'codeword', 'sign sums of rows', 'tile 16x8'],
  [9, 0, 'any', 'tile 16x8'],
  [5, 2896, 'binary', 'sign sums of rows', 'tile 8x8'],
  [5, 0, 'binary', 'tile 8x8'],
  [3, 1448, 'binary', 'sign sums of rows', 'tile 8x8'],
  [3, 0, 'codeword', 'sign sums of rows', 'tile 8x8'],
  [3, 0, 'any', 'tile 8x8'],
  [2, 4096, 'normal', 'rows'],
  [2, 724, 'normal', 'tile 8x8'],
  [2, 0, 'normal', 'rows'],
  [1, 0, 'binary', 'sign sums', 'rows'],
  [1, 0, 'codeword', 'sign sums', 'rows'],
  [1, 0, 'any', 'rows'],
];

/**
 * Not measured: derived from cycles per multiply-accumulate in machine code of RDNA2, which `npm run bench -- --isa`
 * prints for each shape of the bench. From 25 rows on, tiles of 32 rows; below, smaller ones. Where the tiles are too
 * few for the chip, their inputs are split among workgroups.
 */
export const gpu: Rule[] = [
  [25, 393216, 'any', 'tile 32x3'],
  [25, 0, 'any', 'split 32x3'],
  [4, 262144, 'any', 'tile 16x4'],
  [4, 131072, 'any', 'tile 8x4'],
  [9, 0, 'any', 'split 8x4', 'tile 8x4'],
  [4, 0, 'binary', 'sign sums sliced', 'tile 8x4'],
  [1, 0, 'binary', 'sign sums sliced', 'rows'],
  [1, 0, 'codeword', 'sign sums sliced'],
  [5, 0, 'any', 'split 8x4', 'tile 8x4'],
  [4, 0, 'any', 'split 4x4', 'tile 8x4'],
  [3, 0, 'any', 'split 4x4', 'rows'],
  [2, 0, 'any', 'split 2x4', 'rows'],
  [1, 0, 'any', 'rows sliced', 'rows'],
];
