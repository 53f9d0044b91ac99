/** Which kernel computes a random product: by name, as measured on the device, or by the table (kernel-table.ts). */
import { ShapeError } from '../../core/errors.ts';
import { type ForwardKernel, type ForwardKernelName, forwardKernels, type Problem } from './forward-kernels.ts';
import { gpu, type Rule, software as softwareRules } from './kernel-table.ts';

/** What decides beside the problem. Plain data: `Context.choice` is that of a device. */
export interface Choice {
  /** Whether the adapter computes on the CPU. */
  readonly software?: boolean;
  /** What the device offers beyond WebGPU's core. */
  readonly features?: ReadonlySet<string>;
  /** Only kernels that add in the order of the inputs. */
  readonly inOrder?: boolean;
  /** What was measured on the device (tuner.ts), by `shapeKey`: it goes before the table. */
  readonly tuned?: ReadonlyMap<string, ForwardKernelName> | undefined;
  /** The kernel to take, whatever was measured and the table says. */
  readonly kernel?: ForwardKernelName;
}

/** Problems that one measurement decides: the same weights, and sizes up to the same powers of two. */
export const shapeKey = ({ m, k, n, weights }: Problem, inOrder = false): string =>
  `${weights}${inOrder ? ' in order' : ''} 2^${[m, k, n].map((size) => Math.ceil(Math.log2(size)))}`;

/** What the rules that hold for a problem name, best first. */
export const ruled = (rules: readonly Rule[], { m, n, weights }: Problem): ForwardKernelName[] =>
  rules
    .filter(([rows, outputs, served]) => m >= rows && m * n >= outputs && (served === 'any' || served === weights))
    .flatMap(([, , , ...names]) => names);

/** Every kernel that may compute the problem, the one to take first: as measured, else by the table. */
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
      (kernel.features ?? []).every((feature) => features?.has(feature))
    );
  }) as ForwardKernelName[];
}

/** The kernel of a forward product. Throws `ShapeError` where a forced one does not serve it on this device. */
export function chooseForward(problem: Problem, choice: Choice): ForwardKernel {
  const names = candidates(problem, choice);
  const name = choice.kernel ?? names[0]!;
  if (!names.includes(name)) {
    throw new ShapeError(`expected a kernel for ${problem.weights} weights (${names.join(', ')}), got ${name}`);
  }
  return forwardKernels[name];
}
