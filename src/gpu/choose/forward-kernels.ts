/** The kernels of a random product, by the names that force them. */
import { codeSums } from '../../../kernels/code_sums.ts';
import { codeSumsRows } from '../../../kernels/code_sums_rows.ts';
import { type Dispatch, withinGrid } from '../../../kernels/dispatch.ts';
import { orthogonal, orthogonalShape } from '../../../kernels/orthogonal.ts';
import { type RandomMatmulArgs, randomMatmul } from '../../../kernels/random_matmul.ts';
import { randomMatmulRows } from '../../../kernels/random_matmul_rows.ts';
import { randomMatmulSignSums } from '../../../kernels/random_matmul_sign_sums.ts';
import { randomMatmulSignSumsRows } from '../../../kernels/random_matmul_sign_sums_rows.ts';
import { randomMatmulSplit, type SplitRows, splitParts } from '../../../kernels/random_matmul_split.ts';
import { signSumGroups, signSums } from '../../../kernels/sign_sums.ts';
import { signSumsRows } from '../../../kernels/sign_sums_rows.ts';
import {
  type DistributionName,
  distributions,
  type ElementwiseName,
  elementwiseNames,
} from '../../weights/distributions.ts';

/** Sizes of a forward product x (m, k) times the transpose of a random (n, k) matrix. */
export interface Problem {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly weights: DistributionName;
}

/** One way to compute the forward product with its epilogue: its dispatches and their scratch memory. */
export interface ForwardKernel {
  readonly weights: readonly DistributionName[];
  /** Whether it adds the products of a row in the order of the inputs. All such kernels give the same bits. */
  readonly inOrder: boolean;
  /** Device features that it needs. If absent, WebGPU's core is enough. */
  readonly features?: readonly GPUFeatureName[];
  /** Size in bytes of each of its scratch buffers. */
  scratchBytes(problem: Problem): number[];
  launch<B>(args: RandomMatmulArgs<B, DistributionName>, scratch: readonly B[]): Dispatch<B>[];
}

/** Arguments whose distribution has been checked: the kernel supports it. */
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
const split = (rows: SplitRows): ForwardKernel => ({
  weights: elementwiseNames,
  inOrder: false,
  scratchBytes: (problem) => [4 * splitParts(problem, rows).parts * problem.m * problem.n],
  launch: (args, [sums]) => randomMatmulSplit(elementwise(args), rows, sums!),
});
/** Bytes of the tables of sums of that many rows. */
const tableBytes = (rows: number, { k, weights }: Problem) => [
  1024 * rows * signSumGroups(k, distributions[weights as ElementwiseName].weightsPerWord),
];
const lookUp = (sliced: boolean): ForwardKernel => ({
  weights: ['binary', 'codeword'],
  inOrder: false,
  scratchBytes: (problem) => tableBytes(problem.m, problem),
  launch: (args, [sums]) => [
    (args.weights === 'binary' ? signSums : codeSums)({ m: args.m, k: args.k, x: args.x, sums: sums! }),
    randomMatmulSignSums(elementwise(args), sums!, sliced),
  ],
});
/** The scratch buffers that the passes of `orthogonal` alternate between. */
export const orthogonalScratch = (problem: Problem): number[] => Array(2).fill(orthogonalShape(problem).scratchBytes);

/** Every kernel of the forward product, by the name that forces it. */
export const forwardKernels = {
  'tile 8x4': tile(8, 4),
  'tile 8x8': tile(8, 8),
  'tile 16x4': tile(16, 4),
  'tile 16x8': tile(16, 8),
  'tile 32x3': {
    weights: elementwiseNames,
    inOrder: true,
    scratchBytes: noScratch,
    launch: (args) => randomMatmulSplit(elementwise(args), 32),
  },
  'split 2x4': split(2),
  'split 4x4': split(4),
  'split 8x4': split(8),
  'split 32x3': split(32),
  rows: fewRows(false),
  'rows sliced': fewRows(true),
  'sign sums': lookUp(false),
  'sign sums sliced': lookUp(true),
  'sign sums of rows': {
    weights: ['binary', 'codeword'],
    inOrder: false,
    scratchBytes: (problem) => tableBytes(4 * Math.ceil(problem.m / 4), problem),
    launch: (args, [sums]) => [
      (args.weights === 'binary' ? signSumsRows : codeSumsRows)({ m: args.m, k: args.k, x: args.x, sums: sums! }),
      randomMatmulSignSumsRows(elementwise(args), sums!),
    ],
  },
  orthogonal: {
    weights: ['orthogonal'],
    inOrder: true, // its passes do not depend on the batch
    scratchBytes: orthogonalScratch,
    launch: (args, [a, b]) => orthogonal(args, [a!, b!]),
  },
} as const satisfies Record<string, ForwardKernel>;

export type ForwardKernelName = keyof typeof forwardKernels;

/** Bytes of the largest buffer that every device can bind. */
const MOST_BYTES = 2 ** 27;

/**
 * Whether the kernel computes the whole product within the workgroups that every device has and, if there are kernels
 * without scratch memory to take its place, within the buffers that every device has.
 */
export const reaches = (kernel: ForwardKernel, problem: Problem): boolean =>
  (kernel.inOrder || kernel.scratchBytes(problem).every((bytes) => bytes <= MOST_BYTES)) &&
  withinGrid(kernel.launch({ ...problem, x: 0, keys: 0, y: 0 }, [0, 0]));

/** Number of keys that a product reads: one per unit, or one per block. */
export const keyedUnits = (problem: Problem): number =>
  problem.weights === 'orthogonal' ? orthogonalShape(problem).blocks : problem.n;
