/** Convolutions: pad_image, random_conv, random_conv_transposed, conv, conv_input_gradient. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conv } from '../../kernels/conv.ts';
import { convInputGradient } from '../../kernels/conv_input_gradient.ts';
import { convWeightGradient, weightGradientSlices } from '../../kernels/conv_weight_gradient.ts';
import type { Dispatch } from '../../kernels/dispatch.ts';
import { type Border, isBare, paddedSize, padImage } from '../../kernels/pad_image.ts';
import { randomConv } from '../../kernels/random_conv.ts';
import { randomConvTransposed } from '../../kernels/random_conv_transposed.ts';
import { gradientBorder, windowBorder } from '../../kernels/window_tile.ts';
import { imageSize, type Window, windowCounts, windowSize } from '../../src/core/window.ts';
import type { BufferSlice } from '../../src/gpu/kernel.ts';
import { conv as convTwin } from '../../src/reference/conv.ts';
import { convInputGradient as inputGradientTwin } from '../../src/reference/conv_input_gradient.ts';
import { convWeightGradient as weightGradientTwin } from '../../src/reference/conv_weight_gradient.ts';
import { epilogue } from '../../src/reference/epilogue.ts';
import { padImage as padTwin } from '../../src/reference/pad_image.ts';
import { randomConv as randomConvTwin } from '../../src/reference/random_conv.ts';
import { randomConvTransposed as transposedTwin } from '../../src/reference/random_conv_transposed.ts';
import { positionsOf } from '../../src/reference/windows.ts';
import { elementwiseNames, integerWeights, weightScale } from '../../src/weights/distributions.ts';
import { unitKeys } from '../../src/weights/stream.ts';
import { type Case, checkCases, numbers, samples, size, sumError, tails } from './harness.ts';
import { what, windows } from './windows.ts';

/** The fragment of all kernels: random_matmul.test.ts has every one of them. */
const ends = tails(elementwiseNames, ['gelu', 'relu', 'tanh']);

const generated = samples(
  fc.record({
    rows: fc.integer({ min: 1, max: 5 }),
    window: windows,
    filters: fc.oneof(size(20), fc.constantFrom(4, 8, 16)),
    tail: fc.constantFrom(...ends),
    seed: fc.constantFrom(0, 1, 2 ** 32 - 1, Number.MAX_SAFE_INTEGER),
  }),
  240,
  3,
);
const problems = generated.map(({ tail, ...rest }) => ({ ...rest, ...tail }));

/** A launch on images with their border: padded first where there is one. */
function padded(
  args: { rows: number; height: number; width: number; channels: number; border: Border },
  x: BufferSlice,
  room: BufferSlice,
  launch: (x: BufferSlice) => Dispatch<BufferSlice> | Dispatch<BufferSlice>[],
): Dispatch<BufferSlice>[] {
  if (isBare(args.border)) return [launch(x)].flat();
  return [padImage({ ...args, x, out: room }), launch(room)].flat();
}

const outputImage = (window: Window, channels: number) => {
  const [height, width] = windowCounts(window);
  return { height, width, channels };
};

it('generates every distribution, and windows of all kinds', () => {
  expect(new Set(generated.map(({ tail }) => tail)).size).toBe(ends.length);
  const count = (test: (w: Window) => boolean) => problems.filter(({ window }) => test(window)).length;
  for (const test of [
    (w: Window) => w.height === 1 && w.kernel[0] === 1,
    (w: Window) => w.stride[0] > w.kernel[0],
    (w: Window) => w.stride[0] !== w.stride[1],
    (w: Window) => w.dilation[1] > 1 && w.kernel[1] > 1 && w.stride[1] > 1,
    (w: Window) => w.padding[1] > w.dilation[1] * (w.kernel[1] - 1),
    (w: Window) => (w.kernel[1] * w.channels) % 4 !== 0,
  ]) {
    expect(count(test)).toBeGreaterThan(5);
  }
});

it('pad_image is its twin over 240 shapes', async () => {
  const cases = problems.map(({ rows, window: { height, width, channels, padding, kernel } }, i): Case => {
    const border = { top: padding[0], bottom: kernel[0] - 1, left: padding[1] * (i % 7), right: kernel[1] - 1 };
    const args = { rows, height, width, channels, border };
    const x = numbers(rows * height * width * channels, i);
    return {
      what: JSON.stringify(args),
      inputs: { x },
      outputs: { out: { want: Float32Array.from(padTwin({ ...args, x })) } },
      dispatch: ({ x, out }) => padImage({ ...args, x: x!, out: out! }),
    };
  });
  expect(await checkCases(cases)).toBe(240);
});

// The products of a sum add up to |r| |x| at most: |r| <= 3 (one weight of normal), |x| <= sqrt(k). |u| <= 2, and no activation
// here is steeper than 1.13 (gelu).
const forwardTolerance = (k: number) => ({
  absolute: 1.13 * 2 * sumError(k) * 3 * Math.sqrt(k) + 4e-6,
  reason: 'f32 sum over the window, exp and tanh of WGSL',
});

describe('forward', () => {
  it('random_conv is its twin over 240 shapes, every distribution and epilogue', async () => {
    const cases = problems.map((p, i): Case => {
      const { window, filters, distribution, activation, form, seed } = p;
      const rows = i % 6 === 1 ? 9 * p.rows : p.rows; // several tiles
      const weights = { seed, tensor: i % 3, distribution };
      const x = numbers(rows * imageSize(window), i);
      const [u, b] = [numbers(filters, i + 1000, 2), numbers(filters, i + 2000, 2)];
      const z = randomConvTwin({ rows, window, filters, weights, x });
      const used = form === 'z' ? undefined : { b, ...(form === 'bias' ? {} : { u }) };
      const m = positionsOf(rows, window);
      const border = windowBorder(window);
      return {
        what: `${what({ ...p, rows })}, ${distribution} ${form} ${activation}`,
        inputs: {
          x,
          u,
          b,
          keys: unitKeys(seed, weights.tensor, filters),
          room: new Float32Array(rows * paddedSize(window, border)),
        },
        outputs: {
          y: {
            want: used ? epilogue({ m, n: filters, z, ...used, activation }) : z,
            tolerance: forwardTolerance(windowSize(window)),
          },
        },
        dispatch: ({ x, u, b, keys, room, y }) =>
          padded({ rows, ...window, border }, x!, room!, (x) =>
            randomConv({
              rows,
              window,
              filters,
              weights: distribution,
              ...(i % 2 && { groups: 1 + (i % 3) }), // fewer workgroups than tiles
              x,
              keys: keys!,
              y: y!,
              ...(used && { epilogue: { b: b!, ...('u' in used && { u: u! }), activation } }),
            }),
          ),
      };
    });
    expect(await checkCases(cases)).toBe(240);
  });

  it('conv is its twin over 240 shapes', async () => {
    const cases = problems.map((p, i): Case => {
      const { rows, window, filters, activation, form } = p;
      const x = numbers(rows * imageSize(window), i);
      const k = windowSize(window);
      const w = numbers(k * filters, i + 3000, 3 / Math.sqrt(k));
      const b = numbers(filters, i + 2000, 2);
      const z = convTwin({ rows, window, filters, x, w });
      const m = positionsOf(rows, window);
      const border = windowBorder(window);
      return {
        what: `${what(p)}, ${form} ${activation}`,
        inputs: { x, w, b, room: new Float32Array(rows * paddedSize(window, border)) },
        outputs: {
          y: {
            want: form === 'z' ? z : epilogue({ m, n: filters, z, b, activation }),
            tolerance: forwardTolerance(k),
          },
        },
        dispatch: ({ x, w, b, room, y }) =>
          padded({ rows, ...window, border }, x!, room!, (x) =>
            conv({
              rows,
              window,
              filters,
              x,
              w: w!,
              y: y!,
              ...(form !== 'z' && { epilogue: { b: b!, activation } }),
            }),
          ),
      };
    });
    expect(await checkCases(cases)).toBe(240);
  });

  it.each(elementwiseNames)('random_conv sums integers exactly: %s with integer inputs', async (distribution) => {
    const cases = problems.slice(0, 40).map((p, i): Case => {
      const { rows, window, filters } = p;
      const x = numbers(rows * imageSize(window), i).map((value) => Math.round(20 * value));
      const w = integerWeights({ seed: 9, tensor: 1, distribution }, [0, windowSize(window)], [0, filters]);
      const border = windowBorder(window);
      return {
        what: `${what(p)} ${distribution}`,
        inputs: {
          x,
          keys: unitKeys(9, 1, filters),
          room: new Float32Array(rows * paddedSize(window, border)),
        },
        outputs: { y: { want: convTwin({ rows, window, filters, x, w }).map((value) => value + 0) } },
        dispatch: ({ x, keys, room, y }) =>
          padded({ rows, ...window, border }, x!, room!, (x) => {
            const made = randomConv({ rows, window, filters, weights: distribution, x, keys: keys!, y: y! });
            return { ...made, params: { ...made.params, scale: 1 } };
          }),
      };
    });
    await checkCases(cases);
  });
});

describe('input gradient', () => {
  const tolerance = (window: Window, filters: number, largest: number) => {
    const terms = window.kernel[0] * window.kernel[1] * filters;
    return { absolute: sumError(terms) * terms * largest * 0.5 + 1e-7, reason: 'f32 sum over taps and filters' };
  };

  it('random_conv_transposed is its twin over 240 shapes and every distribution: the same filters', async () => {
    const cases = problems.map((p, i): Case => {
      const { rows, window, filters, distribution, seed } = p;
      const weights = { seed, tensor: i % 3, distribution };
      const dz = numbers(positionsOf(rows, window) * filters, i);
      const k = windowSize(window);
      const border = gradientBorder(window);
      const image = outputImage(window, filters);
      return {
        what: `${what(p)}, ${distribution}`,
        inputs: {
          dz,
          keys: unitKeys(seed, weights.tensor, filters),
          room: new Float32Array(rows * paddedSize(image, border)),
        },
        outputs: {
          dx: {
            want: transposedTwin({ rows, window, filters, weights, dz }),
            tolerance: tolerance(window, filters, Math.min(127 * weightScale(distribution, k), 3.5 / Math.sqrt(k))),
          },
        },
        dispatch: ({ dz, keys, room, dx }) =>
          padded({ rows, ...image, border }, dz!, room!, (dz) =>
            randomConvTransposed({
              rows,
              window,
              filters,
              weights: distribution,
              ...(i % 2 && { groups: 1 }),
              dz,
              keys: keys!,
              dx: dx!,
            }),
          ),
      };
    });
    expect(await checkCases(cases)).toBe(240);
  });

  it('conv_input_gradient is its twin over 240 shapes', async () => {
    const cases = problems.map((p, i): Case => {
      const { rows, window, filters } = p;
      const dz = numbers(positionsOf(rows, window) * filters, i);
      const w = numbers(windowSize(window) * filters, i + 3000);
      const border = gradientBorder(window);
      const image = outputImage(window, filters);
      return {
        what: what(p),
        inputs: { dz, w, room: new Float32Array(rows * paddedSize(image, border)) },
        outputs: {
          dx: { want: inputGradientTwin({ rows, window, filters, dz, w }), tolerance: tolerance(window, filters, 1) },
        },
        dispatch: ({ dz, w, room, dx }) =>
          padded({ rows, ...image, border }, dz!, room!, (dz) =>
            convInputGradient({ rows, window, filters, dz, w: w!, dx: dx! }),
          ),
      };
    });
    expect(await checkCases(cases)).toBe(240);
  });
});

it('conv_weight_gradient is its twin over 240 shapes, in one slice and in many', async () => {
  const slices = new Set<number>();
  const cases = problems.map((p, i): Case => {
    const { window, filters } = p;
    const rows = i % 4 ? p.rows : 12 * p.rows;
    const positions = positionsOf(rows, window);
    const [x, dz] = [numbers(rows * imageSize(window), i), numbers(positions * filters, i + 1000)];
    const border = windowBorder(window);
    const size = windowSize(window) * filters;
    const parts = weightGradientSlices({ rows, window, filters });
    slices.add(parts);
    return {
      what: `${what({ ...p, rows })}, ${parts} slices`,
      inputs: {
        x,
        dz,
        room: new Float32Array(rows * paddedSize(window, border)),
        parts: new Float32Array(size * parts).fill(Number.NaN),
      },
      outputs: {
        dw: {
          want: weightGradientTwin({ rows, window, filters, x, dz }),
          tolerance: { absolute: sumError(positions) * positions * 0.5 + 1e-7, reason: 'f32 sum over positions' },
        },
      },
      dispatch: ({ x, dz, room, parts, dw }) =>
        padded({ rows, ...window, border }, x!, room!, (x) =>
          convWeightGradient({ rows, window, filters, x, dz: dz!, parts: parts!, dw: dw! }),
        ),
    };
  });
  expect(Math.max(...slices)).toBeGreaterThan(20);
  expect(await checkCases(cases)).toBe(240);
});
