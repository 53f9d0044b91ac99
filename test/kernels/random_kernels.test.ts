/** random_kernels: random kernels along signals, pooled. */
import { describe, expect, it } from 'vitest';
import { randomKernels } from '../../kernels/random_kernels.ts';
import { integers } from '../../src/conformance/case.ts';
import { signalGroups } from '../../src/conformance/signals.ts';
import { signalPools } from '../../src/core/signal-pools.ts';
import { randomKernels as twin } from '../../src/reference/random_kernels.ts';
import { kernelWords } from '../../src/weights/random-kernels.ts';
import { type Case, checkCases, numbers } from './harness.ts';

describe('random_kernels', () => {
  it('is its twin in every distribution: short and long signals, many channels, every pool', async () => {
    const cases = signalGroups.flatMap((group) => group.cases());
    expect(await checkCases(cases)).toBe(cases.length);
  });

  it('computes one row alone, and only the pools that are asked for, in their order', async () => {
    const weights = { seed: 5, tensor: 2, distribution: 'binary', taps: 9, length: 70, channels: 3 } as const;
    const asked = signalPools.flatMap((pool, i) => [[pool], signalPools.slice(i)]);
    const cases = asked.map((pools, i): Case => {
      const args = { m: 1, n: 7, weights, pools };
      const [x, b] = [integers(70 * 3, i, 7), numbers(7, i + 20)];
      return {
        what: pools.join(' '),
        inputs: { x, b, kernels: kernelWords(weights, 7) },
        outputs: {
          y: {
            want: twin({ ...args, x, b }),
            tolerance: { absolute: 2e-6, relative: 1e-6, reason: 'division of WGSL' },
          },
        },
        dispatch: ({ x, b, kernels, y }) => randomKernels({ ...args, x: x!, b: b!, kernels: kernels!, y: y! }),
      };
    });
    expect(await checkCases(cases)).toBe(cases.length);
  });
});
