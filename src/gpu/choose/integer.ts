/** Chooses the kernel of a random product of integer inputs: by shape, distribution and kind of adapter, or by name. */
import { bitPlanes, bitPlaneWords } from '../../../kernels/bit_planes.ts';
import { type Dispatch, withinGrid } from '../../../kernels/dispatch.ts';
import { randomMatmulBitPlanes } from '../../../kernels/random_matmul_bit_planes.ts';
import { type IntegerMatmulArgs, randomMatmulU8 } from '../../../kernels/random_matmul_u8.ts';
import { randomMatmulU8Rows } from '../../../kernels/random_matmul_u8_rows.ts';
import { ShapeError } from '../../core/errors.ts';
import { type ElementwiseName, elementwiseNames } from '../../weights/distributions.ts';
import type { Problem } from './forward-kernels.ts';

/** One way to compute the product: its dispatches and their scratch memory. All ways give the same bits. */
export interface IntegerKernel {
  readonly weights: readonly ElementwiseName[];
  /** Size in bytes of each of its scratch buffers. */
  scratchBytes(problem: Pick<Problem, 'm' | 'k'>): number[];
  launch<B>(args: IntegerMatmulArgs<B>, scratch: readonly B[]): Dispatch<B>[];
}

const fewRows = (sliced: boolean): IntegerKernel => ({
  weights: elementwiseNames,
  scratchBytes: () => [],
  launch: (args) => [randomMatmulU8Rows(args, sliced)],
});
/** Distributions whose weights are bits. */
const signs: readonly ElementwiseName[] = ['binary', 'codeword'];

const planes = (sliced: boolean): IntegerKernel => ({
  weights: signs,
  scratchBytes: ({ m, k }) => [4 * m * bitPlaneWords(k), 4 * m],
  launch: ({ x, ...args }, [planes, totals]) => [
    bitPlanes({ m: args.m, k: args.k, x, signed: Boolean(args.scales), planes: planes!, totals: totals! }),
    randomMatmulBitPlanes(args, planes!, totals!, sliced),
  ],
});

/** Every kernel of the product with integer inputs, by the name that forces it. */
export const integerKernels = {
  'integer tile': {
    weights: elementwiseNames,
    scratchBytes: () => [],
    launch: (args) => [randomMatmulU8(args)],
  },
  'integer rows': fewRows(false),
  'integer rows sliced': fewRows(true),
  'bit planes': planes(false),
  'bit planes sliced': planes(true),
} as const satisfies Record<string, IntegerKernel>;

export type IntegerKernelName = keyof typeof integerKernels;

/** The kernels that compute the problem within the workgroups that every device has. */
const candidates = (problem: Problem): IntegerKernelName[] =>
  (Object.entries(integerKernels) as [IntegerKernelName, IntegerKernel][])
    .filter(([, { weights }]) => weights.includes(problem.weights as ElementwiseName))
    .filter(([, { launch }]) => {
      const weights = problem.weights as ElementwiseName;
      return withinGrid(launch({ ...problem, weights, x: 0, keys: 0, y: 0 }, [0, 0]));
    })
    .map(([name]) => name);

/**
 * The kernel of a product with integer inputs. Throws `ShapeError` if the forced kernel does not support the distribution
 * or the size, or if no kernel does.
 */
export function chooseInteger(problem: Problem, software: boolean, kernel?: string): IntegerKernel {
  const names = candidates(problem);
  const best = byTable(problem, software);
  const name = kernel ?? (names.includes(best) ? best : names[0]);
  if (names.includes(name as IntegerKernelName)) return integerKernels[name as IntegerKernelName];
  const { weights, m, n } = problem;
  throw new ShapeError(
    `expected a kernel for ${weights} weights, integer inputs and ${m} rows x ${n} units (${names.join(', ') || 'none'}), got ${kernel ?? 'none'}`,
  );
}

/** By cycles per multiply-accumulate, counted in machine code. A tile always computes 32 rows. */
function byTable({ m, weights }: Problem, software: boolean): IntegerKernelName {
  if (signs.includes(weights as ElementwiseName) && m <= 16) return software ? 'bit planes' : 'bit planes sliced';
  if (m <= 8) return software ? 'integer rows' : 'integer rows sliced';
  return 'integer tile';
}
