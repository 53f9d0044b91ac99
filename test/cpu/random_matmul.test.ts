import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Machine } from '../../src/cpu/machine.ts';
import { type CpuKernelName, cpuKernels, randomMatmul, randomMatmulTransposed } from '../../src/cpu/random_matmul.ts';
import { randomMatmul as twin } from '../../src/reference/random_matmul.ts';
import { randomMatmulTransposed as transposedTwin } from '../../src/reference/random_matmul_transposed.ts';
import {
  type DistributionName,
  distributionNames,
  integerWeights,
  type WeightSpec,
  weightScale,
} from '../../src/weights/distributions.ts';
import { expectClose, expectSame } from '../compare.ts';
import { numbers, samples, size, sumError } from '../kernels/harness.ts';
import { wholeMachine } from './machine.ts';
import { all, run, sets, tolerance } from './random-products.ts';

describe.each(sets)('%s', (_, modules) => {
  describe.each(Object.entries(cpuKernels))('%s', (name, kernel) => {
    const kernelName = name as CpuKernelName;
    const problem = fc.record({
      m: size(kernelName === 'sign nibbles' || kernelName === 'row' ? 3 : 20),
      k: size(300),
      n: size(140),
      distribution: fc.constantFrom<DistributionName[]>(...kernel.weights),
      seed: fc.constantFrom(0, 1, 2 ** 32 - 1, Number.MAX_SAFE_INTEGER),
      tensor: fc.integer({ min: 0, max: 5 }),
    });

    it('is its twin over 200 shapes', async () => {
      const machine = await Machine.create(modules);
      for (const [i, { m, k, n, distribution, seed, tensor }] of samples(problem, 200).entries()) {
        const weights: WeightSpec = { seed, tensor, distribution };
        const x = numbers(m * k, i);
        const got = run(machine, () => randomMatmul(machine, { m, k, n, weights }, { kernel: kernelName }), x, m * n);
        const what = `${m}x${k}x${n} ${distribution} ${seed} ${tensor}`;
        expectClose(got, twin({ m, k, n, weights, x }), tolerance(kernelName, distribution, k, x), what);
      }
    });

    it('is its twin on long rows', async () => {
      const machine = await Machine.create(modules);
      for (const [i, [m, k, n]] of (
        [
          [1, 4100, 37],
          [2, 2049, 16],
          [3, 5000, 9],
        ] as const
      ).entries()) {
        for (const distribution of kernel.weights) {
          const weights: WeightSpec = { seed: 3, tensor: i, distribution };
          const x = numbers(m * k, i);
          const got = run(machine, () => randomMatmul(machine, { m, k, n, weights }, { kernel: kernelName }), x, m * n);
          const what = `${m}x${k}x${n} ${distribution}`;
          expectClose(got, twin({ m, k, n, weights, x }), tolerance(kernelName, distribution, k, x), what);
        }
      }
    });

    it('a slice of the units is that slice of the whole', async () => {
      const machine = await Machine.create(modules);
      for (const distribution of kernel.weights) {
        const [m, k, n] = [2, 150, 300];
        const weights: WeightSpec = { seed: 5, tensor: 1, distribution };
        const x = numbers(m * k, 9);
        const whole = run(machine, () => randomMatmul(machine, { m, k, n, weights }, { kernel: kernelName }), x, m * n);
        const [from, count] = [101, 180];
        const part = { m, k, n: count, weights, from };
        const got = run(machine, () => randomMatmul(machine, part, { kernel: kernelName }), x, m * count);
        for (let row = 0; row < m; row++) {
          expectSame(
            got.subarray(row * count, (row + 1) * count),
            whole.subarray(row * n + from, row * n + from + count),
            distribution,
          );
        }
      }
    });
  });

  describe('weights', () => {
    it.each(distributionNames)(
      '%s: bit for bit those of the specification, from every kernel',
      async (distribution) => {
        const machine = await Machine.create(modules);
        const [k, n] = [141, 53];
        const weights: WeightSpec = { seed: 12345678901, tensor: 3, distribution };
        const want = integerWeights(weights, [0, k], [0, n], k);
        // A row with one 1 / scale in it gives the weights of that input, rounded once; four of them at a time.
        const scale = weightScale(distribution, k);
        for (const [name, kernel] of Object.entries(cpuKernels)) {
          if (!(kernel.weights as readonly string[]).includes(distribution)) continue;
          for (let first = 0; first < k; first += 4) {
            const m = Math.min(4, k - first);
            const x = new Float32Array(m * k);
            for (let row = 0; row < m; row++) x[row * k + first + row] = 1;
            const got = run(
              machine,
              () => randomMatmul(machine, { m, k, n, weights }, { kernel: name as CpuKernelName }),
              x,
              m * n,
            );
            const exact = Float32Array.from({ length: m * n }, (_, i) => {
              return Math.fround(scale * want[(first + Math.floor(i / n)) * n + (i % n)]!) + 0;
            });
            expectSame(
              got.map((value) => value + 0),
              exact,
              `${name} input ${first}`,
            );
          }
        }
      },
    );
  });

  describe('transposed', () => {
    it('is its twin over 200 shapes, every distribution', async () => {
      const machine = await wholeMachine(modules);
      const problem = fc.record({
        m: size(20),
        k: size(140),
        n: size(300),
        distribution: fc.constantFrom(...distributionNames),
        seed: fc.constantFrom(0, 7),
        tensor: fc.integer({ min: 0, max: 5 }),
      });
      for (const [i, { m, k, n, distribution, seed, tensor }] of samples(problem, 200).entries()) {
        const weights: WeightSpec = { seed, tensor, distribution };
        const dz = numbers(m * n, i);
        const got = run(machine, () => randomMatmulTransposed(machine, { m, k, n, weights }), dz, m * k);
        const want = transposedTwin({ m, k, n, weights, dz });
        // Each of n products of |r| <= 3 / sqrt(k) (orthogonal: 1 at most, its sums of like size).
        const absolute =
          distribution === 'orthogonal' ? 60 * 2 ** -24 * Math.hypot(...dz) : (sumError(n) * 3 * n) / Math.sqrt(k);
        expectClose(got, want, { absolute: absolute + 1e-30, reason: 'f32 sums' }, `${m}x${k}x${n} ${distribution}`);
      }
    });
  });

  describe('the inputs of a row', () => {
    const [k, n] = [1600, 21];
    const weights: WeightSpec = { seed: 9, tensor: 0, distribution: 'normal' };
    const row = async (x: Float32Array) => {
      const machine = await Machine.create(modules);
      return run(machine, () => randomMatmul(machine, { m: 1, k, n, weights }, { kernel: 'row' }), x, n);
    };
    const largest = (x: Float32Array) => Math.max(...x.map(Math.abs));

    it('may be mostly zeros, wherever they stand', async () => {
      for (const step of [3, 7, 64, 1599]) {
        const x = numbers(k, step).map((value, i) => (i % step === step - 1 ? value : i % 2 ? 0 : -0));
        expectClose(await row(x), twin({ m: 1, k, n, weights, x }), tolerance('row', 'normal', k, x), `every ${step}`);
      }
      expectSame(await row(new Float32Array(k)), new Float32Array(n), 'nothing but zeros');
    });

    it('may be of any size: a sum is off by 2^-23 of what k inputs like the largest make, at most', async () => {
      for (const exponent of [-120, -90, -30, 0, 30, 100]) {
        // Blocks of very different sizes, and in each a few that outweigh the rest.
        const x = numbers(k, exponent + 200).map((value, i) => {
          return value * 2 ** (exponent - (i >> 9)) * (i % 97 === 5 ? 1000 : 1);
        });
        const close = { absolute: 2 ** -23 * 3 * Math.sqrt(k) * largest(x) + 2 ** -126, reason: 'inputs of 30 bits' };
        expectClose(await row(x), twin({ m: 1, k, n, weights, x }), close, `2^${exponent}`);
      }
    });

    it('that are not finite leave no sum finite', async () => {
      for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const x = numbers(k, 1);
        x[1000] = odd;
        expect([...(await row(x))].some(Number.isFinite), `${odd}`).toBe(false);
      }
    });
  });
});

it('with relaxed SIMD, which x86 has, the results are the same, bit for bit', async () => {
  expect(all.relaxed !== undefined).toBe(process.arch === 'x64');
  const [strict, relaxed] = await Promise.all(sets.map(([, modules]) => Machine.create(modules)));
  const problem = fc.record({
    m: fc.constantFrom(1, 2, 7),
    k: size(5000),
    n: size(140),
    distribution: fc.constantFrom<DistributionName[]>('normal', 'uniform', 'sparse', 'binary'),
    seed: fc.integer({ min: 0 }),
  });
  for (const [i, { m, k, n, distribution, seed }] of samples(problem, 200).entries()) {
    const product = { m, k, n, weights: { seed, tensor: 1, distribution } };
    const x = numbers(m * k, i);
    const got = run(relaxed!, () => randomMatmul(relaxed!, product), x, m * n);
    const want = run(strict!, () => randomMatmul(strict!, product), x, m * n);
    expectSame(got, want, `${m}x${k}x${n} ${distribution} ${seed}`);
  }
});
