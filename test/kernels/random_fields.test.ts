/** Receptive fields: random_fields, random_fields_transposed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomFields } from '../../kernels/random_fields.ts';
import { randomFieldsTransposed } from '../../kernels/random_fields_transposed.ts';
import { goldenCases } from '../../src/conformance/fields.ts';
import { imageSize } from '../../src/core/window.ts';
import { readFloats, storageBuffer, uploadBuffer } from '../../src/gpu/buffers.ts';
import { runDispatches } from '../../src/gpu/kernel.ts';
import { epilogue } from '../../src/reference/epilogue.ts';
import { randomFields as twin } from '../../src/reference/random_fields.ts';
import { randomFieldsTransposed as transposedTwin } from '../../src/reference/random_fields_transposed.ts';
import { fieldNames, fieldWords, type Image } from '../../src/weights/fields.ts';
import { expectSame } from '../compare.ts';
import { testContext } from '../gpu.ts';
import { images } from './fields.ts';
import { type Case, checkCases, numbers, samples, size, sumError, tails } from './harness.ts';

const activations = ['gelu', 'relu'] as const; // the fragment of all kernels: random_matmul.test.ts has every one

const problems = samples(
  fc.record({
    m: size(20),
    n: size(140),
    image: images,
    tail: fc.constantFrom(...tails(fieldNames, activations)),
    seed: fc.constantFrom(0, 1, 2 ** 32 - 1, Number.MAX_SAFE_INTEGER),
    tensor: fc.integer({ min: 0, max: 5 }),
  }),
  240,
).map(({ tail: { distribution, ...tail }, seed, tensor, m, n, image }) => ({
  ...{ m, n, image, ...tail },
  weights: { seed, tensor, distribution, image },
}));

const what = ({ m, n, image: { height, width, channels }, weights }: (typeof problems)[number]) =>
  `${m} x ${height}x${width}x${channels} to ${n}, ${weights.distribution}`;

it('generates lines and images of every kind', () => {
  const count = (test: (p: (typeof problems)[number]) => boolean) => problems.filter(test).length;
  for (const name of fieldNames) {
    const ones = (test: (image: Image) => boolean) =>
      count(({ weights, image }) => weights.distribution === name && test(image));
    expect(ones(({ height }) => height === 1)).toBeGreaterThan(5);
    expect(ones(({ height, channels }) => height > 1 && channels > 32)).toBeGreaterThan(5);
    expect(ones(({ width, channels }) => (width * channels) % 4 !== 0)).toBeGreaterThan(5);
  }
});

describe('random_fields', () => {
  it('is its twin over 240 shapes, every distribution and epilogue', async () => {
    const cases = problems.map((p, i): Case => {
      const { m, n, image, weights, form, activation } = p;
      const x = numbers(m * imageSize(image), i);
      const [u, b] = [numbers(n, i + 1000, 2), numbers(n, i + 2000, 2)];
      const z = twin({ m, n, weights, x });
      const used = form === 'z' ? undefined : { b, ...(form === 'bias' ? {} : { u }) };
      // The weights of a unit have the length 1 (of patches, about), inputs are at most 1; |u| <= 2, slopes at most 1.13 (gelu).
      const k = imageSize(image);
      const absolute = 1.13 * 2 * sumError(k) * 3 * Math.sqrt(k) + 4e-6;
      return {
        what: `${what(p)} ${form} ${activation}`,
        inputs: { x, u, b, fields: fieldWords(weights, n) },
        outputs: {
          y: {
            want: used ? epilogue({ m, n, z, ...used, activation }) : z,
            tolerance: { absolute, reason: 'f32 sum over the window, exp and tanh of WGSL' },
          },
        },
        dispatch: ({ x, u, b, fields, y }) =>
          randomFields({
            ...{ m, n, image, weights: weights.distribution, x: x!, fields: fields!, y: y! },
            ...(used && { epilogue: { b: b!, ...('u' in used && { u: u! }), activation } }),
          }),
      };
    });
    expect(await checkCases(cases)).toBe(240);
  });

  it('has the golden vectors, bit for bit', async () => {
    expect(await checkCases(goldenCases())).toBe(105);
  });

  it('has the same result, bit for bit, for a row in any batch', async () => {
    const context = await testContext();
    const image = { height: 9, width: 11, channels: 3 };
    const k = imageSize(image);
    for (const distribution of fieldNames) {
      const weights = { seed: 3, tensor: 1, distribution, image };
      const x = numbers(19 * k, 5);
      const [n, args] = [70, { n: 70, image, weights: distribution }];
      const fields = uploadBuffer(context, fieldWords(weights, n));
      const product = async (rows: number, from: number) => {
        const input = uploadBuffer(context, x.slice(from * k, (from + rows) * k));
        const y = storageBuffer(context, 4 * rows * n, 'y');
        await runDispatches(context, [randomFields({ ...args, m: rows, x: input, fields, y })]);
        const values = await readFloats(context, y, rows * n);
        context.destroyBuffers([input, y]);
        return values;
      };
      const whole = await product(19, 0);
      for (const [rows, from] of [
        [1, 18],
        [3, 4],
        [5, 7],
      ] as const) {
        expectSame(await product(rows, from), whole.subarray(from * n, (from + rows) * n), `${rows} rows from ${from}`);
      }
      context.destroyBuffers([fields]);
    }
  });
});

describe('random_fields_transposed', () => {
  it('is its twin over 240 shapes and every distribution: the same fields', async () => {
    const cases = problems.map((p, i): Case => {
      const { m, n, image, weights } = p;
      const dz = numbers(m * n, i);
      return {
        what: what(p),
        inputs: { dz, fields: fieldWords(weights, n) },
        outputs: {
          dx: {
            want: transposedTwin({ m, n, weights, dz }),
            tolerance: { absolute: 2 * sumError(n) * n + 1e-7, reason: 'f32 sum over n of weights of at most about 2' },
          },
        },
        dispatch: ({ dz, fields, dx }) =>
          randomFieldsTransposed({ m, n, image, weights: weights.distribution, dz: dz!, fields: fields!, dx: dx! }),
      };
    });
    expect(await checkCases(cases)).toBe(240);
  });
});
