/** Convolutions on the CPU, held to the twins of the GPU's kernels. */
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { imageSize, windowSize } from '../../src/core/window.ts';
import * as cpu from '../../src/cpu/convolution.ts';
import { conv } from '../../src/reference/conv.ts';
import { convInputGradient } from '../../src/reference/conv_input_gradient.ts';
import { convWeightGradient } from '../../src/reference/conv_weight_gradient.ts';
import { randomConv } from '../../src/reference/random_conv.ts';
import { randomConvTransposed } from '../../src/reference/random_conv_transposed.ts';
import { positionsOf } from '../../src/reference/windows.ts';
import { elementwiseNames, integerWeights, weightScale } from '../../src/weights/distributions.ts';
import { expectClose, expectSame } from '../compare.ts';
import { numbers, samples, size, sumError } from '../kernels/harness.ts';
import { what, windows } from '../kernels/windows.ts';
import { onRuined, outputOf, wholeMachine } from './machine.ts';

const machine = await wholeMachine();

const problems = samples(
  fc.record({
    rows: fc.integer({ min: 1, max: 5 }),
    window: windows,
    filters: fc.oneof(size(20), fc.constantFrom(4, 8, 16)),
    distribution: fc.constantFrom(...elementwiseNames),
    seed: fc.constantFrom(0, 1, 2 ** 32 - 1, Number.MAX_SAFE_INTEGER),
  }),
  240,
  3,
);

/** Runs a call twice on memory full of NaN, the second time on the given numbers; what lies behind the output must stay. */
const run = (make: () => (...places: number[]) => void, inputs: Float32Array[], outputs: number): Float32Array =>
  onRuined(machine, () => {
    const call = make();
    const places = inputs.map((input) => machine.place(input));
    const { at, read } = outputOf(machine, outputs);
    call(...places.map((place, i) => (i === 0 ? machine.place(inputs[i]!.map(() => 7)) : place)), at);
    call(...places, at);
    return read();
  });

const sums = (terms: number, largest: number) => ({
  absolute: sumError(terms) * terms * largest + 1e-7,
  reason: 'f32 sum of so many products',
});

describe('forward, 240 shapes', () => {
  it('conv is its twin', () => {
    for (const [i, p] of problems.entries()) {
      const { rows, window, filters } = p;
      const k = windowSize(window);
      const [x, w] = [numbers(rows * imageSize(window), i), numbers(k * filters, i + 3000)];
      const got = run(() => cpu.conv(machine, p), [x, w], positionsOf(rows, window) * filters);
      expectClose(got, conv({ rows, window, filters, x, w }), sums(k, 1), what(p));
    }
  });

  it('random_conv is its twin, every distribution', () => {
    for (const [i, p] of problems.entries()) {
      const { rows, window, filters, distribution, seed } = p;
      const weights = { seed, tensor: i % 3, distribution };
      const k = windowSize(window);
      const x = numbers(rows * imageSize(window), i);
      const got = run(() => cpu.randomConv(machine, { ...p, weights }), [x], positionsOf(rows, window) * filters);
      const largest = Math.min(127 * weightScale(distribution, k), 3.5 / Math.sqrt(k));
      expectClose(
        got,
        randomConv({ rows, window, filters, weights, x }),
        sums(k, largest),
        `${what(p)} ${distribution}`,
      );
    }
  });

  it.each(elementwiseNames)('random filters are those of the specification, rounded once: %s', (distribution) => {
    const [k, filters] = [141, 21];
    const weights = { seed: 12345678901, tensor: 3, distribution };
    // A row with a one in it gives the weights of that input.
    const x = Float32Array.from({ length: k * k }, (_, i) => (i % (k + 1) === 0 ? 1 : 0));
    const window = {
      ...{ height: 1, width: 1, channels: k },
      ...({ kernel: [1, 1], stride: [1, 1], padding: [0, 0], dilation: [1, 1] } as const),
    };
    const got = run(() => cpu.randomConv(machine, { rows: k, window, filters, weights }), [x], k * filters);
    const integers = integerWeights(weights, [0, k], [0, filters], k);
    expectSame(
      got.map((value) => value + 0),
      Float32Array.from(integers, (value) => Math.fround(weightScale(distribution, k) * value) + 0),
      distribution,
    );
  });
});

describe('gradients, 240 shapes', () => {
  it('conv_input_gradient is its twin', () => {
    for (const [i, p] of problems.entries()) {
      const { rows, window, filters } = p;
      const dz = numbers(positionsOf(rows, window) * filters, i);
      const w = numbers(windowSize(window) * filters, i + 3000);
      const got = run(() => cpu.convInputGradient(machine, p), [dz, w], rows * imageSize(window));
      const tolerance = sums(window.kernel[0] * window.kernel[1] * filters, 1);
      expectClose(got, convInputGradient({ rows, window, filters, dz, w }), tolerance, what(p));
    }
  });

  it('random_conv_transposed is its twin, every distribution: the same filters', () => {
    for (const [i, p] of problems.entries()) {
      const { rows, window, filters, distribution, seed } = p;
      const weights = { seed, tensor: i % 3, distribution };
      const k = windowSize(window);
      const dz = numbers(positionsOf(rows, window) * filters, i);
      const got = run(() => cpu.randomConvTransposed(machine, { ...p, weights }), [dz], rows * imageSize(window));
      const largest = Math.min(127 * weightScale(distribution, k), 3.5 / Math.sqrt(k));
      const tolerance = sums(window.kernel[0] * window.kernel[1] * filters, largest);
      expectClose(got, randomConvTransposed({ rows, window, filters, weights, dz }), tolerance, what(p));
    }
  });

  it('conv_weight_gradient is its twin', () => {
    for (const [i, p] of problems.entries()) {
      const { rows, window, filters } = p;
      const positions = positionsOf(rows, window);
      const [x, dz] = [numbers(rows * imageSize(window), i), numbers(positions * filters, i + 1000)];
      const got = run(() => cpu.convWeightGradient(machine, p), [x, dz], windowSize(window) * filters);
      expectClose(got, convWeightGradient({ rows, window, filters, x, dz }), sums(positions, 1), what(p));
    }
  });
});
