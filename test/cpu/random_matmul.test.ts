import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { KeptWeights, keptBytes } from '../../src/cpu/kept-weights.ts';
import { Machine } from '../../src/cpu/machine.ts';
import { type KernelModules, kernelModules } from '../../src/cpu/module.ts';
import {
  type Call,
  type CpuKernelName,
  cpuKernels,
  type RandomProduct,
  randomMatmul,
  randomMatmulTransposed,
} from '../../src/cpu/random_matmul.ts';
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

const SENTINEL = 1234.5;

/** Runs a call on fresh memory that is full of NaN; what lies behind the output must stay. */
function run(machine: Machine, make: () => Call, input: Float32Array, outputs: number): Float32Array {
  const mark = machine.mark();
  const ruined = machine.allocate(1 << 20);
  machine.floats(ruined, 1 << 18).fill(Number.NaN);
  machine.release(mark);
  const call = make();
  const from = machine.place(input);
  const to = machine.allocate(4 * (outputs + 16));
  machine.floats(to, outputs + 16).fill(SENTINEL);
  call(from, to);
  const got = machine.floats(to, outputs + 16).slice();
  machine.release(mark);
  expect(
    got.subarray(outputs).every((value) => value === SENTINEL),
    'words behind the output are untouched',
  ).toBe(true);
  return got.subarray(0, outputs);
}

/**
 * Largest error: f32 sums of k products (|r| <= 3, `orthogonal` <= P^0.5 with log P more additions), and for nibbles the rounding
 * of the tables: half a step of 2^-19 of the largest sum of four, a quarter of k times.
 */
function tolerance(kernel: CpuKernelName | 'transposed', weights: DistributionName, k: number, x: Float32Array) {
  const norm = Math.hypot(...x);
  const largest = Math.max(...x.map(Math.abs));
  const sums = weights === 'orthogonal' ? 60 * 2 ** -24 * norm : sumError(k) * 3 * Math.sqrt(k) * largest;
  const tables = kernel === 'sign nibbles' ? (2 ** -21 * 4 * largest * Math.ceil(k / 4)) / Math.sqrt(k) : 0;
  return { absolute: sums + tables + 1e-30, reason: 'f32 sums; tables of 21 bits' };
}

const all = await kernelModules();
const sets: [string, KernelModules][] = [
  ['strict SIMD', { ...all, relaxed: undefined }],
  ['relaxed SIMD', all],
];

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

  describe('kept', () => {
    const kinds = cpuKernels.row.weights;
    const keeping = (machine: Machine, product: RandomProduct) =>
      randomMatmul(machine, product, {}, new KeptWeights(machine, product));
    /** Two calls on the same memory: from the second on, weights are kept. */
    const twice = (make: () => Call) => (): Call => {
      const call = make();
      return (from, to) => {
        call(from, to);
        call(from, to);
      };
    };

    it('is its twin over 200 shapes, and bit for bit what is generated anew', async () => {
      const machine = await Machine.create(modules);
      const problem = fc.record({
        k: size(1300),
        n: size(140),
        distribution: fc.constantFrom(...kinds),
        seed: fc.integer({ min: 0 }),
        zeros: fc.boolean(),
      });
      for (const [i, { k, n, distribution, seed, zeros }] of samples(problem, 200).entries()) {
        const weights: WeightSpec = { seed, tensor: 2, distribution };
        const product = { m: 1, k, n, weights, from: 5 };
        const x = numbers(k, i).map((value, j) => (zeros && j % 11 < 8 ? 0 : value || 1));
        const got = run(
          machine,
          twice(() => keeping(machine, product)),
          x,
          n,
        );
        const what = `${k}x${n} ${distribution} ${seed} ${zeros}`;
        const anew = run(machine, () => randomMatmul(machine, product), x, n);
        expectSame(got, anew, what);
        const want = twin({ m: 1, k, n: n + 5, weights, x }).subarray(5);
        expectClose(got, want, tolerance('row', distribution, k, x), what);
      }
    });

    it('is what is generated anew where the last block is short, or a single word', async () => {
      const machine = await Machine.create(modules);
      for (const distribution of kinds) {
        for (const k of [1, 2, 3, 4, 5, 508, 512, 513, 1021, 1024, 1025, 1536, 1537, 2052]) {
          for (const n of [1, 16, 17]) {
            const product = { m: 1, k, n, weights: { seed: 3, tensor: 0, distribution } };
            const x = numbers(k, k + n).map((value, i) => (i % 9 < 5 ? 0 : value));
            const got = run(
              machine,
              twice(() => keeping(machine, product)),
              x,
              n,
            );
            expectSame(
              got,
              run(machine, () => randomMatmul(machine, product), x, n),
              `${k}x${n} ${distribution}`,
            );
          }
        }
      }
    });

    it('is of each product its own, on one machine', async () => {
      const machine = await Machine.create(modules);
      const products = kinds.map((distribution, tensor) => {
        return { m: 1, k: 600, n: 20, weights: { seed: 5, tensor, distribution } };
      });
      const calls = products.map((product) => keeping(machine, product));
      const x = numbers(600, 1);
      const [from, to] = [machine.place(x), machine.allocate(4 * 20)];
      for (let time = 0; time < 3; time++) {
        for (const [i, product] of products.entries()) {
          calls[i]!(from, to);
          const got = machine.floats(to, 20).slice();
          expectSame(
            got,
            run(machine, () => randomMatmul(machine, product), x, 20),
            product.weights.distribution,
          );
        }
      }
    });

    it('is generated at the second call, and not again', async () => {
      const machine = await Machine.create(modules);
      const keep = vi.spyOn(machine.kernels, 'keepIntegers');
      const product = { m: 1, k: 30, n: 5, weights: { seed: 1, tensor: 0, distribution: 'normal' } } as const;
      const call = keeping(machine, product);
      const [from, to] = [machine.place(numbers(30, 1)), machine.allocate(20)];
      for (const times of [0, 1, 1]) {
        call(from, to);
        expect(keep).toHaveBeenCalledTimes(times);
      }
    });

    it('may hold units that follow', async () => {
      const machine = await Machine.create(modules);
      for (const k of [100, 1500]) {
        const whole = { m: 1, k, n: 70, weights: { seed: 1, tensor: 0, distribution: 'normal' } } as const;
        const part = { ...whole, n: 32 };
        const kept = new KeptWeights(machine, whole);
        const x = numbers(k, k);
        machine.decodeAs('normal');
        expect(kept.address()).toBe(0);
        expect(kept.address()).toBeGreaterThan(0);
        const want = run(machine, () => randomMatmul(machine, part), x, 32);
        for (const product of [whole, part]) {
          const got = run(machine, () => randomMatmul(machine, product, {}, kept), x, product.n);
          expectSame(got.subarray(0, 32), want, `${k} inputs, ${product.n} units`);
        }
      }
    });

    it('takes a byte a weight, rounded up to 4 inputs of each block and 16 units; others keep nothing', async () => {
      const machine = await Machine.create(modules);
      const weights: WeightSpec = { seed: 1, tensor: 0, distribution: 'normal' };
      expect(keptBytes({ m: 1, k: 130, n: 33, weights })).toBe(132 * 48);
      expect(keptBytes({ m: 1, k: 1025, n: 16, weights })).toBe(1032 * 16);
      expect(keptBytes({ m: 2, k: 130, n: 33, weights })).toBeUndefined();
      for (const distribution of ['binary', 'orthogonal'] as const) {
        expect(keptBytes({ m: 1, k: 130, n: 33, weights: { ...weights, distribution } })).toBeUndefined();
      }
      const call = keeping(machine, { m: 1, k: 4096, n: 1024, weights });
      const [from, to] = [machine.place(numbers(4096, 1)), machine.allocate(4096)];
      call(from, to);
      const before = machine.mark();
      call(from, to);
      call(from, to);
      const kept = machine.mark() - before;
      expect(kept).toBeGreaterThanOrEqual(2 ** 22);
      expect(kept).toBeLessThan(2 ** 22 + 2 ** 14); // and keys
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
