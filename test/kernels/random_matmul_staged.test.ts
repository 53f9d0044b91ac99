import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFloats, storageBuffer, uploadBuffer } from '../../src/gpu/buffers.ts';
import { batchKernels, chooseBatch } from '../../src/gpu/choose/batch.ts';
import { type ForwardKernel, forwardKernels } from '../../src/gpu/choose/forward-kernels.ts';
import { runDispatches } from '../../src/gpu/kernel.ts';
import { epilogue } from '../../src/reference/epilogue.ts';
import { randomMatmul as twin } from '../../src/reference/random_matmul.ts';
import { elementwiseNames } from '../../src/weights/distributions.ts';
import { unitKeys } from '../../src/weights/stream.ts';
import { expectSame } from '../compare.ts';
import { testContext } from '../gpu.ts';
import { type Case, checkCases, numbers, samples, size, sumError } from './harness.ts';

const staged: ForwardKernel = batchKernels['tile staged'];

describe('tile staged', () => {
  it('is its twin over 240 shapes, every distribution, and its epilogue', async () => {
    const shapes = fc.record({
      m: size(80),
      k: size(40), // a barrier for each four of them, which a software adapter pays dearly
      n: size(140),
      distribution: fc.constantFrom(...elementwiseNames),
    });
    const cases = samples(shapes, 240).map(({ m, k, n, distribution }, i): Case => {
      const half = distribution === 'sparse'; // an epilogue is the same text behind each, and a pipeline takes seconds to compile
      const weights = { seed: i, tensor: i % 3, distribution };
      const x = numbers(m * k, i);
      const u = numbers(n, i + 1000, 2);
      const b = numbers(n, i + 2000, 2);
      const z = twin({ m, k, n, weights, x });
      return {
        what: `${m}x${k}x${n} ${distribution} ${half}`,
        inputs: { x, keys: unitKeys(weights.seed, weights.tensor, n), u, b },
        outputs: {
          y: {
            want: half ? epilogue({ m, n, z, u, b, activation: 'gelu' }) : z,
            // As in random_matmul.test.ts.
            tolerance: {
              absolute: 1.13 * 2 * sumError(k) * 3 * Math.sqrt(k) + 4e-6,
              reason: 'f32 sum over k, exp and tanh of WGSL',
            },
          },
        },
        dispatch: ({ x, keys, u, b, y }) =>
          staged.launch(
            {
              ...{ m, k, n, weights: distribution, x: x!, keys: keys!, y: y! },
              ...(half && { epilogue: { u: u!, b: b!, activation: 'gelu' } }),
            },
            [],
          ),
      };
    });
    expect(await checkCases(cases)).toBe(240);
  });

  it('gives the bits of every kernel that adds in order, and keeps rows apart where inputs are not finite', async () => {
    const context = await testContext();
    const [m, k, n] = [70, 59, 150];
    const x = numbers(m * k, 3);
    x[5 * k] = Number.NaN; // the first input of row 5 follows the last of row 4
    x[9 * k] = Number.POSITIVE_INFINITY;
    for (const weights of ['normal', 'binary'] as const) {
      const results: Float32Array[] = [];
      const [input, keys] = [uploadBuffer(context, x), uploadBuffer(context, unitKeys(5, 2, n))];
      for (const kernel of [forwardKernels['tile 16x4'], staged]) {
        const y = storageBuffer(context, 4 * m * n, 'y');
        await runDispatches(context, kernel.launch({ m, k, n, weights, x: input, keys, y }, []));
        results.push(await readFloats(context, y, m * n));
        context.destroyBuffers([y]);
      }
      expectSame(results[1]!.slice(0, 5 * n), results[0]!.slice(0, 5 * n), weights);
      expectSame(results[1]!.slice(6 * n, 9 * n), results[0]!.slice(6 * n, 9 * n), weights);
      expectSame(results[1]!.slice(10 * n), results[0]!.slice(10 * n), weights);
      expect(results[1]!.slice(5 * n, 6 * n).every(Number.isNaN)).toBe(true);
      context.destroyBuffers([input, keys]);
    }
  });
});

it('chooseBatch takes it for large batches on GPUs, and by name', () => {
  const problem = { m: 1024, k: 784, n: 1024, weights: 'normal' } as const;
  expect(chooseBatch(problem, false)).toBe(staged);
  expect(chooseBatch(problem, true)).toBeUndefined();
  expect(chooseBatch({ ...problem, m: 128 }, false)).toBeUndefined();
  expect(chooseBatch({ ...problem, m: 1 }, true, 'tile staged')).toBe(staged);
  expect(chooseBatch(problem, false, 'tile 8x8')).toBeUndefined();
  expect(chooseBatch({ ...problem, weights: 'orthogonal' }, false)).toBeUndefined();
});
