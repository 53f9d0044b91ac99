import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_U8_INPUTS } from '../../kernels/random_matmul_u8.ts';
import { activationNames } from '../../src/core/activations.ts';
import { readFloats, storageBuffer, uploadBuffer } from '../../src/gpu/buffers.ts';
import { chooseInteger, type IntegerKernel, integerKernels } from '../../src/gpu/choose/integer.ts';
import { createContext, randomMatmul } from '../../src/ops.ts';
import { epilogue } from '../../src/reference/epilogue.ts';
import { quantiseRows } from '../../src/reference/quantise_rows.ts';
import { randomMatmul as twin } from '../../src/reference/random_matmul.ts';
import { elementwiseNames, integerWeights, type WeightSpec, weightScale } from '../../src/weights/distributions.ts';
import { unitKeys } from '../../src/weights/stream.ts';
import { expectSame } from '../compare.ts';
import { testContext } from '../gpu.ts';
import { type Case, checkCases, numbers, samples, size } from './harness.ts';

/** Bytes of (m, k) inputs, signed or not, each row padded to whole words, and the exact sums over them: numbers below 2^53. */
function problem(m: number, k: number, n: number, weights: WeightSpec, seed: number, signed: boolean) {
  const stride = 4 * Math.ceil(k / 4);
  const bytes = signed ? new Int8Array(m * stride) : new Uint8Array(m * stride);
  numbers(m * k, seed, 128).forEach((value, i) => {
    const at = Math.floor(i / k) * stride + (i % k);
    bytes[at] = signed ? Math.floor(Math.min(127, value)) : Math.min(255, Math.floor(value + 128));
  });
  const integers = integerWeights(weights, [0, k], [0, n]);
  const sums = Float64Array.from({ length: m * n }, (_, i) => {
    let sum = 0;
    for (let l = 0; l < k; l++) sum += bytes[Math.floor(i / n) * stride + l]! * integers[l * n + (i % n)]!;
    return sum;
  });
  return { x: new Uint32Array(bytes.buffer), sums, scales: numbers(m, seed + 3000, 2).map(Math.abs) };
}

/** Each pair of distribution and signedness is a pipeline: the first distribution with both, others as src/conformance has them. */
const kernels = Object.entries<IntegerKernel>(integerKernels).map(([name, kernel], position) => ({
  name,
  kernel,
  kinds: kernel.weights.flatMap((distribution, i) =>
    (i === 0 ? [false, true] : [(i + position) % 2 === 1]).map((signed) => ({ distribution, signed })),
  ),
}));

describe.each(kernels)('$name', ({ name, kernel, kinds }) => {
  const rows = name === 'integer tile' ? 70 : 9;

  /** Memory of the kernel's own, full of what it must not read before it writes. */
  const scratchOf = (m: number, k: number) => {
    const [a, b] = kernel.scratchBytes({ m, k }).map((bytes) => new Uint32Array(bytes / 4).fill(0x7fc0dead));
    return { a: a ?? new Uint32Array(4), b: b ?? new Uint32Array(4) };
  };

  it('sums bytes exactly over 240 shapes: one rounding to f32, one of each scale', async () => {
    const shapes = fc.record({
      m: size(rows),
      k: size(600),
      n: size(140),
      kind: fc.constantFrom(...kinds),
    });
    const cases = samples(shapes, 240).map(({ m, k, n, kind: { distribution, signed } }, i): Case => {
      const weights = { seed: i, tensor: i % 3, distribution };
      const { x, sums, scales } = problem(m, k, n, weights, i, signed);
      const scale = weightScale(distribution, k);
      const rounded = Float32Array.from(sums, (sum) => Math.fround(sum) * scale + 0);
      const want = rounded.map((z, j) => (signed ? z * scales[Math.floor(j / n)]! + 0 : z));
      return {
        what: `${m}x${k}x${n} ${distribution} ${signed ? 'signed' : 'unsigned'}`,
        inputs: { x, keys: unitKeys(weights.seed, weights.tensor, n), scales, ...scratchOf(m, k) },
        outputs: { y: { want } },
        dispatch: ({ x, keys, scales, a, b, y }) =>
          kernel.launch(
            { ...{ m, k, n, weights: distribution, x: x!, keys: keys!, y: y! }, ...(signed && { scales: scales! }) },
            [a!, b!],
          ),
      };
    });
    expect(await checkCases(cases)).toBe(240);
  });

  it('computes the epilogue of its twin', async () => {
    const shapes = fc.record({
      m: size(rows),
      k: size(90),
      n: size(90),
      activation: fc.constantFrom(...(name === 'integer tile' ? (['gelu', 'tanh'] as const) : (['gelu'] as const))),
    });
    const cases = samples(shapes, 24, 2).map(({ m, k, n, activation }, i): Case => {
      const weights = { seed: i, tensor: 0, distribution: 'binary' } as const;
      const { x, sums } = problem(m, k, n, weights, i, false);
      const scale = weightScale('binary', k);
      const u = numbers(n, i + 1000, 0.01);
      const b = numbers(n, i + 2000, 2);
      const half = activationNames.indexOf(activation) % 2 === 1;
      const z = Float64Array.from(sums, (sum) => scale * sum);
      const { a, b: second } = scratchOf(m, k);
      return {
        what: `${m}x${k}x${n} ${activation}`,
        inputs: { x, keys: unitKeys(i, 0, n), u, b, a, second },
        outputs: {
          y: {
            want: epilogue({ m, n, z, ...(half && { u }), b, activation }),
            tolerance: { absolute: 1.13 * 4 * 2 ** -24 * 1200 + 4e-6, reason: 'f32 scale and bias of |z| up to 1200' },
          },
        },
        dispatch: ({ x, keys, u, b, a, second, y }) =>
          kernel.launch(
            {
              ...{ m, k, n, weights: 'binary', x: x!, keys: keys!, y: y! },
              epilogue: { ...(half && { u: u! }), b: b!, activation },
            },
            [a!, second!],
          ),
      };
    });
    await checkCases(cases);
  });
});

describe('randomMatmul of weightless-gpu/ops', () => {
  const [m, k, n] = [3, 50, 70];
  const weights = { seed: 5, tensor: 1, distribution: 'normal' } as const;

  it('takes u8 inputs, by any of the kernels, and refuses what it cannot do', async () => {
    const { device } = await testContext();
    const context = await createContext({ device });
    const y = storageBuffer(context, 4 * m * n, 'y');
    for (const { name, kernel } of kernels) {
      const spec = { ...weights, distribution: kernel.weights[0]! };
      const { x, sums } = problem(m, k, n, spec, 1, false);
      const input = uploadBuffer(context, x);
      const scale = weightScale(spec.distribution, k);
      const options = { m, k, n, weights: spec, x: input, y, inputs: 'u8', kernel: name as 'bit planes' } as const;
      await randomMatmul(context, options);
      const want = Float32Array.from(sums, (sum) => Math.fround(sum) * scale);
      expectSame(await readFloats(context, y, m * n), want, name);
      context.destroyBuffers([input]);
    }
    const input = uploadBuffer(context, problem(m, k, n, weights, 1, false).x);
    const options = { m, k, n, weights, x: input, y, inputs: 'u8' } as const;
    const orthogonal = { ...weights, distribution: 'orthogonal' } as const;
    await expect(randomMatmul(context, { ...options, weights: orthogonal })).rejects.toThrow(
      /expected a kernel for orthogonal weights, integer inputs and 3 rows x 70 units \(none\)/,
    );
    await expect(randomMatmul(context, { ...options, kernel: 'rows' })).rejects.toThrow(
      /for normal weights, integer inputs and 3 rows x 70 units \(integer tile, integer rows, integer rows sliced\), got rows/,
    );
    await expect(randomMatmul(context, { ...options, kernel: 'bit planes' })).rejects.toThrow(/got bit planes/);
    expect(MAX_U8_INPUTS).toBe(66311);
    await expect(randomMatmul(context, { ...options, k: MAX_U8_INPUTS + 1, m: 1 })).rejects.toThrow(
      /got 66312|'x' to hold/,
    );
    await expect(randomMatmul(context, { ...options, m: 4 })).rejects.toThrow(/'x' to hold 208 bytes, got 156/);
  });

  it('rounds f32 inputs to int8 where asked to: within 0.5% of |x|, every distribution', async () => {
    const { device } = await testContext();
    const context = await createContext({ device });
    const [rows, inputs, units] = [7, 500, 100];
    const x = numbers(rows * inputs, 7);
    const [input, y] = [uploadBuffer(context, x), storageBuffer(context, 4 * rows * units, 'y')];
    const size = { m: rows, k: inputs, n: units };
    for (const distribution of elementwiseNames) {
      const spec = { ...weights, distribution };
      await randomMatmul(context, { ...size, weights: spec, x: input, y, inputs: 'i8' });
      const got = await readFloats(context, y, rows * units);
      const exact = twin({ ...size, weights: spec, x });
      const { q, scales } = quantiseRows({ m: rows, k: inputs, x });
      const rounded = twin({
        ...size,
        weights: spec,
        x: Float64Array.from(q, (v, i) => v * scales[Math.floor(i / inputs)]!),
      });
      let [squares, off] = [0, 0];
      for (let i = 0; i < got.length; i++) {
        squares += exact[i]! ** 2;
        off += (got[i]! - exact[i]!) ** 2;
        expect(Math.abs(got[i]! - rounded[i]!), `${distribution} at ${i}`).toBeLessThan(1e-5);
      }
      // Uniform x: an error uniform within half a step of max / 127 against x within max is 1 / 254 of it.
      expect(Math.sqrt(off / squares), distribution).toBeLessThan(0.005);
      expect(Math.sqrt(off / squares), distribution).toBeGreaterThan(0.003);
    }
    context.destroyBuffers([input, y]);
  });
});

describe('chooseInteger', () => {
  it('takes bit planes for few rows of signs, tiles where there are rows to share a weight', () => {
    const shape = { k: 784, n: 1024 };
    expect(chooseInteger({ ...shape, m: 1, weights: 'binary' }, true)).toBe(integerKernels['bit planes']);
    expect(chooseInteger({ ...shape, m: 16, weights: 'binary' }, false)).toBe(integerKernels['bit planes sliced']);
    expect(chooseInteger({ ...shape, m: 1, weights: 'codeword' }, true)).toBe(integerKernels['bit planes']);
    expect(chooseInteger({ ...shape, m: 17, weights: 'binary' }, false)).toBe(integerKernels['integer tile']);
    expect(chooseInteger({ ...shape, m: 8, weights: 'normal' }, true)).toBe(integerKernels['integer rows']);
    expect(chooseInteger({ ...shape, m: 8, weights: 'sparse' }, false)).toBe(integerKernels['integer rows sliced']);
    expect(chooseInteger({ ...shape, m: 9, weights: 'uniform' }, false)).toBe(integerKernels['integer tile']);
  });
});
