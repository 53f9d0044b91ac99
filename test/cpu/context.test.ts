import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createContext } from '../../src/context.ts';
import { type CpuContext, createCpuContext } from '../../src/cpu/cpu.ts';
import { timed } from '../../src/cpu/faster.ts';
import { CpuForward } from '../../src/cpu/forward.ts';
import { KeptWeights, planKeeping } from '../../src/cpu/kept-weights.ts';
import { fasterOf } from '../../src/cpu/pool.ts';
import { randomMatmul } from '../../src/cpu/random_matmul.ts';
import { DataError, NoAdapterError, OutOfMemoryError, ShapeError } from '../../src/errors.ts';
import { dense, halfDense, type LayerSpec } from '../../src/layers/layers.ts';
import { loadModel } from '../../src/model/load.ts';
import { forwardGraph, type Model, sequential } from '../../src/model/model.ts';
import { createPredictor, type Forward } from '../../src/model/predictor.ts';
import { saveModel } from '../../src/model/save.ts';
import { nodeGpu } from '../../src/node.ts';
import { evaluateGraph } from '../../src/reference/graph.ts';
import { distributionNames } from '../../src/weights/distributions.ts';
import { expectClose, expectSame } from '../compare.ts';
import { testContext } from '../gpu.ts';
import { numbers } from '../kernels/harness.ts';

const contexts: CpuContext[] = [];
afterEach(() => {
  for (const context of contexts.splice(0)) context.dispose();
});

async function cpu(threads = 1, keepWeights?: number): Promise<CpuContext> {
  const options = { threads, ...(keepWeights !== undefined && { keepWeights }) };
  const context = (await createContext({ backend: 'cpu', ...options })) as CpuContext;
  contexts.push(context);
  return context;
}

/** A model whose numbers are not those of its start. */
function modelOf(layers: LayerSpec[], inputs: number): Model {
  const model = sequential(layers, { input: [inputs], seed: 11 });
  let i = 0;
  for (const [name, values] of model.parameters) {
    if (name.endsWith('.weight')) continue;
    model.parameters.set(
      name,
      numbers(values.length, i++).map((value) => (name.endsWith('.u') ? 1 : 0) + 0.5 * value),
    );
  }
  return model;
}

function reference(model: Model, x: Float32Array, rows: number): Float64Array {
  const { graph, x: input, output } = forwardGraph(model, rows);
  const values = new Map([[input, Float64Array.from(x)]]);
  for (const value of graph.values) {
    const numbers = model.parameters.get(value.name);
    if (numbers) values.set(value, Float64Array.from(numbers));
  }
  evaluateGraph(graph, values);
  return values.get(output)!;
}

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

/** Sums of f32 in five layers, each of slope 1.2 at most. */
const tolerance = { absolute: 2e-5, relative: 2e-5, reason: 'f32 sums over five layers; tables of 21 bits' };

describe('a predictor on the CPU', () => {
  it.each(distributionNames)('answers as the reference does, for any number of rows: %s', async (weights) => {
    const model = mixed(weights);
    const predictor = await createPredictor(await cpu(), model);
    for (const rows of [1, 2, 3, 5, 64, 150, 1]) {
      const x = numbers(rows * 131, rows);
      expectClose(await predictor.predict(x), reference(model, x, rows), tolerance, `${rows} rows`);
    }
    await predictor.dispose();
  });

  it('answers as WebGPU does', async () => {
    const file = saveModel(mixed('normal'));
    const x = numbers(7 * 131, 3);
    const gpu = await loadModel(await testContext(), file);
    const here = await loadModel(await cpu(), file);
    expectClose(await here.predict(x), await gpu.predict(x), { ...tolerance, reason: 'f32 sums of either' });
    await gpu.dispose();
  });

  it('refuses wrong input by name, calls wait their turn', async () => {
    const predictor = await createPredictor(await cpu(), mixed('normal'));
    expect(() => predictor.predict(new Float32Array(130))).toThrow(DataError);
    expect(() => predictor.predict(new Float32Array(131).fill(Number.NaN))).toThrow('finite');
    await expect(predictor.prepare(0)).rejects.toThrow(DataError);
    const x = [1, 2, 3].map((seed) => numbers(131 * seed, seed));
    const together = await Promise.all(x.map((one) => predictor.predict(one)));
    for (const [i, one] of x.entries()) expectSame(await predictor.predict(one), together[i]!);
    await predictor.dispose();
    expect(() => predictor.predict(x[0]!)).toThrow('disposed');
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

describe('keepWeights', () => {
  const model = modelOf([halfDense({ units: 1024 }), halfDense({ units: 2048 }), dense({ units: 10 })], 1024);
  const size = 2 ** 20; // of the first layer; of the second it is twice that

  it('keeps the layers that fit, for single rows, and answers the same', async () => {
    const x = numbers(1024, 1);
    const want = reference(model, x, 1);
    const bytes: number[] = [];
    for (const keepWeights of [0, size, 3 * size - 1, 3 * size, Number.POSITIVE_INFINITY]) {
      const context = (await createContext({ backend: 'cpu', threads: 2, keepWeights })) as CpuContext;
      contexts.push(context);
      const forward = await CpuForward.create(context, model);
      for (const rows of [1, 3, 1, 1]) {
        const got = await forward.compute(Float32Array.from({ length: rows * 1024 }, (_, i) => x[i % 1024]!));
        for (let row = 0; row < rows; row++) expectClose(got.subarray(10 * row, 10 * row + 10), want, tolerance);
      }
      bytes.push(forward.memoryBytes);
      await forward.dispose();
    }
    const more = bytes.map((count) => Math.round((count - bytes[0]!) / size));
    expect(more).toEqual([0, 1, 1, 3, 3]);
  });

  it('is planned for this thread, layer by layer, then for the slices of others', async () => {
    const large = modelOf(
      [halfDense({ units: 4096 }), halfDense({ units: 4096 }), halfDense({ units: 8, weights: 'binary' })],
      1024,
    );
    const { nodes } = forwardGraph(large, 1).graph;
    const pool = await (await cpu(2)).pool();
    const planned = (bytes: number) =>
      [...planKeeping(nodes, bytes, pool).values()].map(({ there }) => (there ? 'shared' : 'here'));
    expect(planned(0)).toEqual([]);
    expect(planned(4 * size)).toEqual(['here']);
    expect(planned(5 * size)).toEqual(['shared']);
    expect(planned(20 * size - 1)).toEqual(['shared']);
    expect(planned(20 * size)).toEqual(['here', 'here']);
    expect(planned(21 * size)).toEqual(['shared', 'here']);
    expect(planned(28 * size - 1)).toEqual(['shared', 'here']);
    expect(planned(28 * size)).toEqual(['shared', 'shared']);
    expect([...planKeeping(forwardGraph(large, 2).graph.nodes, 28 * size, pool)]).toEqual([]);
  });

  it('computes on without, where memory is short', async () => {
    const machine = await (await cpu()).machine();
    vi.spyOn(machine, 'allocate').mockImplementation(function (this: typeof machine, bytes: number) {
      if (bytes > 2 ** 20) throw new OutOfMemoryError('no more');
      return Object.getPrototypeOf(machine).allocate.call(machine, bytes);
    });
    const product = { m: 1, k: 1024, n: 1024, weights: { seed: 1, tensor: 0, distribution: 'normal' } } as const;
    const [from, to] = [machine.place(numbers(1024, 1)), machine.allocate(4096)];
    const keeping = randomMatmul(machine, product, {}, new KeptWeights(machine, product));
    for (let i = 0; i < 3; i++) keeping(from, to);
    const got = machine.floats(to, 1024).slice();
    randomMatmul(machine, product)(from, to);
    expectSame(got, machine.floats(to, 1024));
  });
});

describe('threads', () => {
  it.each(distributionNames)('give the same bits as one: %s', async (weights) => {
    const model = modelOf([halfDense({ units: 4100, weights }), dense({ units: 10 })], 1024);
    const [alone, together, keeping] = [await cpu(1, 0), await cpu(3, 0), await cpu(3)];
    const first = await createPredictor(alone, model);
    for (const rows of [1, 6]) {
      const x = numbers(rows * 1024, rows).map((value, i) => (i % 20 < 7 ? 0 : value)); // some words are all 0
      const want = await first.predict(x);
      for (const context of [together, keeping]) {
        const predictor = await createPredictor(context, model);
        // Past the trials of either way (pool.ts).
        for (let i = 0; i < 18; i++) expectSame(await predictor.predict(x), want, `${rows} rows, call ${i}`);
        await predictor.dispose();
      }
    }
    expect(together.info).toMatch(/3 threads: asked for$/);
    expect(alone.info).toMatch(/1 thread: asked for$/);
    await first.dispose();
  });

  it('take part: what they are asked they answer', async () => {
    const [context, machine] = [await cpu(2), await (await cpu()).machine()];
    const pool = (await context.pool())!;
    const product = { m: 1, k: 1024, n: 4096, weights: { seed: 1, tensor: 0, distribution: 'normal' } } as const;
    const [from, to] = [machine.place(numbers(1024, 1)), machine.allocate(4 * 4096)];
    for (const kept of [undefined, new KeptWeights(machine, product)]) {
      const { call, dispose } = pool.share(machine, product, {}, kept, kept !== undefined);
      for (let time = 0; time < 3; time++) {
        expect(call(from, to)).toBeUndefined(); // alone
        const together = call(from, to);
        expect(together, 'one that had failed would not be asked again').toBeInstanceOf(Promise);
        await together;
      }
      dispose();
    }
  });

  it('share few units too, and units that are no multiple of 16', async () => {
    for (const [inputs, units] of [
      [65536, 17],
      [65536, 33],
      [65536, 50],
      [4096, 300],
      [1100, 1111],
    ] as const) {
      const model = modelOf([halfDense({ units }), dense({ units: 10 })], inputs);
      const x = numbers(inputs, units);
      const want = await (await createPredictor(await cpu(1), model)).predict(x);
      for (const threads of [2, 5]) {
        const predictor = await createPredictor(await cpu(threads), model);
        for (let i = 0; i < 5; i++)
          expectSame(await predictor.predict(x), want, `${inputs}x${units}, ${threads} threads`);
      }
    }
  });

  it('wait until a prediction is done before memory is laid out for another number of rows', async () => {
    const model = modelOf([halfDense({ units: 2048 }), dense({ units: 10 })], 1024);
    const x = numbers(1024, 1);
    const seven = Float32Array.from({ length: 7 * 1024 }, (_, i) => x[i % 1024]!);
    const want = await (await createPredictor(await cpu(1), model)).predict(x);
    const predictor = await createPredictor(await cpu(2), model);
    for (let i = 0; i < 6; i++) {
      await predictor.predict(seven); // alone; the next one is shared
      const running = predictor.predict(seven);
      await new Promise((resolve) => setTimeout(resolve, 0));
      const [many] = await Promise.all([running, predictor.prepare(1), predictor.prepare(1)]);
      for (let row = 0; row < 7; row++) expectClose(many.subarray(10 * row, 10 * row + 10), want, tolerance);
      for (let time = 0; time < 3; time++) expectSame(await predictor.predict(x), want, `round ${i}`);
    }
  });

  it('are asked or not, whichever was faster at first; not any more where one has failed', async () => {
    const way = (fast: 'alone' | 'together', failsAt = Number.POSITIVE_INFINITY) => {
      const busy = (ms: number) => {
        for (const end = performance.now() + ms; performance.now() < end; );
      };
      const log: string[] = [];
      const alone = () => {
        log.push('alone');
        busy(fast === 'alone' ? 0 : 2);
      };
      const together = async () => {
        log.push('together');
        if (log.length > failsAt) throw new Error('ended');
        busy(fast === 'together' ? 0 : 2);
      };
      const told = vi.fn();
      return { log, told, call: fasterOf(alone, together, 1, told) };
    };
    const calls = 20; // 14 of them trials
    const settled = async (which: ReturnType<typeof way>) => {
      for (let i = 0; i < calls; i++) await which.call(0, 0);
      return new Set(which.log.slice(14));
    };
    const [alone, together] = [way('alone'), way('together')];
    expect(await settled(alone)).toEqual(new Set(['alone']));
    expect(alone.told).toHaveBeenCalledTimes(1);
    expect(await settled(together)).toEqual(new Set(['together']));
    expect(together.told).not.toHaveBeenCalled();
    for (const failsAt of [3, 16]) {
      const failing = way('together', failsAt);
      await settled(failing);
      expect(failing.told).toHaveBeenCalledTimes(1);
      expect(failing.log.filter((name) => name === 'together')).toHaveLength(failsAt === 3 ? 2 : 10);
      expect(failing.log.at(-1)).toBe('alone');
    }
  });

  it('that end in the middle leave the work to this one', async () => {
    const model = modelOf([halfDense({ units: 4096 })], 1024);
    const context = await cpu(2);
    const predictor = await createPredictor(context, model);
    const x = numbers(1024, 1);
    const want = await predictor.predict(x);
    const calls = Array.from({ length: 9 }, () => predictor.predict(x));
    await calls[0]; // shared
    await (await context.pool())!.dispose();
    for (const got of await Promise.all(calls)) expectSame(got, want);
    expectSame(await predictor.predict(x), want);
  });
});

it('a program in Node stays until its threads have answered, and ends after that with nothing to do', () => {
  const program = `
    import { createContext, createPredictor, halfDense, sequential } from ${JSON.stringify(join(import.meta.dirname, '../../dist/weightless.js'))};
    const context = await createContext({ backend: 'cpu', threads: 2 });
    const predictor = await createPredictor(context, sequential([halfDense({ units: 2048 })], { input: [784], seed: 1 }));
    for (let i = 0; i < 12; i++) await predictor.predict(new Float32Array(8 * 784).fill(i));
    console.log('done');`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'done\n', stderr: '' });
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
    for (const keepWeights of [-1, Number.NaN]) {
      await expect(createContext({ backend: 'cpu', keepWeights })).rejects.toThrow('keepWeights of 0 or more bytes');
    }
  });
});
