/** adam, sgd. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { adam } from '../../kernels/adam.ts';
import { sgd } from '../../kernels/sgd.ts';
import { adam as adamTwin } from '../../src/reference/adam.ts';
import { sgd as sgdTwin } from '../../src/reference/sgd.ts';
import { type Case, checkCases, numbers, samples, size } from './harness.ts';

const problems = samples(
  fc.record({
    count: fc.oneof(size(700), fc.constantFrom(4096, 5003)),
    step: fc.constantFrom(1, 2, 10, 1000, 100000),
    learningRate: fc.constantFrom(1e-4, 1e-3, 0.1),
    size: fc.constantFrom(1e-6, 1e-2, 1, 100),
  }),
  200,
);
/** The uniform of shaders/schedule.wgsl. */
const schedule = (learningRate: number, correction1 = 1, correction2 = 1) =>
  Float32Array.of(learningRate, correction1, correction2, 0);
const reason = 'f32 rounding of the moments, sqrt and division of WGSL (2.5 ulp)';

it('adam is its twin over 200 sizes, steps and scales', async () => {
  const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];
  const cases = problems.map(({ count, step, learningRate, size }, i): Case => {
    const weightDecay = [0, 0.01, 0.5][i % 3]!;
    const before = {
      value: numbers(count, i),
      moment1: numbers(count, i + 1000, size),
      moment2: numbers(count, i + 2000, size * size).map(Math.abs),
    };
    const gradient = numbers(count, i + 3000, size);
    const want = {
      value: Float64Array.from(before.value),
      moment1: Float64Array.from(before.moment1),
      moment2: Float64Array.from(before.moment2),
    };
    adamTwin({ beta1, beta2, epsilon, weightDecay, learningRate, step, gradient, ...want });
    return {
      what: `${count} step ${step} rate ${learningRate} size ${size}`,
      inputs: { gradient, schedule: schedule(learningRate, 1 - beta1 ** step, 1 - beta2 ** step) },
      outputs: {
        value: {
          want: want.value,
          initial: before.value,
          tolerance: { absolute: 2e-7 + 2e-4 * learningRate, relative: 1e-5, reason },
        },
        moment1: { want: want.moment1, initial: before.moment1, tolerance: { absolute: 2e-7 * size, reason } },
        moment2: { want: want.moment2, initial: before.moment2, tolerance: { absolute: 5e-7 * size * size, reason } },
      },
      dispatch: ({ schedule, value, gradient, moment1, moment2 }) =>
        adam({
          count,
          beta1,
          beta2,
          epsilon,
          weightDecay,
          schedule: schedule!,
          value: value!,
          gradient: gradient!,
          moment1: moment1!,
          moment2: moment2!,
        }),
    };
  });
  expect(await checkCases(cases)).toBe(200);
});

it('sgd is its twin over 200 sizes and scales', async () => {
  const cases = problems.map(({ count, learningRate, size }, i): Case => {
    const momentum = i % 2 ? 0.9 : 0;
    const before = { value: numbers(count, i), velocity: numbers(count, i + 1000, size) };
    const gradient = numbers(count, i + 3000, size);
    const want = { value: Float64Array.from(before.value), velocity: Float64Array.from(before.velocity) };
    sgdTwin({ momentum, learningRate, gradient, ...want });
    return {
      what: `${count} rate ${learningRate} size ${size}`,
      inputs: { gradient, schedule: schedule(learningRate) },
      outputs: {
        value: {
          want: want.value,
          initial: before.value,
          tolerance: { absolute: 3e-7 + 3e-7 * size, relative: 1e-6, reason },
        },
        velocity: { want: want.velocity, initial: before.velocity, tolerance: { absolute: 3e-7 * size, reason } },
      },
      dispatch: ({ schedule, value, gradient, velocity }) =>
        sgd({ count, momentum, schedule: schedule!, value: value!, gradient: gradient!, velocity: velocity! }),
    };
  });
  expect(await checkCases(cases)).toBe(200);
});

it('adam and sgd take each element once in a folded grid', async () => {
  const count = 5 * 256 + 9;
  const gradient = numbers(count, 1);
  const before = numbers(count, 2);
  const want = { value: Float64Array.from(before), velocity: new Float64Array(count) };
  sgdTwin({ momentum: 0.9, learningRate: 0.1, gradient, ...want });
  const mean = { value: Float64Array.from(before), moment1: new Float64Array(count), moment2: new Float64Array(count) };
  const constants = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 };
  adamTwin({ ...constants, learningRate: 0.1, step: 1, gradient, ...mean });
  const zeros = new Float32Array(count);
  const tolerance = { absolute: 3e-5, reason };
  const grid = [3, 2, 1] as const;
  await checkCases([
    {
      what: 'sgd',
      inputs: { gradient, schedule: schedule(0.1) },
      outputs: {
        value: { want: want.value, initial: before, tolerance },
        velocity: { want: want.velocity, initial: zeros, tolerance },
      },
      dispatch: ({ schedule, value, gradient, velocity }) => ({
        ...sgd({
          count,
          momentum: 0.9,
          schedule: schedule!,
          value: value!,
          gradient: gradient!,
          velocity: velocity!,
        }),
        grid,
      }),
    },
    {
      what: 'adam',
      inputs: { gradient, schedule: schedule(0.1, 0.1, 0.001) },
      outputs: {
        value: { want: mean.value, initial: before, tolerance },
        moment1: { want: mean.moment1, initial: zeros, tolerance },
        moment2: { want: mean.moment2, initial: zeros, tolerance },
      },
      dispatch: ({ schedule, value, gradient, moment1, moment2 }) => ({
        ...adam({
          count,
          ...constants,
          schedule: schedule!,
          value: value!,
          gradient: gradient!,
          moment1: moment1!,
          moment2: moment2!,
        }),
        grid,
      }),
    },
  ]);
});
