/** Kernels for large batches, for entry points that need not be small: `weightless-gpu/ops`. */
import type { RandomMatmulArgs } from '../../../kernels/random_matmul.ts';
import { randomMatmulStaged } from '../../../kernels/random_matmul_staged.ts';
import { type DistributionName, elementwiseNames, isElementwise } from '../../weights/distributions.ts';
import { type ForwardKernel, type Problem, reaches } from './forward-kernels.ts';

/** Arguments whose distribution has been checked. */
const elementwise = <B>(args: RandomMatmulArgs<B, DistributionName>) => args as RandomMatmulArgs<B>;

/** Kernels in addition to `forwardKernels`, by the name that forces them. */
export const batchKernels = {
  'tile staged': {
    weights: elementwiseNames,
    inOrder: true,
    scratchBytes: () => [],
    launch: (args) => [randomMatmulStaged(elementwise(args))],
  },
} as const satisfies Record<string, ForwardKernel>;

export type BatchKernelName = keyof typeof batchKernels;

/** From this many invocations of 16 x 4 sums, a GPU is assumed to be busy with workgroups of 128. */
const BUSY = 16384;

/**
 * The kernel for a large batch if the shape and the adapter suit it, or if `kernel` names it. If undefined,
 * `chooseForward` decides.
 */
export function chooseBatch(problem: Problem, software: boolean, kernel?: string): ForwardKernel | undefined {
  const { m, n, weights } = problem;
  const large = !software && m >= 64 && (m * n) / 64 >= BUSY;
  const staged = batchKernels['tile staged'];
  if (!isElementwise(weights) || !(kernel ? kernel in batchKernels : large)) return undefined;
  return reaches(staged, problem) ? staged : undefined;
}
