import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomMatmulTransposed } from '../../kernels/random_matmul_transposed.ts';
import { readFloats, storageBuffer, uploadBuffer } from '../../src/gpu/buffers.ts';
import { runDispatches } from '../../src/gpu/kernel.ts';
import { transposedTile } from '../../src/gpu/lower/training.ts';
import { randomMatmulTransposed as twin } from '../../src/reference/random_matmul_transposed.ts';
import { elementwiseNames, weightScale } from '../../src/weights/distributions.ts';
import { unitKeys } from '../../src/weights/stream.ts';
import { expectSame } from '../compare.ts';
import { testContext } from '../gpu.ts';
import { type Case, checkCases, numbers, samples, size, sumError } from './harness.ts';

const tiles = [
  [8, 1],
  [8, 2],
  [16, 1],
  [16, 2],
] as const;

const shapes = fc.record({
  m: size(70),
  k: size(300),
  n: size(140),
  distribution: fc.constantFrom(...elementwiseNames),
});

describe.each(tiles)('random_matmul_transposed %i x %i', (rows, quads) => {
  it('is its twin over 240 shapes and every distribution: the same matrix, transposed', async () => {
    const problems = samples(shapes, 240);
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
          randomMatmulTransposed({ m, k, n, weights: distribution, dz: dz!, keys: keys!, dx: dx! }, rows, quads),
      };
    });
    expect(await checkCases(cases)).toBe(240);
  });
});

it('has the same result, bit for bit, from every tile', async () => {
  const context = await testContext();
  const [m, k, n] = [21, 203, 75];
  for (const weights of elementwiseNames) {
    const buffers = [uploadBuffer(context, numbers(m * n, 3)), uploadBuffer(context, unitKeys(5, 2, n))] as const;
    const results: Float32Array[] = [];
    for (const [rows, quads] of tiles) {
      const dx = storageBuffer(context, 4 * m * k, 'dx');
      const [dz, keys] = buffers;
      await runDispatches(context, [randomMatmulTransposed({ m, k, n, weights, dz, keys, dx }, rows, quads)]);
      results.push(await readFloats(context, dx, m * k));
      context.destroyBuffers([dx]);
    }
    for (const result of results) expectSame(result, results[0]!, weights);
    context.destroyBuffers(buffers);
  }
});

it('is launched in large tiles where there is work for them', () => {
  const problem = { m: 128, k: 784, n: 1024, weights: 'normal' } as const;
  expect(transposedTile(problem, true)).toEqual([16, 2]);
  expect(transposedTile({ ...problem, m: 8 }, true)).toEqual([8, 2]);
  expect(transposedTile(problem, false)).toEqual([8, 1]);
  expect(transposedTile({ ...problem, m: 1024 }, false)).toEqual([16, 1]);
  expect(transposedTile({ ...problem, m: 1024, weights: 'binary' }, false)).toEqual([16, 2]);
});
