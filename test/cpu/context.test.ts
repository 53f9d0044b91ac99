import { describe, expect, it, vi } from 'vitest';
import type { Forward } from '../../src/backend/backend.ts';
import { DataError, NoAdapterError, ShapeError } from '../../src/core/errors.ts';
import { createCpuContext } from '../../src/cpu/cpu.ts';
import { timed } from '../../src/cpu/faster.ts';
import { CpuForward } from '../../src/cpu/forward.ts';
import { dense, halfDense } from '../../src/layers/dense.ts';
import { saveModel } from '../../src/model/save.ts';
import { nodeGpu } from '../../src/node.ts';
import { createContext } from '../../src/open.ts';
import { loadModel } from '../../src/predict/load.ts';
import { createPredictor } from '../../src/predict/predictor.ts';
import { distributionNames } from '../../src/weights/distributions.ts';
import { expectClose, expectSame } from '../compare.ts';
import { testContext } from '../gpu.ts';
import { numbers } from '../kernels/harness.ts';
import { cpu, modelOf, reference, tolerance } from './models.ts';

const mixed = (weights: (typeof distributionNames)[number]) =>
  modelOf(
    [
      halfDense({ units: 150, weights }),
      halfDense({ units: 67, weights: 'binary', activation: 'gelu' }),
      halfDense({ units: 40, weights: 'sparse', activation: 'tanh' }),
      dense({ units: 33, activation: 'leakyRelu' }),
      dense({ units: 10, activation: 'sigmoid' }),
    ],
    131,
  );

describe('a predictor on the CPU', () => {
  it.each(distributionNames)('predicts as the reference does, for any number of rows: %s', async (weights) => {
    const model = mixed(weights);
    const predictor = await createPredictor(await cpu(), model);
    for (const rows of [1, 2, 3, 5, 64, 150, 1]) {
      const x = numbers(rows * 131, rows);
      expectClose(await predictor.predict(x), reference(model, x, rows), tolerance, `${rows} rows`);
    }
    await predictor.dispose();
  });

  it('predicts as WebGPU does', async () => {
    const file = saveModel(mixed('normal'));
    const x = numbers(7 * 131, 3);
    const gpu = await loadModel(await testContext(), file);
    const here = await loadModel(await cpu(), file);
    expectClose(await here.predict(x), await gpu.predict(x), { ...tolerance, reason: 'f32 sums of either' });
    await gpu.dispose();
  });

  it('refuses wrong input by name, calls wait their turn', async () => {
    const predictor = await createPredictor(await cpu(), mixed('normal'));
    await expect(predictor.predict(new Float32Array(130))).rejects.toThrow(DataError);
    await expect(predictor.predict(new Float32Array(131).fill(Number.NaN))).rejects.toThrow('finite');
    await expect(predictor.prepare(0)).rejects.toThrow(DataError);
    const x = [1, 2, 3].map((seed) => numbers(131 * seed, seed));
    const together = await Promise.all(x.map((one) => predictor.predict(one)));
    for (const [i, one] of x.entries()) expectSame(await predictor.predict(one), together[i]!);
    await predictor.dispose();
    await expect(predictor.predict(x[0]!)).rejects.toThrow('disposed');
  });

  it('takes no more memory after ten thousand predictions', async () => {
    const model = modelOf([halfDense({ units: 32 }), dense({ units: 3 })], 20);
    const forward = await CpuForward.create(await cpu(), model);
    const sizes = [1, 4, 2, 33];
    const some = async () => {
      for (let i = 0; i < 5000; i++) await forward.compute(numbers(20 * sizes[i & 3]!, 1));
    };
    await some();
    const before = forward.memoryBytes;
    await some();
    expect(forward.memoryBytes).toBe(before);
  });
});

describe('the choice of a backend', () => {
  it('is the CPU where there is no WebGPU, with the reason', async () => {
    const context = await createContext();
    expect(context.backend).toBe('cpu');
    expect(context.info).toMatch(/^CPU by WebAssembly SIMD, \d+ threads?: there is no WebGPU here$/);
  });

  it('is the CPU where WebGPU has no adapter, and for a software one where the fastest is asked for', async () => {
    const none = { requestAdapter: async () => null } as unknown as GPU;
    const nothing = await createContext({ gpu: none, backend: 'fastest' });
    expect(nothing.info).toContain('WebGPU has no adapter here');
    vi.stubGlobal('navigator', { gpu: none });
    const byDefault = await createContext();
    vi.unstubAllGlobals();
    expect(byDefault.info).toContain('WebGPU has no adapter here');
    await expect(createContext({ gpu: none })).rejects.toThrow(NoAdapterError);
    await expect(createContext({ backend: 'webgpu' })).rejects.toThrow(NoAdapterError);
    const gpu = await nodeGpu();
    const { adapter } = await testContext();
    const context = await createContext({ gpu, backend: 'fastest' });
    expect(context.backend).toBe(adapter.software ? 'cpu' : 'webgpu');
    if (adapter.software) expect(context.info).toContain('software');
    context.dispose();
  });

  it('is by default as where the fastest is asked for; WebGPU where that is given', async () => {
    const gpu = await nodeGpu();
    vi.stubGlobal('navigator', { gpu });
    const context = await createContext();
    vi.unstubAllGlobals();
    expect(context.backend).toBe((await testContext()).adapter.software ? 'cpu' : 'webgpu');
    context.dispose();
    const given = await createContext({ gpu });
    expect(given.backend).toBe('webgpu');
    given.dispose();
  });

  it('is measured for a model where a software adapter has many cores', async () => {
    const model = modelOf([halfDense({ units: 64 }), dense({ units: 10 })], 50);
    let made = 0;
    const rival = async () => {
      made++;
      return createContext({ gpu: await nodeGpu() });
    };
    const few = await createCpuContext({}, 'why', rival, 2);
    await (await createPredictor(few, model)).dispose();
    expect(made).toBe(0);
    const many = await createCpuContext({ threads: 1 }, 'why', rival, 64);
    const predictor = await createPredictor(many, model);
    expect(made).toBe(1);
    expect(many.info).toMatch(/measured for the last model: CPU \d+\.\d\d ms, WebGPU \d+\.\d\d ms a row/);
    const x = numbers(150, 1);
    expectClose(await predictor.predict(x), reference(model, x, 3), tolerance);
    await predictor.dispose();
    for (const context of [few, many]) context.dispose();
  });

  it('falls on the faster one', async () => {
    const way = (ms: number): Forward => ({
      compute: async (data) => {
        await new Promise((resolve) => setTimeout(resolve, ms));
        return data;
      },
      prepare: async () => {},
      dispose: async () => {},
    });
    const [slow, quick] = [way(30), way(3)];
    expect((await timed(slow, quick, 5)).faster).toBe(quick);
    expect((await timed(quick, slow, 5)).faster).toBe(quick);
  });

  it('names what it was asked for in vain', async () => {
    await expect(createContext({ backend: 'cpu', threads: 0 })).rejects.toThrow(ShapeError);
    const keeping = (keepWeights: number) => createContext({ backend: 'cpu', keepWeights });
    await expect(keeping(-1)).rejects.toThrow('keepWeights of 0 or more bytes');
    await expect(keeping(Number.NaN)).rejects.toThrow('expected keepWeights to be of type number, got NaN');
  });
});
