import fc from 'fast-check';
import { expect, it } from 'vitest';
import { matmul } from '../../kernels/matmul.ts';
import { matmulRows } from '../../kernels/matmul_rows.ts';
import { activationNames } from '../../src/core/activations.ts';
import { readFloats, storageBuffer, uploadBuffer } from '../../src/gpu/buffers.ts';
import { runDispatches } from '../../src/gpu/kernel.ts';
import { epilogue } from '../../src/reference/epilogue.ts';
import { matmul as twin } from '../../src/reference/matmul.ts';
import { expectSame } from '../compare.ts';
import { testContext } from '../gpu.ts';
import { type Case, checkCases, numbers, samples, size, sumError } from './harness.ts';

it.each([true, false])('matmul_rows is the twin of matmul over 200 shapes (sliced %s)', async (sliced) => {
  const problems = samples(
    fc.record({
      m: size(9),
      k: size(300),
      n: size(140),
      activation: fc.option(fc.constantFrom(...activationNames), { nil: undefined }),
    }),
    200,
  );
  const cases = problems.map(({ m, k, n, activation }, i): Case => {
    const a = numbers(m * k, i);
    const b = numbers(k * n, i + 1000);
    const bias = numbers(n, i + 2000);
    const product = twin({ m, k, n, a, b });
    return {
      what: `${m}x${k}x${n} ${activation ?? 'no epilogue'}`,
      inputs: { a, b, bias },
      outputs: {
        c: {
          want: activation ? epilogue({ m, n, z: product, b: bias, activation }) : product,
          tolerance: { absolute: 1.13 * sumError(k) * k * 0.5 + 4e-6, reason: 'f32 sum over k, exp and tanh of WGSL' },
        },
      },
      dispatch: ({ a, b, bias, c }) => {
        const tail = activation ? { epilogue: { b: bias!, activation } } : {};
        return matmulRows({ m, k, n, a: a!, b: b!, c: c!, ...tail }, sliced);
      },
    };
  });
  expect(await checkCases(cases)).toBe(200);
});

it('gives the bits of matmul where k is not sliced', async () => {
  const context = await testContext();
  const [m, k, n] = [3, 203, 77];
  const [a, b] = [uploadBuffer(context, numbers(m * k, 1)), uploadBuffer(context, numbers(k * n, 2))];
  const c = storageBuffer(context, 4 * m * n, 'c');
  const results = [];
  for (const dispatch of [matmul({ m, k, n, a, b, c }), matmulRows({ m, k, n, a, b, c }, false)]) {
    await runDispatches(context, [dispatch]);
    results.push(await readFloats(context, c, m * n));
  }
  expectSame(results[1]!, results[0]!, 'matmul_rows');
  context.destroyBuffers([a, b, c]);
});
