import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { randomWeights } from '../../kernels/random_weights.ts';
import { elementwiseNames, integerWeights } from '../../src/weights/distributions.ts';
import { unitKeys } from '../../src/weights/stream.ts';
import { readGoldenVectors } from '../golden-vectors.ts';
import { type Case, checkCases, samples, size } from './harness.ts';

it('gives every golden vector, bit for bit', async () => {
  const golden = readGoldenVectors(
    readFileSync(new URL('../../src/weights/golden/stream-v1.txt', import.meta.url), 'utf8'),
  ).filter((vector) => vector.kind === 'weight');
  expect(golden.some(({ k0 }) => k0 > 2 ** 32)).toBe(true);
  const cases = golden.map(
    ({ distribution, seed, tensor, unit, k0, weights }): Case => ({
      what: `${distribution} ${seed} ${tensor} ${unit} ${k0}`,
      inputs: { keys: unitKeys(seed, tensor, 1, unit) },
      outputs: { out: { want: weights, type: 'i32' } },
      dispatch: ({ keys, out }) =>
        randomWeights({ kFrom: k0, kCount: weights.length, nCount: 1, weights: distribution, keys: keys!, out: out! }),
    }),
  );
  expect(await checkCases(cases)).toBeGreaterThan(90);
});

it('gives any slice as the CPU twin does, bit for bit (240 slices)', async () => {
  const problems = samples(
    fc.record({
      from: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 2 ** 34 - 200 })),
      k: size(200),
      first: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 2 ** 31 })),
      n: size(140),
      distribution: fc.constantFrom(...elementwiseNames),
      seed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      tensor: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    }),
    240,
  );
  const cases = problems.map(
    ({ from, k, first, n, distribution, seed, tensor }): Case => ({
      what: `${distribution} ${seed} ${tensor} inputs ${from}+${k} units ${first}+${n}`,
      inputs: { keys: unitKeys(seed, tensor, n, first) },
      outputs: {
        out: {
          want: integerWeights({ seed, tensor, distribution }, [from, from + k], [first, first + n]),
          type: 'i32',
        },
      },
      dispatch: ({ keys, out }) =>
        randomWeights({ kFrom: from, kCount: k, nCount: n, weights: distribution, keys: keys!, out: out! }),
    }),
  );
  expect(await checkCases(cases)).toBe(240);
});

it('gives a slice of more inputs than a grid has rows: the grid is folded', async () => {
  const [from, k] = [31, 65535 + 70];
  const weights = 'sparse'; // the fold is the same for all; a workgroup of normal would fill its table for each row
  await checkCases([
    {
      what: `inputs ${from}+${k}`,
      inputs: { keys: unitKeys(3, 1, 2) },
      outputs: {
        out: {
          want: integerWeights({ seed: 3, tensor: 1, distribution: weights }, [from, from + k], [0, 2]),
          type: 'i32',
        },
      },
      dispatch: ({ keys, out }) =>
        randomWeights({ kFrom: from, kCount: k, nCount: 2, weights, keys: keys!, out: out! }),
    },
  ]);
});
