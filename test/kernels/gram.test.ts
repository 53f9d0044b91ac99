import fc from 'fast-check';
import { expect, it } from 'vitest';
import { gram } from '../../kernels/gram.ts';
import { gram as twin } from '../../src/reference/gram.ts';
import { type Case, checkCases, numbers, samples, size, sumError } from './harness.ts';

it('gram is its twin over 60 shapes', async () => {
  const problems = samples(fc.record({ m: size(140), n: size(140) }), 60);
  const cases = problems.map(({ m, n }, i): Case => {
    const x = numbers(m * n, i);
    return {
      what: `${m}x${n}`,
      inputs: { x },
      outputs: { g: { want: twin({ m, n, x }), tolerance: { absolute: sumError(m) * m, reason: 'f32 sum over m' } } },
      dispatch: ({ x, g }) => gram({ m, n, x: x!, g: g! }),
    };
  });
  expect(await checkCases(cases)).toBe(60);
});
