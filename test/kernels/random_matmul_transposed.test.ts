import fc from 'fast-check';
import { expect, it } from 'vitest';
import { randomMatmulTransposed } from '../../kernels/random_matmul_transposed.ts';
import { randomMatmulTransposed as twin } from '../../src/reference/random_matmul_transposed.ts';
import { elementwiseNames, weightScale } from '../../src/weights/distributions.ts';
import { unitKeys } from '../../src/weights/stream.ts';
import { type Case, checkCases, numbers, samples, size, sumError } from './harness.ts';

it('random_matmul_transposed is its twin over 240 shapes and every distribution: the same matrix, transposed', async () => {
  const problems = samples(
    fc.record({ m: size(70), k: size(140), n: size(140), distribution: fc.constantFrom(...elementwiseNames) }),
    240,
  );
  const cases = problems.map(({ m, k, n, distribution }, i): Case => {
    const weights = { seed: i, tensor: i % 3, distribution };
    const dz = numbers(m * n, i);
    const largest = 127 * weightScale(distribution, k);
    return {
      what: `${m}x${k}x${n} ${distribution}`,
      inputs: { dz, keys: unitKeys(weights.seed, weights.tensor, n) },
      outputs: {
        dx: {
          want: twin({ m, k, n, weights, dz }),
          tolerance: {
            absolute: (sumError(n) * n * Math.min(largest, 3.5 / Math.sqrt(k))) / 2 + 1e-7,
            reason: 'f32 sum over n',
          },
        },
      },
      dispatch: ({ dz, keys, dx }) =>
        randomMatmulTransposed({ m, k, n, weights: distribution, dz: dz!, keys: keys!, dx: dx! }),
    };
  });
  expect(await checkCases(cases)).toBe(240);
});
