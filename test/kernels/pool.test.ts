/** What stands between convolutions: max_pool, average_pool and their gradients, dropout, add. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add } from '../../kernels/add.ts';
import { averagePool } from '../../kernels/average_pool.ts';
import { averagePoolGradient } from '../../kernels/average_pool_gradient.ts';
import { dropout } from '../../kernels/dropout.ts';
import { maxPool } from '../../kernels/max_pool.ts';
import { maxPoolGradient } from '../../kernels/max_pool_gradient.ts';
import { imageSize, type Window } from '../../src/core/window.ts';
import { add as addTwin } from '../../src/reference/add.ts';
import { averagePool as averagePoolTwin } from '../../src/reference/average_pool.ts';
import { averagePoolGradient as averagePoolGradientTwin } from '../../src/reference/average_pool_gradient.ts';
import { dropout as dropoutTwin } from '../../src/reference/dropout.ts';
import { maxPool as maxPoolTwin } from '../../src/reference/max_pool.ts';
import { maxPoolGradient as maxPoolGradientTwin } from '../../src/reference/max_pool_gradient.ts';
import { positionsOf } from '../../src/reference/windows.ts';
import { unitKeys } from '../../src/weights/stream.ts';
import { type Case, checkCases, numbers, samples, size } from './harness.ts';

const problems = samples(
  fc
    .record({
      rows: fc.integer({ min: 1, max: 6 }),
      height: fc.integer({ min: 1, max: 13 }),
      width: fc.integer({ min: 1, max: 37 }),
      channels: fc.constantFrom(1, 2, 3, 8, 17),
      kernel: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 })),
      stride: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
      steps: fc.constantFrom(1, 3, 1000), // few: many equal numbers in a window
    })
    .filter(({ height, width, kernel }) => kernel[0] <= height && kernel[1] <= width),
  220,
  2,
).map(({ rows, steps, ...sizes }, i) => {
  const window: Window = { ...sizes, padding: [0, 0], dilation: [1, 1] };
  const x = numbers(rows * imageSize(window), i).map((value) => Math.round(value * steps) / steps + 0); // no -0
  const dy = numbers(positionsOf(rows, window) * window.channels, i + 1000);
  return { rows, window, x, dy, what: JSON.stringify({ rows, steps, ...sizes }) };
});

const mean = (terms: number) => ({ absolute: (terms + 2) * 2 ** -24, reason: 'f32 sum of numbers up to 1' });

describe('pooling over 220 shapes, overlapping windows, gaps and equal numbers', () => {
  it('max_pool is its twin, bit for bit', async () => {
    const cases = problems.map(
      ({ rows, window, x, what }): Case => ({
        what,
        inputs: { x },
        outputs: { y: { want: Float32Array.from(maxPoolTwin({ rows, window, x }).y) } },
        dispatch: ({ x, y }) => maxPool({ rows, window, x: x!, y: y! }),
      }),
    );
    expect(await checkCases(cases)).toBe(220);
  });

  it('max_pool_gradient is its twin', async () => {
    const cases = problems.map(
      ({ rows, window, x, dy, what }): Case => ({
        what,
        inputs: { x, dy },
        outputs: { dx: { want: maxPoolGradientTwin({ rows, window, x, dy }), tolerance: mean(20) } },
        dispatch: ({ x, dy, dx }) => maxPoolGradient({ rows, window, x: x!, dy: dy!, dx: dx! }),
      }),
    );
    expect(await checkCases(cases)).toBe(220);
  });

  it('average_pool is its twin', async () => {
    const cases = problems.map(
      ({ rows, window, x, what }): Case => ({
        what,
        inputs: { x },
        outputs: { y: { want: averagePoolTwin({ rows, window, x }), tolerance: mean(20) } },
        dispatch: ({ x, y }) => averagePool({ rows, window, x: x!, y: y! }),
      }),
    );
    expect(await checkCases(cases)).toBe(220);
  });

  it('average_pool_gradient is its twin', async () => {
    const cases = problems.map(
      ({ rows, window, dy, what }): Case => ({
        what,
        inputs: { dy },
        outputs: { dx: { want: averagePoolGradientTwin({ rows, window, dy }), tolerance: mean(20) } },
        dispatch: ({ dy, dx }) => averagePoolGradient({ rows, window, dy: dy!, dx: dx! }),
      }),
    );
    expect(await checkCases(cases)).toBe(220);
  });
});

const counts = samples(fc.oneof(size(300), fc.integer({ min: 1, max: 5000 })), 200);

it('add is its twin over 200 sizes, bit for bit', async () => {
  const cases = counts.map((count, i): Case => {
    const [a, b] = [numbers(count, i), numbers(count, i + 1000)];
    return {
      what: `${count}`,
      inputs: { a, b },
      outputs: { c: { want: Float32Array.from(addTwin({ a, b })) } },
      dispatch: ({ a, b, c }) => add({ count, a: a!, b: b!, c: c! }),
    };
  });
  expect(await checkCases(cases)).toBe(200);
});

describe('dropout', () => {
  const cases = counts.map((count, i) => {
    const x = numbers(count, i).map((value) => value + 2);
    const [rate, step, mask] = [
      [0, 0.1, 0.5, 0.999][i % 4]!,
      [0, 1, 77, 2 ** 31 - 1][i % 5 && i % 4]!,
      { seed: i, tensor: i % 3 },
    ];
    return { count, x, rate, step, mask, want: dropoutTwin({ rate, mask, step, x }) };
  });

  it('is its twin over 200 sizes, rates, steps and layers', async () => {
    const checked = await checkCases(
      cases.map(
        ({ count, x, rate, step, mask, want }): Case => ({
          what: `${count} at ${rate}, step ${step}`,
          inputs: { x, keys: unitKeys(mask.seed, mask.tensor, 1), schedule: Uint32Array.of(0, 0, 0, 0, step) },
          outputs: {
            y: { want, tolerance: { absolute: 0, relative: 3e-7, reason: 'one f32 product by a rounded factor' } },
          },
          dispatch: ({ x, keys, schedule, y }) =>
            dropout({ count, rate, x: x!, keys: keys!, schedule: schedule!, y: y! }),
        }),
      ),
    );
    expect(checked).toBe(200);
  });

  it('drops its share, others at another step or in another layer', () => {
    const x = new Float64Array(20000).fill(1);
    const of = (step: number, tensor: number, rate = 0.3) => dropoutTwin({ rate, mask: { seed: 1, tensor }, step, x });
    const dropped = (y: Float64Array) => y.filter((value) => value === 0).length / y.length;
    const both = (a: Float64Array, b: Float64Array) => dropped(a.map((value, i) => value + b[i]!));
    // Standard deviation of a share of 0.3 over 20000: 0.0032; of 0.09: 0.002.
    for (const [step, tensor] of [
      [0, 0],
      [1, 0],
      [0, 1],
      [5, 7],
    ] as const) {
      expect(Math.abs(dropped(of(step, tensor)) - 0.3)).toBeLessThan(0.016);
    }
    for (const [step, tensor] of [
      [1, 0],
      [2, 0],
      [0, 1],
    ] as const) {
      expect(Math.abs(both(of(0, 0), of(step, tensor)) - 0.09)).toBeLessThan(0.01);
    }
    expect(dropped(of(3, 0, 0))).toBe(0);
  });
});
