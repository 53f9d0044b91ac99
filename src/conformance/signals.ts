/** Random kernels along signals of whole numbers, so that every sum is exact and each pool counts the same positions. */
import { randomKernels } from '../../kernels/random_kernels.ts';
import { signalPools } from '../core/signal-pools.ts';
import { randomKernels as twin } from '../reference/random_kernels.ts';
import { elementwiseNames } from '../weights/distributions.ts';
import { kernelWords } from '../weights/random-kernels.ts';
import { type Case, type Covered, type Group, integers, numbers } from './case.ts';

const [rows, units, seed, tensor] = [5, 40, Number.MAX_SAFE_INTEGER, 1] as const;

/** One position per lane and more, many channels, a signal shorter than a kernel. */
const signals = [
  { length: 150, channels: 1, taps: 9 },
  { length: 37, channels: 12, taps: 9 },
  { length: 5, channels: 2, taps: 15 },
] as const;

const cases = (): Case[] =>
  elementwiseNames.flatMap((distribution) =>
    signals.map((sizes, i): Case => {
      const weights = { seed, tensor, distribution, ...sizes };
      const args = { m: rows, n: units, weights, pools: signalPools };
      const x = integers(rows * sizes.length * sizes.channels, i, 7);
      const b = numbers(units, i + 20);
      return {
        what: `${distribution} ${sizes.length}x${sizes.channels}, ${sizes.taps} taps`,
        inputs: { x, b, kernels: kernelWords(weights, units) },
        outputs: {
          y: {
            want: twin({ ...args, x, b }),
            tolerance: {
              absolute: 2e-6,
              relative: 1e-6,
              reason: 'division of WGSL; less than one position of any signal',
            },
          },
        },
        dispatch: ({ x, b, kernels, y }) => randomKernels({ ...args, x: x!, b: b!, kernels: kernels!, y: y! }),
      };
    }),
  );

export const signalGroups: readonly Group[] = [{ name: 'random kernels along signals', cases }];

export const signalCases: Covered<'signal'> = { randomKernels: signalGroups };
