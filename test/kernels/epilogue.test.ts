/** The elementwise epilogue and its gradients: epilogue, epilogue_input_gradient, epilogue_parameter_gradient, bias_gradient. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { biasGradient } from '../../kernels/bias_gradient.ts';
import { epilogue } from '../../kernels/epilogue.ts';
import { epilogueInputGradient } from '../../kernels/epilogue_input_gradient.ts';
import { epilogueParameterGradient, parameterGradientParts } from '../../kernels/epilogue_parameter_gradient.ts';
import { activationNames } from '../../src/core/activations.ts';
import { biasGradient as biasGradientTwin } from '../../src/reference/bias_gradient.ts';
import { epilogue as epilogueTwin } from '../../src/reference/epilogue.ts';
import { epilogueInputGradient as inputGradientTwin } from '../../src/reference/epilogue_input_gradient.ts';
import { epilogueParameterGradient as parameterGradientTwin } from '../../src/reference/epilogue_parameter_gradient.ts';
import { type Case, checkCases, numbers, samples, size, sumError } from './harness.ts';

/** Rows and columns: of units, or many positions of few channels. */
const shapes = fc.oneof(
  { weight: 4, arbitrary: fc.record({ m: size(140), n: size(140) }) },
  { weight: 1, arbitrary: fc.record({ m: fc.integer({ min: 512, max: 5000 }), n: size(9) }) },
);
const problems = samples(
  fc.record({
    shape: shapes,
    activation: fc.constantFrom(...activationNames),
    form: fc.constantFrom('z', 'bias', 'scale and bias'),
    amplitude: fc.constantFrom(0.1, 1, 5, 40),
  }),
  240,
).map(({ shape, ...rest }) => ({ ...shape, ...rest }));

const made = problems.map(({ m, n, activation, form, amplitude }, i) => {
  // Away from the kink of relu, where f32 and f64 may fall on different sides.
  const z = numbers(m * n, i, amplitude).map((value) => (Math.abs(value) < 1e-3 ? 0.5 : value));
  const u = numbers(n, i + 1000).map((value) => value + 2);
  const b = new Float32Array(n).fill(0.25);
  const away = z.map((value, j) =>
    Math.abs(u[j % n]! * value + 0.25) < 1e-3 || Math.abs(value + 0.25) < 1e-3 ? 1 : value,
  );
  const dy = numbers(m * n, i + 3000);
  const used = form === 'z' ? {} : form === 'bias' ? { b } : { u, b };
  return { m, n, activation, z: away, u, b, dy, used, what: `${m}x${n} ${form} ${activation} x${amplitude}` };
});

const reason = 'exp and tanh of WGSL (absolute 1e-5), rounding of u * z';
/** What the rounding of a = u * z + b to f32 adds: cos passes it on, and its value does not grow with a as that of others does. */
const rounding = ({ activation, z, u }: (typeof made)[number]): number => {
  const largest = z.reduce((most, value, i) => Math.max(most, Math.abs(u[i % u.length]! * value)), 1);
  return activation === 'cos' ? largest * 2 ** -23 : 0;
};

describe('elementwise', () => {
  it('epilogue is its twin over 240 shapes', async () => {
    const cases = made.map(
      ({ m, n, activation, z, u, b, used, what }, i): Case => ({
        what,
        inputs: { z, u, b },
        outputs: {
          y: {
            want: epilogueTwin({ m, n, activation, z, ...used }),
            tolerance: { absolute: 1e-5 + rounding(made[i]!), relative: 1e-5, reason },
          },
        },
        dispatch: ({ z, u, b, y }) =>
          epilogue({ m, n, activation, z: z!, y: y!, ...('u' in used && { u: u! }), ...('b' in used && { b: b! }) }),
      }),
    );
    expect(await checkCases(cases)).toBe(240);
  });

  it('epilogue_input_gradient is its twin over 240 shapes', async () => {
    const cases = made.map(
      ({ m, n, activation, z, u, b, dy, used, what }, i): Case => ({
        what,
        inputs: { z, u, b, dy },
        outputs: {
          dz: {
            want: inputGradientTwin({ m, n, activation, z, dy, ...used }),
            tolerance: { absolute: 2e-5 + 3 * rounding(made[i]!), relative: 1e-5, reason },
          },
        },
        dispatch: ({ z, u, b, dy, dz }) =>
          epilogueInputGradient({
            m,
            n,
            activation,
            z: z!,
            dy: dy!,
            dz: dz!,
            ...('u' in used && { u: u! }),
            ...('b' in used && { b: b! }),
          }),
      }),
    );
    expect(await checkCases(cases)).toBe(240);
  });
});

describe('sums over the rows', () => {
  const partsOf = (m: number, n: number) => {
    const parts = new Float32Array(parameterGradientParts(m, n) * n);
    return { parts0: parts, parts1: parts };
  };
  it('epilogue_parameter_gradient is its twin over 240 shapes', async () => {
    const cases = made.map(({ m, n, activation, z, u, b, dy, what }, i): Case => {
      const { du, db } = parameterGradientTwin({ m, n, activation, z, u, b, dy });
      const largest = z.reduce((a, value) => Math.max(a, Math.abs(value)), 1);
      const error = 1.13 * sumError(m) * m + (1e-5 + rounding(made[i]!)) * m;
      return {
        what,
        inputs: { z, u, b, dy, ...partsOf(m, n) },
        outputs: {
          du: { want: du, tolerance: { absolute: error * largest, reason } },
          db: { want: db, tolerance: { absolute: error, reason } },
        },
        dispatch: ({ z, u, b, dy, du, db, parts0, parts1 }) =>
          epilogueParameterGradient({ m, n, activation, z: z!, u: u!, b: b!, dy: dy!, du: du!, db: db! }, [
            parts0!,
            parts1!,
          ]),
      };
    });
    expect(await checkCases(cases)).toBe(240);
  });

  it('bias_gradient is its twin over 240 shapes', async () => {
    const cases = made.map(
      ({ m, n, activation, z, b, dy, what }, i): Case => ({
        what,
        inputs: { z, b, dy, ...partsOf(m, n) },
        outputs: {
          db: {
            want: biasGradientTwin({ m, n, activation, z, b, dy }),
            tolerance: { absolute: 1.13 * sumError(m) * m + (1e-5 + rounding(made[i]!)) * m, reason },
          },
        },
        dispatch: ({ z, b, dy, db, parts0 }) =>
          biasGradient({ m, n, activation, z: z!, b: b!, dy: dy!, db: db! }, [parts0!]),
      }),
    );
    expect(await checkCases(cases)).toBe(240);
  });
});

it('cos and its slope hold 1e-6 up to 8192, whatever the device makes of cos itself', async () => {
  const z = numbers(4096, 1, 8192);
  const tolerance = { absolute: 1e-6, reason: 'a polynomial (2e-7), and fused or unfused differences from a' };
  const args = { m: 64, n: 64, activation: 'cos', z } as const;
  const dy = new Float32Array(4096).fill(1);
  await checkCases([
    {
      what: 'cos',
      inputs: { z },
      outputs: { y: { want: epilogueTwin(args), tolerance } },
      dispatch: ({ z, y }) => epilogue({ ...args, z: z!, y: y! }),
    },
    {
      what: 'slope of cos',
      inputs: { z, dy },
      outputs: { dz: { want: inputGradientTwin({ ...args, dy }), tolerance } },
      dispatch: ({ z, dy, dz }) => epilogueInputGradient({ ...args, z: z!, dy: dy!, dz: dz! }),
    },
  ]);
});

it('stays finite far out: every activation and its slope at +-1e4', async () => {
  const z = Float32Array.of(-1e4, -100, -20, 20, 100, 1e4);
  const cases = activationNames.flatMap((activation): Case[] => {
    const args = { m: 1, n: 6, activation, z };
    const tolerance = { absolute: 1e-5, relative: 1e-6, reason };
    return [
      {
        what: activation,
        inputs: { z },
        outputs: { y: { want: epilogueTwin(args), tolerance } },
        dispatch: ({ z, y }) => epilogue({ m: 1, n: 6, activation, z: z!, y: y! }),
      },
      {
        what: `${activation} slope`,
        inputs: { z, dy: new Float32Array(6).fill(1) },
        outputs: { dz: { want: inputGradientTwin({ ...args, dy: new Float32Array(6).fill(1) }), tolerance } },
        dispatch: ({ z, dy, dz }) => epilogueInputGradient({ m: 1, n: 6, activation, z: z!, dy: dy!, dz: dz! }),
      },
    ];
  });
  await checkCases(cases);
});
