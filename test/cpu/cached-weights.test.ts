import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { OutOfMemoryError } from '../../src/core/errors.ts';
import { CachedWeights, cacheBytes } from '../../src/cpu/cached-weights.ts';
import { CpuForward } from '../../src/cpu/forward.ts';
import { Machine } from '../../src/cpu/machine.ts';
import { planCaches } from '../../src/cpu/plan-caches.ts';
import { type Call, cpuKernels, type RandomProduct, randomMatmul } from '../../src/cpu/random_matmul.ts';
import { dense, halfDense } from '../../src/layers/dense.ts';
import { forwardGraph } from '../../src/model/model.ts';
import { randomMatmul as twin } from '../../src/reference/random_matmul.ts';
import type { WeightSpec } from '../../src/weights/distributions.ts';
import { expectClose, expectSame } from '../compare.ts';
import { numbers, samples, size } from '../kernels/harness.ts';
import { cpu, modelOf, tolerance as modelTolerance, reference } from './models.ts';
import { run, sets, tolerance } from './random-products.ts';

describe.each(sets)('%s', (_, modules) => {
  const kinds = cpuKernels.row.weights;
  const cached = (machine: Machine, product: RandomProduct) =>
    randomMatmul(machine, product, {}, new CachedWeights(machine, product));
  /** Two calls on the same memory: from the second on, weights are cached. */
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
        twice(() => cached(machine, product)),
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
            twice(() => cached(machine, product)),
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
    const calls = products.map((product) => cached(machine, product));
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
    const keep = vi.spyOn(machine.kernels, 'cacheIntegers');
    const product = { m: 1, k: 30, n: 5, weights: { seed: 1, tensor: 0, distribution: 'normal' } } as const;
    const call = cached(machine, product);
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
      const cache = new CachedWeights(machine, whole);
      const x = numbers(k, k);
      machine.decodeAs('normal');
      expect(cache.address()).toBe(0);
      expect(cache.address()).toBeGreaterThan(0);
      const want = run(machine, () => randomMatmul(machine, part), x, 32);
      for (const product of [whole, part]) {
        const got = run(machine, () => randomMatmul(machine, product, {}, cache), x, product.n);
        expectSame(got.subarray(0, 32), want, `${k} inputs, ${product.n} units`);
      }
    }
  });

  it('takes a byte a weight, rounded up to 4 inputs of each block and 16 units; others keep nothing', async () => {
    const machine = await Machine.create(modules);
    const weights: WeightSpec = { seed: 1, tensor: 0, distribution: 'normal' };
    expect(cacheBytes({ m: 1, k: 130, n: 33, weights })).toBe(132 * 48);
    expect(cacheBytes({ m: 1, k: 1025, n: 16, weights })).toBe(1032 * 16);
    expect(cacheBytes({ m: 2, k: 130, n: 33, weights })).toBeUndefined();
    for (const distribution of ['binary', 'orthogonal'] as const) {
      expect(cacheBytes({ m: 1, k: 130, n: 33, weights: { ...weights, distribution } })).toBeUndefined();
    }
    const call = cached(machine, { m: 1, k: 4096, n: 1024, weights });
    const [from, to] = [machine.place(numbers(4096, 1)), machine.allocate(4096)];
    call(from, to);
    const before = machine.mark();
    call(from, to);
    call(from, to);
    const cache = machine.mark() - before;
    expect(cache).toBeGreaterThanOrEqual(2 ** 22);
    expect(cache).toBeLessThan(2 ** 22 + 2 ** 14); // and keys
  });
});

describe('keepWeights', () => {
  const model = modelOf([halfDense({ units: 1024 }), halfDense({ units: 2048 }), dense({ units: 10 })], 1024);
  const size = 2 ** 20; // of the first layer; of the second it is twice that

  it('keeps the layers that fit, for single rows, and predicts the same', async () => {
    const x = numbers(1024, 1);
    const want = reference(model, x, 1);
    const bytes: number[] = [];
    for (const keepWeights of [0, size, 3 * size - 1, 3 * size, Number.POSITIVE_INFINITY]) {
      const forward = await CpuForward.create(await cpu(2, keepWeights), model);
      for (const rows of [1, 3, 1, 1]) {
        const got = await forward.compute(Float32Array.from({ length: rows * 1024 }, (_, i) => x[i % 1024]!));
        for (let row = 0; row < rows; row++) expectClose(got.subarray(10 * row, 10 * row + 10), want, modelTolerance);
      }
      bytes.push(forward.memoryBytes);
      await forward.dispose();
    }
    const more = bytes.map((count) => Math.round((count - bytes[0]!) / size));
    expect(more).toEqual([0, 1, 1, 3, 3]);
  });

  it('is planned for this thread, layer by layer, then for the slices of others', async () => {
    const large = modelOf(
      [halfDense({ units: 4096 }), halfDense({ units: 4096 }), halfDense({ units: 8, weights: 'binary' })],
      1024,
    );
    const { nodes } = forwardGraph(large, 1).graph;
    const pool = await (await cpu(2)).pool();
    const planned = (bytes: number) =>
      [...planCaches(nodes, bytes, pool).values()].map(({ there }) => (there ? 'shared' : 'here'));
    expect(planned(0)).toEqual([]);
    expect(planned(4 * size)).toEqual(['here']);
    expect(planned(5 * size)).toEqual(['shared']);
    expect(planned(20 * size - 1)).toEqual(['shared']);
    expect(planned(20 * size)).toEqual(['here', 'here']);
    expect(planned(21 * size)).toEqual(['shared', 'here']);
    expect(planned(28 * size - 1)).toEqual(['shared', 'here']);
    expect(planned(28 * size)).toEqual(['shared', 'shared']);
    expect([...planCaches(forwardGraph(large, 2).graph.nodes, 28 * size, pool)]).toEqual([]);
  });

  it('computes on without, where memory is short', async () => {
    const machine = await (await cpu()).machine();
    vi.spyOn(machine, 'allocate').mockImplementation(function (this: typeof machine, bytes: number) {
      if (bytes > 2 ** 20) throw new OutOfMemoryError('no more');
      return Object.getPrototypeOf(machine).allocate.call(machine, bytes);
    });
    const product = { m: 1, k: 1024, n: 1024, weights: { seed: 1, tensor: 0, distribution: 'normal' } } as const;
    const [from, to] = [machine.place(numbers(1024, 1)), machine.allocate(4096)];
    const cached = randomMatmul(machine, product, {}, new CachedWeights(machine, product));
    for (let i = 0; i < 3; i++) cached(from, to);
    const got = machine.floats(to, 1024).slice();
    randomMatmul(machine, product)(from, to);
    expectSame(got, machine.floats(to, 1024));
  });
});
