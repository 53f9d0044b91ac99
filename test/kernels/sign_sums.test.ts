import fc from 'fast-check';
import { expect, it } from 'vitest';
import { codeSums } from '../../kernels/code_sums.ts';
import { codeSumsRows } from '../../kernels/code_sums_rows.ts';
import { signSums } from '../../kernels/sign_sums.ts';
import { signSumsRows } from '../../kernels/sign_sums_rows.ts';
import { codeSums as codeTwin } from '../../src/reference/code_sums.ts';
import { codeSumsRows as codeRowsTwin } from '../../src/reference/code_sums_rows.ts';
import { signSums as twin } from '../../src/reference/sign_sums.ts';
import { signSumsRows as rowsTwin } from '../../src/reference/sign_sums_rows.ts';
import { type Case, checkCases, numbers, samples, size } from './harness.ts';

it('sign_sums is its twin over 200 shapes', async () => {
  const cases = samples(fc.record({ m: size(9), k: size(200) }), 200).map(({ m, k }, i): Case => {
    const x = numbers(m * k, i);
    const tolerance = { absolute: 8 * 8 * 2 ** -24, reason: 'f32 sum of eight inputs of at most 1' };
    return {
      what: `${m}x${k}`,
      inputs: { x },
      outputs: { sums: { want: twin({ m, k, x }), tolerance } },
      dispatch: ({ x, sums }) => signSums({ m, k, x: x!, sums: sums! }),
    };
  });
  expect(await checkCases(cases)).toBe(200);
});

it('sign_sums_rows is its twin over 60 shapes', async () => {
  const cases = samples(fc.record({ m: size(19), k: size(200) }), 60).map(({ m, k }, i): Case => {
    const x = numbers(m * k, i);
    const tolerance = { absolute: 8 * 8 * 2 ** -24, reason: 'f32 sum of eight inputs of at most 1' };
    return {
      what: `${m}x${k}`,
      inputs: { x },
      outputs: { sums: { want: rowsTwin({ m, k, x }), tolerance } },
      dispatch: ({ x, sums }) => signSumsRows({ m, k, x: x!, sums: sums! }),
    };
  });
  expect(await checkCases(cases)).toBe(60);
});

it.each([
  ['code_sums', codeSums, codeTwin],
  ['code_sums_rows', codeSumsRows, codeRowsTwin],
] as const)('%s is its twin over 60 shapes', async (_, launch, twin) => {
  const cases = samples(fc.record({ m: size(9), k: size(300) }), 60).map(({ m, k }, i): Case => {
    const x = numbers(m * k, i);
    const tolerance = { absolute: 16 * 16 * 2 ** -24, reason: 'f32 sum of 16 inputs of at most 1' };
    return {
      what: `${m}x${k}`,
      inputs: { x },
      outputs: { sums: { want: twin({ m, k, x }), tolerance } },
      dispatch: ({ x, sums }) => launch({ m, k, x: x!, sums: sums! }),
    };
  });
  expect(await checkCases(cases)).toBe(60);
});
