/** Chooses the kernel of a random product: by name, by measurement on the device, or by the table (kernel-table.ts). */
import { ShapeError } from '../../core/errors.ts';
import {
  type ForwardKernel,
  type ForwardKernelName,
  forwardKernels,
  type Problem,
  reaches,
} from './forward-kernels.ts';
import { gpu, type Rule, software as softwareRules } from './kernel-table.ts';

/** What the choice depends on besides the problem, as plain data. `Context.choice` holds that of a device. */
export interface Choice {
  /** Whether the adapter computes on the CPU. */
  readonly software?: boolean;
  /** Features of the device beyond WebGPU's core. */
  readonly features?: ReadonlySet<string>;
  /** Whether to allow only kernels that add in the order of the inputs. */
  readonly inOrder?: boolean;
  /** The fastest kernel measured on the device (tuner.ts), by `shapeKey`. Takes precedence over the table. */
  readonly tuned?: ReadonlyMap<string, ForwardKernelName> | undefined;
  /** Forces this kernel. Takes precedence over measurements and the table. */
  readonly kernel?: ForwardKernelName;
}

/** Problems with the same key share a measurement: the same weights, and sizes rounded up to the same powers of two. */
export const shapeKey = ({ m, k, n, weights }: Problem, inOrder = false): string =>
  `${weights}${inOrder ? ' in order' : ''} 2^${[m, k, n].map((size) => Math.ceil(Math.log2(size)))}`;

/** The kernels named by the rules that apply to a problem, best first. */
export const ruled = (rules: readonly Rule[], { m, n, weights }: Problem): ForwardKernelName[] =>
  rules
    .filter(([rows, outputs, served]) => m >= rows && m * n >= outputs && (served === 'any' || served === weights))
    .flatMap(([, , , ...names]) => names);

/** Every kernel that can compute the problem, best first: as measured, else by the table. */
export function candidates(problem: Problem, choice: Choice): ForwardKernelName[] {
  const { software, features, inOrder, tuned, kernel: forced } = choice;
  const ranked = new Set([
    tuned?.get(shapeKey(problem, inOrder)),
    ...ruled(software ? softwareRules : gpu, problem),
    ...(Object.keys(forwardKernels) as ForwardKernelName[]),
  ]);
  return [...ranked].filter((name) => {
    const kernel: ForwardKernel | undefined = forwardKernels[name as ForwardKernelName];
    return (
      kernel?.weights.includes(problem.weights) &&
      (kernel.inOrder || !inOrder || forced) &&
      (kernel.features ?? []).every((feature) => features?.has(feature)) &&
      reaches(kernel, problem)
    );
  }) as ForwardKernelName[];
}

/** The kernel of a forward product. Throws `ShapeError` if the forced kernel does not support it on this device. */
export function chooseForward(problem: Problem, choice: Choice): ForwardKernel {
  const names = candidates(problem, choice);
  const name = choice.kernel ?? names[0];
  if (!name) {
    const { m, n } = problem;
    throw new ShapeError(
      `expected a product that fits the workgroups of a device, got ${m} rows x ${n} units. Split the rows or the units.`,
    );
  }
  if (!names.includes(name)) {
    throw new ShapeError(
      `expected a kernel for ${problem.weights} weights and ${problem.m} rows x ${problem.n} units (${names.join(', ') || 'none'}), got ${name}`,
    );
  }
  return forwardKernels[name];
}
