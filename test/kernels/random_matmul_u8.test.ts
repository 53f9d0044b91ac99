import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_U8_INPUTS, randomMatmulU8 } from '../../kernels/random_matmul_u8.ts';
import { activationNames } from '../../src/activations.ts';
import { createContext, randomMatmul } from '../../src/ops.ts';
import { epilogue } from '../../src/reference/epilogue.ts';
import { readFloats, storageBuffer, uploadBuffer } from '../../src/tensor.ts';
import { elementwiseNames, integerWeights, type WeightSpec, weightScale } from '../../src/weights/distributions.ts';
import { unitKeys } from '../../src/weights/stream.ts';
import { expectSame } from '../compare.ts';
import { testContext } from '../gpu.ts';
import { type Case, checkCases, numbers, samples, size } from './harness.ts';

/** Bytes of (m, k) inputs, each row padded to whole words, and the exact sums over them: numbers below 2^53. */
function problem(m: number, k: number, n: number, weights: WeightSpec, seed: number) {
  const stride = 4 * Math.ceil(k / 4);
  const bytes = new Uint8Array(m * stride);
  numbers(m * k, seed, 128).forEach((value, i) => {
    bytes[Math.floor(i / k) * stride + (i % k)] = Math.min(255, Math.floor(value + 128));
  });
  const integers = integerWeights(weights, [0, k], [0, n]);
  const sums = Float64Array.from({ length: m * n }, (_, i) => {
    let sum = 0;
    for (let l = 0; l < k; l++) sum += bytes[Math.floor(i / n) * stride + l]! * integers[l * n + (i % n)]!;
    return sum;
  });
  return { x: new Uint32Array(bytes.buffer), sums };
}

describe('random_matmul_u8', () => {
  it('sums bytes exactly over 240 shapes, every distribution: one rounding to f32, one of the scale', async () => {
    const shapes = fc.record({
      m: size(70),
      k: size(300),
      n: size(140),
      distribution: fc.constantFrom(...elementwiseNames),
    });
    const cases = samples(shapes, 240).map(({ m, k, n, distribution }, i): Case => {
      const weights = { seed: i, tensor: i % 3, distribution };
      const { x, sums } = problem(m, k, n, weights, i);
      const scale = weightScale(distribution, k);
      const want = Float32Array.from(sums, (sum) => Math.fround(sum) * scale + 0);
      return {
        what: `${m}x${k}x${n} ${distribution}`,
        inputs: { x, keys: unitKeys(weights.seed, weights.tensor, n) },
        outputs: { y: { want } },
        dispatch: ({ x, keys, y }) => randomMatmulU8({ m, k, n, weights: distribution, x: x!, keys: keys!, y: y! }),
      };
    });
    expect(await checkCases(cases)).toBe(240);
  });

  it('computes the epilogue of its twin', async () => {
    const shapes = fc.record({
      m: size(40),
      k: size(90),
      n: size(90),
      activation: fc.constantFrom(...activationNames),
    });
    const cases = samples(shapes, 24, 2).map(({ m, k, n, activation }, i): Case => {
      const weights = { seed: i, tensor: 0, distribution: 'binary' } as const;
      const { x, sums } = problem(m, k, n, weights, i);
      const scale = weightScale('binary', k);
      const u = numbers(n, i + 1000, 0.01);
      const b = numbers(n, i + 2000, 2);
      const half = i % 2 === 0;
      const z = Float64Array.from(sums, (sum) => scale * sum);
      return {
        what: `${m}x${k}x${n} ${activation}`,
        inputs: { x, keys: unitKeys(i, 0, n), u, b },
        outputs: {
          y: {
            want: epilogue({ m, n, z, ...(half && { u }), b, activation }),
            tolerance: { absolute: 1.13 * 4 * 2 ** -24 * 1200 + 4e-6, reason: 'f32 scale and bias of |z| up to 1200' },
          },
        },
        dispatch: ({ x, keys, u, b, y }) =>
          randomMatmulU8({
            ...{ m, k, n, weights: 'binary', x: x!, keys: keys!, y: y! },
            epilogue: { ...(half && { u: u! }), b: b!, activation },
          }),
      };
    });
    await checkCases(cases);
  });

  it('is what ops takes for u8 inputs, and refuses what it cannot do', async () => {
    const { device } = await testContext();
    const context = await createContext({ device });
    const [m, k, n] = [3, 50, 70];
    const weights = { seed: 5, tensor: 1, distribution: 'normal' } as const;
    const { x, sums } = problem(m, k, n, weights, 1);
    const [input, y] = [uploadBuffer(context, x), storageBuffer(context, 4 * m * n, 'y')];
    const options = { m, k, n, weights, x: input, y, inputs: 'u8' } as const;
    await randomMatmul(context, options);
    const scale = weightScale('normal', k);
    expectSame(
      await readFloats(context, y, m * n),
      Float32Array.from(sums, (sum) => Math.fround(sum) * scale),
      'ops',
    );
    const refused = /expected independent weights, at most 66311 inputs and no kernel by name/;
    const orthogonal = { ...weights, distribution: 'orthogonal' } as const;
    await expect(randomMatmul(context, { ...options, weights: orthogonal })).rejects.toThrow(refused);
    await expect(randomMatmul(context, { ...options, kernel: 'rows' })).rejects.toThrow(refused);
    expect(MAX_U8_INPUTS).toBe(66311);
    await expect(randomMatmul(context, { ...options, m: 4 })).rejects.toThrow(/'x' to hold 208 bytes, got 156/);
  });
});
