/** Work beyond 65,535 workgroups in one dimension: computed right by another grid or another kernel, or refused by name. */
import { describe, expect, it } from 'vitest';
import { withinGrid } from '../kernels/dispatch.ts';
import { WeightlessError } from '../src/core/errors.ts';
import { dataSet } from '../src/data/dataset.ts';
import { readFloats, storageBuffer, uploadBuffer } from '../src/gpu/buffers.ts';
import { chooseBatch } from '../src/gpu/choose/batch.ts';
import { chooseForward } from '../src/gpu/choose/choose.ts';
import { forwardKernels, reaches } from '../src/gpu/choose/forward-kernels.ts';
import { chooseInteger, type integerKernels } from '../src/gpu/choose/integer.ts';
import { dense } from '../src/layers/dense.ts';
import { sequential } from '../src/model/model.ts';
import { createContext } from '../src/open.ts';
import { type OperationSpec, prepare, prepareNow, randomMatmul } from '../src/ops.ts';
import { evaluate } from '../src/train/evaluate.ts';
import { fit } from '../src/train/fit.ts';
import { distributionNames, elementwiseNames, integerWeights, weightScale } from '../src/weights/distributions.ts';
import { testContext } from './gpu.ts';

const sizes = [1, 65_535, 65_536, 2_097_120, 2_097_121, 4_194_240, 8_388_481];

describe('the choice of a kernel', () => {
  it('is one whose grid fits, at every size and on every kind of adapter', () => {
    let refused = 0;
    for (const weights of distributionNames) {
      for (const m of sizes) {
        for (const n of sizes) {
          for (const software of [true, false]) {
            const problem = { m, k: 8, n, weights };
            try {
              expect(reaches(chooseForward(problem, { software }), problem)).toBe(true);
            } catch (error) {
              refused++;
              expect((error as Error).message).toMatch(/expected a product that fits the workgroups of a device, got/);
              expect(
                Object.values(forwardKernels).some(
                  (one) => one.weights.includes(weights as never) && reaches(one, problem),
                ),
              ).toBe(false);
            }
            const batch = chooseBatch(problem, software);
            expect(!batch || reaches(batch, problem)).toBe(true);
          }
        }
      }
    }
    expect(refused).toBeGreaterThan(0);
  });

  it('is so for integer inputs', () => {
    for (const weights of elementwiseNames) {
      for (const m of sizes) {
        for (const n of sizes) {
          const problem = { m, k: 8, n, weights };
          const fits = (kernel: (typeof integerKernels)[keyof typeof integerKernels]) =>
            withinGrid(kernel.launch({ ...problem, x: 0, keys: 0, y: 0 }, [0, 0]));
          for (const software of [true, false]) {
            try {
              expect(fits(chooseInteger(problem, software) as never)).toBe(true);
            } catch (error) {
              expect((error as Error).message).toMatch(/expected a kernel for .* rows x .* units \(none\), got none/);
            }
          }
        }
      }
    }
  });
});

describe('weightless-gpu/ops', () => {
  it('computes 2,097,121 units of signs, which the kernels of one row do not reach', async () => {
    const context = await testContext();
    const [k, n] = [3, 2_097_121];
    const x = Float32Array.of(1, 10, 100);
    const weights = { seed: 5, tensor: 1, distribution: 'binary' } as const;
    const [from, to] = [uploadBuffer(context, x, 'x'), storageBuffer(context, 4 * n, 'y')];
    await randomMatmul(context, { m: 1, k, n, weights, x: from, y: to });
    const got = await readFloats(context, to, n);
    const last = integerWeights(weights, [0, k], [n - 1000, n]);
    for (let i = 0; i < 1000; i++) {
      const sum = [0, 1, 2].reduce((sum, row) => sum + x[row]! * last[1000 * row + i]!, 0);
      expect(got[n - 1000 + i]).toBeCloseTo(sum * weightScale('binary', k), 3);
    }
    context.destroyBuffers([from, to]);
  });

  it('computes 65,536 rows of int8 inputs', async () => {
    const context = await testContext();
    const [m, k, n] = [65_536, 4, 5];
    const x = Float32Array.from({ length: m * k }, (_, i) => ((i * 37) % 255) - 127);
    for (let row = 0; row < m; row++) x[row * k] = 127; // so that each row has the scale 1 and is exact
    const weights = { seed: 5, tensor: 1, distribution: 'uniform' } as const;
    const [from, to] = [uploadBuffer(context, x, 'x'), storageBuffer(context, 4 * m * n, 'y')];
    await randomMatmul(context, { m, k, n, weights, x: from, y: to, inputs: 'i8' });
    const got = await readFloats(context, to, m * n);
    const integers = integerWeights(weights, [0, k], [0, n]);
    for (const row of [0, 1, 65_534, 65_535]) {
      for (let unit = 0; unit < n; unit++) {
        const sum = [0, 1, 2, 3].reduce((sum, i) => sum + x[row * k + i]! * integers[i * n + unit]!, 0);
        expect(got[row * n + unit]! / weightScale('uniform', k)).toBeCloseTo(sum, 1);
      }
    }
    context.destroyBuffers([from, to]);
  });
});

describe('what no grid reaches', () => {
  const weights = { seed: 1, tensor: 0, distribution: 'binary' } as const;
  it.each<[string, OperationSpec]>([
    ['2,097,121 stored units', { op: 'dense', m: 1, k: 4, n: 2_097_121 }],
    ['2^31 units', { op: 'randomMatmul', m: 1, k: 4, n: 2 ** 31, weights }],
    ['2^31 units of the transposed product', { op: 'randomMatmulTransposed', m: 1, k: 4, n: 2 ** 31, weights }],
    ['a slice of 2^31 units', { op: 'materialize', weights, inputs: [0, 1], units: [0, 2 ** 31], fanIn: 4 }],
    [
      '65,537 orthogonal inputs',
      { op: 'randomMatmul', m: 1, k: 65_537, n: 4, weights: { ...weights, distribution: 'orthogonal' } },
    ],
    [
      '65,536 images',
      {
        op: 'halfConv2d',
        rows: 65_536,
        height: 3,
        width: 3,
        channels: 1,
        filters: 2,
        kernel: [3, 3],
        padding: [1, 1],
        weights,
      },
    ],
  ])('%s: refused by name before anything is encoded, at once or not', async (_, spec) => {
    const context = await testContext();
    const refused = async (work: () => unknown) => {
      const started = performance.now();
      const error = await Promise.resolve()
        .then(work)
        .catch((error: Error) => error);
      expect(error).toBeInstanceOf(WeightlessError);
      expect((error as Error).message).toMatch(/expected/);
      expect(performance.now() - started).toBeLessThan(2000);
    };
    await refused(() => prepare(context, spec));
    await refused(() => prepareNow(context, spec));
  });
});

describe('a batch of 65,536 rows', () => {
  const rows = 65_536;
  const features = Float32Array.from({ length: rows }, (_, i) => Math.sin(i));
  const labels = Uint32Array.from(features, (value) => Number(value > 0));
  const data = dataSet({ features, shape: [1], labels });
  const trained = async (backend: 'webgpu' | 'cpu') => {
    const context = backend === 'cpu' ? await createContext({ backend, threads: 1 }) : await testContext();
    const model = sequential([dense({ units: 2 })], { input: [1], seed: 1 });
    const options = { epochs: 3, batchSize: rows, learningRate: 0.1 };
    let loss = Number.NaN;
    for await (const report of fit(context, model, data, options)) loss = report.loss;
    const { accuracy } = await evaluate(context, model, data, { batchSize: rows });
    if (backend === 'cpu') context.dispose();
    return { loss, accuracy, weight: model.parameters.get('layers.0.weight')! };
  };

  it('trains and evaluates on the GPU as on the CPU', async () => {
    const [gpu, cpu] = [await trained('webgpu'), await trained('cpu')];
    expect(gpu.loss).toBeCloseTo(cpu.loss, 4);
    expect(gpu.accuracy).toBeCloseTo(cpu.accuracy, 4);
    for (const [i, value] of gpu.weight.entries()) expect(value).toBeCloseTo(cpu.weight[i]!, 4);
  });
});
