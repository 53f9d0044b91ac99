import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orthogonal, orthogonalShape } from '../../kernels/orthogonal.ts';
import { orthogonalPass } from '../../kernels/orthogonal_pass.ts';
import { orthogonalTransposed } from '../../kernels/orthogonal_transposed.ts';
import { sumBlocks } from '../../kernels/sum_blocks.ts';
import { epilogue } from '../../src/reference/epilogue.ts';
import { butterflies } from '../../src/reference/orthogonal_pass.ts';
import { randomMatmul } from '../../src/reference/random_matmul.ts';
import { randomMatmulTransposed } from '../../src/reference/random_matmul_transposed.ts';
import { sumBlocks as sumBlocksTwin } from '../../src/reference/sum_blocks.ts';
import { integerWeights } from '../../src/weights/distributions.ts';
import { orthogonalSigns } from '../../src/weights/orthogonal.ts';
import { unitKeys } from '../../src/weights/stream.ts';
import { type Case, checkCases, numbers, samples, size, sumError, tails } from './harness.ts';

/** Fan-ins on both sides of every power of two that a sum of a few thousand terms allows, and past a thousand units. */
const shapes = fc.record({
  m: size(9),
  k: fc.oneof(size(300), fc.constantFrom(127, 128, 129, 255, 256, 257, 511, 512, 513, 1000, 1024, 1025)),
  n: fc.oneof(size(300), fc.constantFrom(127, 128, 129, 256, 257, 384, 700)),
});
const scratchOf = (sizes: { m: number; k: number; n: number }) => {
  const words = orthogonalShape(sizes).scratchBytes / 4;
  return { a: new Uint32Array(words).fill(0x7fc0dead), b: new Uint32Array(words).fill(0x7fc0dead) };
};
/** Each of the log2 P additions that an element passes, three times, rounds a number of at most sqrt(P) times its size. */
const roundings = (p: number) => 4 * 3 * Math.log2(p) * 2 ** -24;

describe('orthogonal', () => {
  it('is its twin over 200 shapes, every epilogue', async () => {
    const problems = samples(
      fc.record({
        shape: shapes,
        tail: fc.constantFrom(...tails(['orthogonal'], ['gelu', 'relu'])),
        seed: fc.constantFrom(0, 2 ** 32 - 1, Number.MAX_SAFE_INTEGER),
      }),
      200,
    );
    const cases = problems.map(({ shape, tail: { activation, form }, seed }, i): Case => {
      const { m, k, n } = shape;
      const weights = { seed, tensor: i % 4, distribution: 'orthogonal' } as const;
      const x = numbers(m * k, i);
      const u = numbers(n, i + 1000, 2);
      const bias = numbers(n, i + 2000, 2);
      const z = randomMatmul({ m, k, n, weights, x });
      const args = form === 'z' ? undefined : { b: bias, ...(form === 'bias' ? {} : { u }) };
      const want = args ? epilogue({ m, n, z, ...args, activation }) : z;
      // All of a row's energy can meet in one element: |z| <= sqrt(P / K) |x|, |x| <= sqrt(K). |u| <= 2, slopes at most 1.13.
      const { p, blocks } = orthogonalShape(shape);
      const absolute = 1.13 * 2 * roundings(p) * Math.sqrt(p) + 4e-6;
      return {
        what: `${m}x${k}x${n} ${form} ${activation}`,
        inputs: { x, keys: unitKeys(weights.seed, weights.tensor, blocks), u, bias, ...scratchOf(shape) },
        outputs: { y: { want, tolerance: { absolute, reason: 'f32 sums of the transforms, exp and tanh of WGSL' } } },
        dispatch: ({ x, keys, u, bias, y, a, b }) => {
          const tail =
            form === 'z' ? {} : { epilogue: { b: bias!, ...(form === 'bias' ? {} : { u: u! }), activation } };
          return orthogonal({ ...shape, x: x!, keys: keys!, y: y!, ...tail }, [a!, b!]);
        },
      };
    });
    expect(await checkCases(cases)).toBe(200);
  });

  it('transposed, is its twin over 200 shapes: the same matrix', async () => {
    const cases = samples(shapes, 200, 2).map((shape, i): Case => {
      const { m, k, n } = shape;
      const weights = { seed: i, tensor: i % 3, distribution: 'orthogonal' } as const;
      const dz = numbers(m * n, i);
      const { p, blocks } = orthogonalShape(shape);
      const absolute = (roundings(p) + sumError(blocks)) * blocks * p * Math.sqrt(1 / k) + 1e-7;
      return {
        what: `${m}x${k}x${n}`,
        inputs: { dz, keys: unitKeys(weights.seed, weights.tensor, blocks), ...scratchOf(shape) },
        outputs: {
          dx: {
            want: randomMatmulTransposed({ m, k, n, weights, dz }),
            tolerance: { absolute, reason: 'f32 sums of the transforms and over blocks' },
          },
        },
        dispatch: ({ dz, keys, dx, a, b }) =>
          orthogonalTransposed({ ...shape, dz: dz!, keys: keys!, dx: dx! }, [a!, b!]),
      };
    });
    expect(await checkCases(cases)).toBe(200);
  });

  it('sums integers exactly, blocks of every size to 16384', async () => {
    const cases = [1, 128, 200, 500, 1000, 2000, 4096, 8192, 16384].map((k, i): Case => {
      const [m, n] = [2, 300];
      // Inputs of at most 1 keep every partial sum below 2^24 (P^1.5 at 16384 is 2^21); three of them are not 0.
      const x = new Float32Array(m * k);
      for (let row = 0; row < m; row++)
        for (let j = 0; j < 3; j++) x[row * k + ((j * 7919 + row) % k)] = j % 2 ? -1 : 1;
      const w = integerWeights({ seed: 9, tensor: 1, distribution: 'orthogonal' }, [0, k], [0, n], k);
      const want = new Float32Array(m * n);
      for (let row = 0; row < m; row++) {
        for (let l = 0; l < k; l++) {
          const value = x[row * k + l]!;
          if (value) for (let unit = 0; unit < n; unit++) want[row * n + unit]! += value * w[l * n + unit]!;
        }
      }
      const shape = { m, k, n };
      return {
        what: `${i}: ${m}x${k}x${n}`,
        inputs: { x, keys: unitKeys(9, 1, orthogonalShape(shape).blocks), ...scratchOf(shape) },
        outputs: { y: { want: want.map((value) => value + 0) } },
        dispatch: ({ x, keys, y, a, b }) => {
          const passes = orthogonal({ ...shape, x: x!, keys: keys!, y: y! }, [a!, b!]);
          return passes.map((pass) => ({ ...pass, params: { ...pass.params, scale: 1 } }));
        },
      };
    });
    await checkCases(cases);
  });
});

it('orthogonal_pass is its twin: any bits of the index, any flips', async () => {
  const problems = samples(
    fc.record({
      m: size(5),
      blocks: fc.integer({ min: 1, max: 3 }),
      logP: fc.integer({ min: 7, max: 10 }),
      bits: fc.integer({ min: 3, max: 6 }),
      high: fc.boolean(),
      when: fc.constantFrom('none', 'before', 'between', 'after'),
    }),
    200,
    3,
  );
  const cases = problems.map(({ m, blocks, logP, bits, high, when }, i): Case => {
    const p = 2 ** logP;
    const shift = high ? logP - bits : 0;
    const source = numbers(m * blocks * p, i).map((value) => Math.round(9 * value));
    const want = new Float32Array(source.length);
    const keys = unitKeys(i, 0, blocks);
    for (let part = 0; part < m * blocks; part++) {
      const v = Float64Array.from(source.subarray(part * p, (part + 1) * p));
      // Diagonal 1 has its signs in the order of the index: a low pass reads them so. A high one reads them rotated.
      const block = part % blocks;
      const straight = orthogonalSigns([keys[2 * block]!, keys[2 * block + 1]!], 1, logP);
      const signs = high ? straight.map((_, t) => straight[((t << bits) & (p - 1)) | (t >> (logP - bits))]!) : straight;
      const flip = () =>
        v.forEach((value, t) => {
          v[t] = value * signs[t]!;
        });
      if (when === 'before') flip();
      butterflies(v, bits, shift);
      if (when === 'between') {
        flip();
        butterflies(v, bits, shift);
      }
      if (when === 'after') flip();
      want.set(v, part * p);
    }
    const layout = { stride: blocks * p, block: p, end: blocks * p };
    // What checks for ends, as in the transforms: the first pass flips before, the last one after or not at all.
    const [from, to] = [when !== 'before', when === 'before' || when === 'between'].map((whole) => ({
      ...layout,
      whole,
    }));
    const flips = when === 'none' ? {} : ({ flip: { when, signs: 1 } } as const);
    return {
      what: `${m} x ${blocks} blocks of ${p}, ${bits} bits from ${shift}, flips ${when}`,
      inputs: { source, keys },
      outputs: { out: { want, tolerance: { absolute: 0, reason: 'integers; a flipped 0 is -0' } } },
      dispatch: ({ source, keys, out }) =>
        orthogonalPass({
          ...{ m, blocks, logP, bits, shift, ...flips, from: from!, to: to! },
          ...{ source: source!, keys: keys!, out: out! },
        }),
    };
  });
  expect(await checkCases(cases)).toBe(200);
});

it('sum_blocks is its twin over 200 shapes', async () => {
  const sizes = fc.record({ m: size(20), k: size(100), more: fc.integer({ min: 0, max: 9 }), blocks: size(5) });
  const cases = samples(sizes, 200, 4).map(({ m, k, more, blocks }, i): Case => {
    const parts = numbers(m * blocks * (k + more), i);
    const shape = { m, k, blocks, p: k + more };
    const tolerance = { absolute: sumError(blocks) * blocks, reason: 'f32 sum over blocks' };
    return {
      what: JSON.stringify(shape),
      inputs: { parts },
      outputs: { dx: { want: sumBlocksTwin({ ...shape, parts }), tolerance } },
      dispatch: ({ parts, dx }) => sumBlocks({ ...shape, parts: parts!, dx: dx! }),
    };
  });
  expect(await checkCases(cases)).toBe(200);
});
