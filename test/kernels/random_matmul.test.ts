import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dispatch } from '../../kernels/dispatch.ts';
import type { RandomMatmulArgs } from '../../kernels/random_matmul.ts';
import { sumParts } from '../../kernels/sum_parts.ts';
import { activationNames } from '../../src/core/activations.ts';
import { readFloats, storageBuffer, uploadBuffer } from '../../src/gpu/buffers.ts';
import { chooseForward } from '../../src/gpu/choose/choose.ts';
import {
  type ForwardKernel,
  type ForwardKernelName,
  forwardKernels,
  type Problem,
} from '../../src/gpu/choose/forward-kernels.ts';
import { type BufferSlice, runDispatches } from '../../src/gpu/kernel.ts';
import { epilogue } from '../../src/reference/epilogue.ts';
import { randomMatmul as twin } from '../../src/reference/random_matmul.ts';
import { sumParts as sumTwin } from '../../src/reference/sum_parts.ts';
import { elementwiseNames, integerWeights } from '../../src/weights/distributions.ts';
import { unitKeys } from '../../src/weights/stream.ts';
import { expectSame } from '../compare.ts';
import { testContext } from '../gpu.ts';
import { type Case, checkCases, numbers, samples, size, sumError, type Tail, tails } from './harness.ts';

/** The random product in one of its kernels, scratch memory included. */
function launch(name: string, args: RandomMatmulArgs<BufferSlice>, scratch: BufferSlice): Dispatch<BufferSlice>[] {
  return chooseForward(args, { kernel: name as ForwardKernelName }).launch(args, [scratch]);
}

const kernels = Object.entries<ForwardKernel>(forwardKernels)
  .filter(([name]) => name !== 'orthogonal') // orthogonal.test.ts
  .map(([name, kernel]) => ({
    name,
    kernel,
    distributions: elementwiseNames
      .filter((weights) => kernel.weights.includes(weights))
      .slice(0, /^split|32x3/.test(name) && name !== 'split 8x4' ? 2 : 4),
    rows: /tile|32x3|8x4|of rows/.test(name) ? 70 : 9,
    // Kernels that differ only in the size of the tile need fewer cases.
    count: name.startsWith('split') ? 60 : /32x3|of rows/.test(name) ? 120 : 240,
    // What ends a sum is one text in all of them: every activation with one of each family, with the others the first of these.
    activations: ['tile 8x4', 'rows'].includes(name) ? activationNames.toReversed() : (['gelu'] as const),
  }));

const problem = <Distribution>(rows: number, tails: readonly Tail<Distribution>[]) =>
  fc.record({
    m: size(rows),
    k: size(140),
    n: size(140),
    tail: fc.constantFrom(...tails),
    seed: fc.constantFrom(0, 1, 2 ** 32 - 1, Number.MAX_SAFE_INTEGER),
    tensor: fc.integer({ min: 0, max: 5 }),
  });

describe.each(kernels)('$name', ({ name, kernel, distributions, rows, count, activations }) => {
  const ends = tails(distributions, activations);
  const scratchOf = (p: Problem) => new Uint32Array((kernel.scratchBytes(p)[0] ?? 16) / 4).fill(0x7fc0dead);

  it(`is its twin over ${count} shapes, every distribution and epilogue, its activations`, async () => {
    const problems = samples(problem(rows, ends), count);
    expect(new Set(problems.map(({ tail }) => tail)).size).toBe(ends.length);
    const cases = problems.map((p, i): Case => {
      const { m, k, n } = p;
      const { distribution, activation, form } = p.tail;
      const weights = { seed: p.seed, tensor: p.tensor, distribution };
      const x = numbers(m * k, i);
      const u = numbers(n, i + 1000, 2);
      const b = numbers(n, i + 2000, 2);
      const z = twin({ m, k, n, weights, x });
      // The products of a sum add up to |r| |x| at most: |r| <= 3 (one weight of normal), |x| <= sqrt(k). |u| <= 2, and no
      // activation here is steeper than 1.13 (gelu).
      const args = form === 'z' ? undefined : { b, ...(form === 'bias' ? {} : { u }) };
      const want = args ? epilogue({ m, n, z, ...args, activation }) : z;
      const absolute = 1.13 * 2 * sumError(k) * 3 * Math.sqrt(k) + 4e-6;
      return {
        what: `${name} ${m}x${k}x${n} ${distribution} ${form} ${activation}`,
        inputs: {
          x,
          keys: unitKeys(weights.seed, weights.tensor, n),
          u,
          b,
          scratch: scratchOf({ m, k, n, weights: distribution }),
        },
        outputs: { y: { want, tolerance: { absolute, reason: 'f32 sum over k, exp and tanh of WGSL' } } },
        dispatch: ({ x, keys, u, b, y, scratch }) => {
          const tail = form === 'z' ? {} : { epilogue: { b: b!, ...(form === 'bias' ? {} : { u: u! }), activation } };
          return launch(name, { m, k, n, weights: distribution, x: x!, keys: keys!, y: y!, ...tail }, scratch!);
        },
      };
    });
    expect(await checkCases(cases)).toBe(count);
  });

  it.each(distributions)('sums integers exactly: %s with integer inputs', async (distribution) => {
    const cases = samples(fc.record({ m: size(rows), k: size(300), n: size(140) }), 12, 5).map(
      ({ m, k, n }, i): Case => {
        const x = numbers(m * k, i).map((value) => Math.round(40 * value));
        const integers = integerWeights({ seed: 9, tensor: 1, distribution }, [0, k], [0, n]);
        const want = new Float32Array(m * n);
        for (let row = 0; row < m; row++) {
          for (let l = 0; l < k; l++) {
            for (let unit = 0; unit < n; unit++) want[row * n + unit]! += x[row * k + l]! * integers[l * n + unit]!;
          }
        }
        return {
          what: `${name} ${m}x${k}x${n} ${distribution}`,
          inputs: { x, keys: unitKeys(9, 1, n), scratch: scratchOf({ m, k, n, weights: distribution }) },
          outputs: { y: { want: want.map((value) => value + 0) } },
          dispatch: ({ x, keys, y, scratch }) =>
            launch(name, { m, k, n, weights: distribution, x: x!, keys: keys!, y: y! }, scratch!).map((made) => ({
              ...made,
              params: { ...made.params, scale: 1 },
            })),
        };
      },
    );
    await checkCases(cases);
  });
});

describe('a row', () => {
  it.each(elementwiseNames)(
    'has the same result, bit for bit, in any batch and from every kernel that adds in order: %s',
    async (weights) => {
      const context = await testContext();
      const m = 19;
      for (const [k, n] of [
        [3, 5],
        [203, 77],
        [256, 130],
      ] as const) {
        const x = numbers(m * k, 3);
        const [keys, u, b] = [unitKeys(5, 2, n), numbers(n, 4, 2), numbers(n, 5)].map((data) =>
          uploadBuffer(context, data),
        ) as [GPUBuffer, GPUBuffer, GPUBuffer];
        // The epilogue is the same text behind each distribution: the one that the tests above compile.
        const epilogues = weights === 'normal' ? [{ epilogue: { u, b, activation: 'gelu' } } as const] : [];
        for (const tail of [{}, ...epilogues]) {
          const run = async (kernel: ForwardKernelName, rows: number, from: number) => {
            const input = uploadBuffer(context, x.slice(from * k, (from + rows) * k));
            const y = storageBuffer(context, 4 * rows * n, 'y');
            await runDispatches(context, launch(kernel, { m: rows, k, n, weights, x: input, keys, y, ...tail }, y));
            const values = await readFloats(context, y, rows * n);
            context.destroyBuffers([input, y]);
            return values;
          };
          const whole = await run('tile 16x4', m, 0);
          for (const [kernel, rows, from] of [
            ['tile 8x4', 5, 7],
            ['tile 8x8', 8, 3],
            ['tile 16x8', 17, 2],
            ['tile 32x3', 17, 1],
            ['rows', 1, 18],
            ['rows', 3, 4],
          ] as const) {
            expectSame(
              await run(kernel, rows, from),
              whole.subarray(from * n, (from + rows) * n),
              `${k} x ${n}, ${Object.keys(tail).length ? 'epilogue' : 'no epilogue'}, ${rows} rows from ${from}`,
            );
          }
        }
        context.destroyBuffers([keys, u, b]);
      }
    },
  );
});

it('sum_parts is its twin, past a workgroup too', async () => {
  const cases = samples(fc.record({ m: size(9), n: size(140), parts: size(32) }), 12).map(
    ({ m, n, parts }, i): Case => {
      const sums = numbers(parts * m * n, i);
      const tolerance = { absolute: 4 * sumError(parts) * parts, reason: 'f32 sum over the parts' };
      return {
        what: `${parts} parts of ${m}x${n}`,
        inputs: { sums },
        outputs: { y: { want: sumTwin({ parts, m, n, sums }), tolerance } },
        dispatch: ({ sums, y }) => [
          sumParts({ m, n, k: 1, weights: 'binary', x: y!, keys: sums!, y: y! }, parts, sums!),
        ],
      };
    },
  );
  expect(await checkCases(cases)).toBe(12);
});
