/** Random kernels along signals on the CPU, held to the twin of the GPU's kernel. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { integers } from '../../src/conformance/case.ts';
import { signalPools } from '../../src/core/signal-pools.ts';
import { type KernelPools, randomKernels } from '../../src/cpu/random_kernels.ts';
import { randomKernels as twin } from '../../src/reference/random_kernels.ts';
import { elementwiseNames } from '../../src/weights/distributions.ts';
import { expectClose, expectSame } from '../compare.ts';
import { numbers, samples, size } from '../kernels/harness.ts';
import { onRuined, outputOf, wholeMachine } from './machine.ts';

const machine = await wholeMachine();

const problems = samples(
  fc.record({
    m: size(9),
    n: size(40),
    length: size(200),
    channels: fc.oneof(fc.constant(1), size(14)),
    taps: fc.oneof(fc.constant(9), fc.integer({ min: 2, max: 15 })),
    distribution: fc.constantFrom(...elementwiseNames),
    seed: fc.constantFrom(0, 1, 2 ** 32 - 1, Number.MAX_SAFE_INTEGER),
    tensor: fc.integer({ min: 0, max: 5 }),
    pools: fc.subarray([...signalPools], { minLength: 1 }),
  }),
  160,
  5,
).map(({ m, n, pools, ...weights }): KernelPools => ({ m, n, pools, weights }));

const what = ({ m, n, pools, weights: { distribution, length, channels, taps } }: KernelPools) =>
  `${m} x ${length}x${channels}, ${n} kernels of ${taps} taps, ${distribution}, ${pools}`;

/** Runs twice on memory full of NaN, the second time on the given numbers; what lies behind the output must stay. */
const features = (p: KernelPools, x: Float32Array, b: Float32Array): Float32Array =>
  onRuined(machine, () => {
    const call = randomKernels(machine, p);
    const { at, read } = outputOf(machine, p.m * p.pools.length * p.n);
    const bias = machine.place(b);
    call(machine.place(x.map(() => 7)), bias, at);
    call(machine.place(x), bias, at);
    return read();
  });

describe('160 shapes', () => {
  it('random_kernels is its twin; with signals of whole numbers, to the last position', () => {
    for (const [i, p] of problems.entries()) {
      const x = integers(p.m * p.weights.length * p.weights.channels, i, 9);
      const b = numbers(p.n, i + 1000, 2);
      const tolerance = { absolute: 4e-6, relative: 1e-6, reason: 'f32; less than one position of a signal' };
      expectClose(features(p, x, b), twin({ ...p, x, b }), tolerance, what(p));
    }
  });
});

it('computes a slice of a bank as in the whole bank, bit for bit', () => {
  const weights = { seed: 3, tensor: 1, distribution: 'normal', taps: 9, length: 70, channels: 3 } as const;
  const [m, pools] = [3, ['ppv'] as const];
  const [x, b] = [numbers(m * 210, 1), numbers(20, 2)];
  const whole = features({ m, n: 20, weights, pools }, x, b);
  const slice = features({ m, n: 6, weights, pools, from: 8 }, x, b.slice(8, 14));
  for (let row = 0; row < m; row++) {
    expectSame(slice.subarray(6 * row, 6 * row + 6), whole.subarray(20 * row + 8, 20 * row + 14), `row ${row}`);
  }
  expect(new Set(whole).size).toBeGreaterThan(10);
});
