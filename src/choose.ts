/** Which kernel computes a random product: by shape, distribution and kind of adapter, or by name. */
import { orthogonal, orthogonalShape } from '../kernels/orthogonal.ts';
import { type RandomMatmulArgs, randomMatmul } from '../kernels/random_matmul.ts';
import { randomMatmulRows } from '../kernels/random_matmul_rows.ts';
import { randomMatmulSignSums } from '../kernels/random_matmul_sign_sums.ts';
import { signSumGroups, signSums } from '../kernels/sign_sums.ts';
import type { Dispatch } from './dispatch.ts';
import { ShapeError } from './errors.ts';
import { type DistributionName, elementwiseNames } from './weights/distributions.ts';

/** Sizes of a forward product x (m, k) times the transpose of a random (n, k) matrix. */
export interface Problem {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly weights: DistributionName;
}

/** One way to compute the forward product with its epilogue: its dispatches, and the memory that passes between them. */
export interface ForwardKernel {
  readonly weights: readonly DistributionName[];
  /** Whether it adds the products of a row in the order of the inputs, so that all such kernels give the same bits. */
  readonly inOrder: boolean;
  /** Bytes of each piece of memory of its own. */
  scratchBytes(problem: Problem): number[];
  launch<B>(args: RandomMatmulArgs<B, DistributionName>, scratch: readonly B[]): Dispatch<B>[];
}

/** Arguments whose distribution has been checked: the kernel is one of those that serve it. */
const elementwise = <B>(args: RandomMatmulArgs<B, DistributionName>) => args as RandomMatmulArgs<B>;
const noScratch = () => [];

const tile = (rows: 8 | 16, units: 4 | 8): ForwardKernel => ({
  weights: elementwiseNames,
  inOrder: true,
  scratchBytes: noScratch,
  launch: (args) => [randomMatmul(elementwise(args), rows, units)],
});
const fewRows = (sliced: boolean): ForwardKernel => ({
  weights: elementwiseNames,
  inOrder: !sliced,
  scratchBytes: noScratch,
  launch: (args) => [randomMatmulRows(elementwise(args), sliced)],
});
const lookUp = (sliced: boolean): ForwardKernel => ({
  weights: ['binary'],
  inOrder: false,
  scratchBytes: ({ m, k }) => [4 * m * signSumGroups(k) * 256],
  launch: (args, [sums]) => [
    signSums({ m: args.m, k: args.k, x: args.x, sums: sums! }),
    randomMatmulSignSums(elementwise(args), sums!, sliced),
  ],
});
/** The memory that the passes of `orthogonal` alternate between. */
export const orthogonalScratch = (problem: Problem): number[] => Array(2).fill(orthogonalShape(problem).scratchBytes);

/** Every kernel of the forward product by the name that forces it. */
export const forwardKernels = {
  'tile 8x4': tile(8, 4),
  'tile 8x8': tile(8, 8),
  'tile 16x4': tile(16, 4),
  'tile 16x8': tile(16, 8),
  rows: fewRows(false),
  'rows sliced': fewRows(true),
  'sign sums': lookUp(false),
  'sign sums sliced': lookUp(true),
  orthogonal: {
    weights: ['orthogonal'],
    inOrder: true, // the same passes for every batch
    scratchBytes: orthogonalScratch,
    launch: (args, [a, b]) => orthogonal(args, [a!, b!]),
  },
} as const satisfies Record<string, ForwardKernel>;

export type ForwardKernelName = keyof typeof forwardKernels;

export interface Choice {
  /** Whether the adapter computes on the CPU. */
  readonly software?: boolean;
  /** Only kernels that add in the order of the inputs. */
  readonly inOrder?: boolean;
  /** The kernel to take, whatever the table says. */
  readonly kernel?: ForwardKernelName;
}

/** Invocations from which on a GPU is taken to be busy: then larger tiles win. */
const BUSY = 4096;

/** The kernel of a forward product. Throws `ShapeError` where a forced one does not serve the distribution. */
export function chooseForward(problem: Problem, { software = false, inOrder = false, kernel }: Choice): ForwardKernel {
  const chosen: ForwardKernel | undefined = forwardKernels[kernel ?? byTable(problem, software, inOrder)];
  if (!chosen?.weights.includes(problem.weights)) {
    const names = Object.entries<ForwardKernel>(forwardKernels)
      .filter(([, { weights }]) => weights.includes(problem.weights))
      .map(([name]) => name);
    throw new ShapeError(`expected a kernel for ${problem.weights} weights (${names.join(', ')}), got ${kernel}`);
  }
  return chosen;
}

/** Units whose keys a product reads: one a unit, or one a block. */
export const keyedUnits = (problem: Problem): number =>
  problem.weights === 'orthogonal' ? orthogonalShape(problem).blocks : problem.n;

/**
 * Software adapters (measured on SwiftShader): wide tiles, no barriers. GPUs (by cycles a multiply-accumulate, counted from
 * machine code): the largest tile that still keeps the chip busy.
 */
function byTable({ m, n, weights }: Problem, software: boolean, inOrder: boolean): ForwardKernelName {
  if (weights === 'orthogonal') return 'orthogonal';
  if (software) {
    if (m < 4) return weights === 'binary' && !inOrder ? 'sign sums' : 'rows';
    return m <= 8 ? 'tile 8x8' : 'tile 16x8';
  }
  if (m >= 4 && (m * n) / 64 >= BUSY) return 'tile 16x4';
  if (m >= 4 && (m * n) / 32 >= BUSY) return 'tile 8x4';
  if (inOrder) return m < 4 ? 'rows' : 'tile 8x4';
  return weights === 'binary' && m <= 8 ? 'sign sums sliced' : 'rows sliced';
}
