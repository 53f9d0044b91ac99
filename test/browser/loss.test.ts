/** A device that is lost: every call that waits is refused by name, none hangs, and the same model goes on in a new context. */
import { describe, expect, it } from 'vitest';
import { browserNames, openPage } from './harness.ts';

describe.each(browserNames)('%s', (name) => {
  it('refuses running and new predictions by name, and predicts the same in a new context', async () => {
    const { page, url, errors } = await openPage(name);
    await page.goto(url('blank.html'));
    const found = await page.evaluate(`(async () => {
      const { createContext, createPredictor, dense, halfDense, sequential } = await import('./weightless.js');
      const model = sequential([halfDense({ units: 20, weights: 'binary' }), dense({ units: 3 })], { input: [30], seed: 6 });
      const x = Float32Array.from({ length: 30 }, (_, i) => Math.sin(i));
      const nameOf = (promise) => promise.then(() => 'an answer', ({ name, message }) => name + (/Create a new context/.test(message) ? '' : ': ' + message));
      const context = await createContext({ backend: 'webgpu' });
      const predictor = await createPredictor(context, model);
      const want = [...(await predictor.predict(x))];
      const refused = [];
      const [first, second] = [nameOf(predictor.predict(x)), nameOf(predictor.predict(x))];
      await Promise.resolve(); // the first has begun, the second waits for it
      context.device.destroy();
      refused.push(await first, await second, (await context.lost).name);
      refused.push(await nameOf(predictor.predict(x)), await nameOf(createPredictor(context, model)), await nameOf(context.settle()));
      await predictor.dispose();
      context.dispose();
      const again = await createPredictor(await createContext({ backend: 'webgpu' }), predictor.model);
      return { refused, want, again: [...(await again.predict(x))], left: context.memory.bytes };
    })()`);
    const { refused, want, again, left } = found as Record<'want' | 'again', number[]> & {
      refused: string[];
      left: number;
    };
    expect(refused).toEqual(Array(6).fill('DeviceLostError'));
    expect(again).toEqual(want);
    expect(left).toBe(0);
    expect(errors).toEqual([]);
  });

  it('refuses a training under way by name, with the parameters of the last whole epoch; it goes on in a new context', async () => {
    const { page, url, errors } = await openPage(name);
    await page.goto(url('blank.html'));
    const found = await page.evaluate(`(async () => {
      const w = { ...(await import('./weightless.js')), ...(await import('./train.js')) };
      const labels = Array.from({ length: 1280 }, (_, i) => i % 2);
      const features = Float32Array.from({ length: 12800 }, (_, i) => Math.sin(i * i) + 2 * labels[Math.floor(i / 10)]);
      const data = w.dataSet({ features, shape: [10], labels });
      const model = w.sequential([w.dense({ units: 2 })], { input: [10], seed: 1 }); // few kernels to compile
      const parameters = () => [...model.parameters.values()].flatMap((values) => [...values]).join();
      const context = await w.createContext({ backend: 'webgpu' });
      const kept = [];
      let lost;
      try {
        const onProgress = ({ phase, epoch }) => phase === 'train' && epoch === 3 && context.device.destroy();
        for await (const _ of w.fit(context, model, data, { epochs: 9, batchSize: 64, learningRate: 0.01, onProgress })) kept.push(parameters());
      } catch ({ name }) {
        lost = name;
      }
      const after = parameters();
      const accuracies = [];
      for await (const { accuracy } of w.fit(await w.createContext({ backend: 'webgpu' }), model, data, { epochs: 6, batchSize: 64, learningRate: 0.01 })) accuracies.push(accuracy);
      return { lost, kept: kept.length, same: after === kept.at(-1), last: accuracies.at(-1), left: context.memory.bytes };
    })()`);
    const { last, ...rest } = found as { last: number };
    expect(rest).toEqual({ lost: 'DeviceLostError', kept: 2, same: true, left: 0 });
    expect(last).toBeGreaterThan(0.9);
    expect(errors).toEqual([]);
  });
});
