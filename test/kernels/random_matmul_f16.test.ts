/** f16 runs where the adapter has `shader-f16`; where it has not, asking for it has to be refused by name: no test is skipped. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { halfRows, halfRowWords } from '../../kernels/half_rows.ts';
import { randomMatmulF16 } from '../../kernels/random_matmul_f16.ts';
import { readBuffer, readFloats, storageBuffer, uploadBuffer } from '../../src/gpu/buffers.ts';
import { runDispatches } from '../../src/gpu/kernel.ts';
import { createContext, randomMatmul } from '../../src/ops.ts';
import { epilogue } from '../../src/reference/epilogue.ts';
import { halfRows as halfTwin } from '../../src/reference/half_rows.ts';
import { randomMatmul as twin } from '../../src/reference/random_matmul.ts';
import { elementwiseNames } from '../../src/weights/distributions.ts';
import { unitKeys } from '../../src/weights/stream.ts';
import { expectClose, expectSame } from '../compare.ts';
import { testContext } from '../gpu.ts';
import { type Case, checkCases, numbers, samples, size, sumError } from './harness.ts';

/** The number that the 16 bits of an f16 stand for. */
function fromHalf(bits: number): number {
  const [sign, exponent, mantissa] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + mantissa / 1024) : 2 ** -24 * mantissa);
}

it('half_rows is its twin over 201 shapes, rows of zeros and tiny ones among them, padded with zeros', async () => {
  const context = await testContext();
  const sampled = samples(fc.record({ m: size(9), k: size(300) }), 200);
  const made = [...sampled, { m: 65_537, k: 3 }].map(({ m, k }, i) => {
    const sizes = numbers(m, i + 2000, 3).map((value, row) => (row % 4 === 1 ? 0 : row % 4 === 3 ? 1e-28 : value));
    const x = numbers(m * k, i).map((value, j) => value * sizes[Math.floor(j / k)]!);
    const width = 2 * halfRowWords(k);
    const h = storageBuffer(context, 2 * m * width, 'h');
    return { m, k, x, width, input: uploadBuffer(context, x), h, scales: storageBuffer(context, 4 * m, 'scales') };
  });
  await runDispatches(
    context,
    made.map(({ m, k, input, h, scales }) => halfRows({ m, k, x: input, h, scales })),
  );
  for (const { m, k, x, width, input, h, scales } of made) {
    const want = halfTwin({ m, k, x });
    expectSame(await readFloats(context, scales, m), want.scales, `${m}x${k}: scales`);
    const got = Array.from(new Uint16Array(await readBuffer(context, h, 2 * m * width)), fromHalf);
    const padded = got.map((_, j) => (j % width < k ? want.h[Math.floor(j / width) * k + (j % width)]! : 0));
    expectClose(got, padded, {
      absolute: 2 ** -24,
      relative: 2 ** -10,
      reason: 'one unit in the last place of f16, rounded either way, or the smallest f16',
    });
    context.destroyBuffers([input, h, scales]);
  }
});

describe('random_matmul_f16', async () => {
  const context = await testContext();
  const offered = context.device.features.has('shader-f16');

  if (!offered) {
    it('is refused by the name of the feature that the device lacks', async () => {
      const ops = await createContext({ device: context.device });
      const [x, y] = [storageBuffer(context, 64, 'x'), storageBuffer(context, 64, 'y')];
      const weights = { seed: 1, tensor: 0, distribution: 'normal' } as const;
      const asked = randomMatmul(ops, { m: 2, k: 8, n: 8, weights, x, y, precision: 'f16' });
      await expect(asked).rejects.toThrow(/expected a device with 'shader-f16' for f16, got one without/);
      context.destroyBuffers([x, y]);
    });
    return;
  }

  it('is its twin over 240 shapes, every distribution and epilogue', async () => {
    const shapes = fc.record({
      m: size(70),
      k: size(300),
      n: size(140),
      distribution: fc.constantFrom(...elementwiseNames),
      half: fc.boolean(),
    });
    const cases = samples(shapes, 240).map(({ m, k, n, distribution, half }, i): Case => {
      const weights = { seed: i, tensor: i % 3, distribution };
      const x = numbers(m * k, i);
      const u = numbers(n, i + 1000, 2);
      const b = numbers(n, i + 2000, 2);
      const z = twin({ m, k, n, weights, x });
      return {
        what: `${m}x${k}x${n} ${distribution} ${half}`,
        inputs: {
          x,
          keys: unitKeys(weights.seed, weights.tensor, n),
          u,
          b,
          h: new Uint32Array(m * halfRowWords(k)),
          scales: new Float32Array(m),
        },
        outputs: {
          y: {
            want: half ? epilogue({ m, n, z, u, b, activation: 'gelu' }) : z,
            tolerance: {
              // An input and each of eight additions round to 2^-11; |r| <= 3, |x| <= sqrt(k); |u| <= 2, gelu is not steeper than 1.13.
              absolute: (half ? 2.26 : 1) * 3 * Math.sqrt(k) * (9 * 2 ** -11 + sumError(k)),
              reason: 'inputs and sums of eight products in f16',
            },
          },
        },
        dispatch: ({ x, keys, u, b, h, scales, y }) => [
          halfRows({ m, k, x: x!, h: h!, scales: scales! }),
          randomMatmulF16(
            {
              m,
              k,
              n,
              weights: distribution,
              x: h!,
              keys: keys!,
              y: y!,
              ...(half && { epilogue: { u: u!, b: b!, activation: 'gelu' } }),
            },
            scales!,
          ),
        ],
      };
    });
    expect(await checkCases(cases)).toBe(240);
  });

  it('is within 0.1% of |z|, every distribution, through weightless-gpu/ops', async () => {
    const ops = await createContext({ device: context.device });
    const [m, k, n] = [40, 1000, 100];
    const x = numbers(m * k, 7);
    const [input, y] = [uploadBuffer(context, x), storageBuffer(context, 4 * m * n, 'y')];
    for (const distribution of elementwiseNames) {
      const weights = { seed: 5, tensor: 1, distribution };
      await randomMatmul(ops, { m, k, n, weights, x: input, y, precision: 'f16' });
      const got = await readFloats(context, y, m * n);
      const want = twin({ m, k, n, weights, x });
      const norm = (values: ArrayLike<number>) => Math.hypot(...Array.from(values));
      const off = norm(got.map((value, i) => value - want[i]!)) / norm(want);
      expect(off, distribution).toBeLessThan(0.001);
      expect(off, distribution).toBeGreaterThan(0.00005); // it is f16 indeed
    }
    context.destroyBuffers([input, y]);
  });
});
