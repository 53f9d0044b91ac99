import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { CachedWeights } from '../../src/cpu/cached-weights.ts';
import { fasterOf } from '../../src/cpu/pool.ts';
import { dense, halfDense } from '../../src/layers/dense.ts';
import { createPredictor } from '../../src/predict/predictor.ts';
import { distributionNames } from '../../src/weights/distributions.ts';
import { expectClose, expectSame } from '../compare.ts';
import { numbers } from '../kernels/harness.ts';
import { cpu, modelOf, tolerance } from './models.ts';

describe('threads', () => {
  it.each(distributionNames)('give the same bits as one: %s', async (weights) => {
    const model = modelOf([halfDense({ units: 4100, weights }), dense({ units: 10 })], 1024);
    const [alone, together, caching] = [await cpu(1, 0), await cpu(3, 0), await cpu(3)];
    const first = await createPredictor(alone, model);
    for (const rows of [1, 6]) {
      const x = numbers(rows * 1024, rows).map((value, i) => (i % 20 < 7 ? 0 : value)); // some words are all 0
      const want = await first.predict(x);
      for (const context of [together, caching]) {
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
    for (const cache of [undefined, new CachedWeights(machine, product)]) {
      const { call, dispose } = pool.share(machine, product, {}, cache, cache !== undefined);
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
      const onAlone = vi.fn();
      return { log, onAlone, call: fasterOf(alone, together, 1, onAlone) };
    };
    const calls = 20; // 14 of them trials
    const settled = async (which: ReturnType<typeof way>) => {
      for (let i = 0; i < calls; i++) await which.call(0, 0);
      return new Set(which.log.slice(14));
    };
    const [alone, together] = [way('alone'), way('together')];
    expect(await settled(alone)).toEqual(new Set(['alone']));
    expect(alone.onAlone).toHaveBeenCalledTimes(1);
    expect(await settled(together)).toEqual(new Set(['together']));
    expect(together.onAlone).not.toHaveBeenCalled();
    for (const failsAt of [3, 16]) {
      const failing = way('together', failsAt);
      await settled(failing);
      expect(failing.onAlone).toHaveBeenCalledTimes(1);
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
