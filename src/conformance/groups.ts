/**
 * Every group of cases, in the order of the report and of its digest, and which of them cover an operation of the
 * graph.
 */
import type { Family } from '../graph/ops.ts';
import type { Covered, Group } from './case.ts';
import { convolutions, imageCases } from './convolutions.ts';
import { productGroups } from './exact.ts';
import { fieldCases, fieldGroups } from './fields.ts';
import { denseCases, layerGroups } from './layers.ts';
import { rowGroups } from './rows.ts';
import { signalCases, signalGroups } from './signals.ts';
import { solveCases, solveGroups } from './solve.ts';
import { trainingCases, trainingGroups } from './training.ts';

/** Groups whose results must be the same on every device, bit for bit. */
export const exactGroups: readonly Group[] = [...productGroups, convolutions, ...fieldGroups, ...solveGroups];

/** Groups whose results may round as f32 and WGSL's functions do. */
export const roundingGroups: readonly Group[] = [...layerGroups, ...rowGroups, ...signalGroups, ...trainingGroups];

/** The cases of every operation: one that has none does not compile. */
export const covered: Covered<Family> = {
  ...denseCases,
  ...trainingCases,
  ...imageCases,
  ...fieldCases,
  ...solveCases,
  ...signalCases,
};
