/** The declarations of all operations, for code that handles any of them. Layers load only those that they use. */

import { applyFrom } from './graph.ts';
import { blockOps } from './ops/blocks.ts';
import { denseOps } from './ops/dense.ts';
import { fieldOps } from './ops/fields.ts';
import { imageOps } from './ops/images.ts';
import { signalOps } from './ops/signals.ts';
import { solveOps } from './ops/solve.ts';
import { trainingOps } from './ops/training.ts';

export const everyOp = {
  ...denseOps,
  ...trainingOps,
  ...blockOps,
  ...imageOps,
  ...fieldOps,
  ...solveOps,
  ...signalOps,
};

/** Adds a node of any operation, as `applyFrom` describes. */
export const apply = applyFrom(everyOp);
