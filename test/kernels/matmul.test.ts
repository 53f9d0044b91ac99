import fc from 'fast-check';
import { expect, it } from 'vitest';
import { matmul } from '../../kernels/matmul.ts';
import { activationNames } from '../../src/core/activations.ts';
import { epilogue } from '../../src/reference/epilogue.ts';
import { matmul as twin } from '../../src/reference/matmul.ts';
import { type Case, checkCases, numbers, samples, size, sumError } from './harness.ts';

it.each([
  [false, false],
  [false, true],
  [true, false],
  [true, true],
])('matmul is its twin over 200 shapes (transposeA %s, transposeB %s)', async (transposeA, transposeB) => {
  const problems = samples(
    fc.record({
      m: size(90),
      k: size(140),
      n: size(90),
      activation: fc.option(fc.constantFrom(...activationNames), { nil: undefined }),
    }),
    200,
  );
  const cases = problems.map(({ m, k, n, activation }, i): Case => {
    const a = numbers(m * k, i);
    const b = numbers(k * n, i + 1000);
    const bias = numbers(n, i + 2000);
    const product = twin({ m, k, n, transposeA, transposeB, a, b });
    const want = activation ? epilogue({ m, n, z: product, b: bias, activation }) : product;
    return {
      what: `${m}x${k}x${n} ${activation ?? 'no epilogue'}`,
      inputs: { a, b, bias },
      outputs: {
        c: {
          want,
          tolerance: { absolute: 1.13 * sumError(k) * k * 0.5 + 4e-6, reason: 'f32 sum over k, exp and tanh of WGSL' },
        },
      },
      dispatch: ({ a, b, bias, c }) => {
        const tail = activation ? { epilogue: { b: bias!, activation } } : {};
        return matmul({ m, k, n, transposeA, transposeB, a: a!, b: b!, c: c!, ...tail });
      },
    };
  });
  expect(await checkCases(cases)).toBe(200);
});
