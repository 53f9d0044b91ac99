/** What a page may ask of the library for a long time: two contexts, a worker, thousands of predictions. */
import { describe, expect, it } from 'vitest';
import { expectFlat, expectLeak } from './flat-memory.ts';
import { browserNames, openPage } from './harness.ts';

/** In the page: a small model and an input for it. */
const setting = `
  const w = { ...(await import('./weightless.js')), ...(await import('./train.js')) };
  const layers = [w.halfDense({ units: 64 }), w.dense({ units: 10 })];
  const model = w.sequential(layers, { input: [100], seed: 3 });
  const x = Float32Array.from({ length: 100 }, (_, i) => Math.sin(i));`;

describe.each(browserNames)('%s', (name) => {
  it('two contexts on one page are apart: what one computes or loses does not touch the other', async () => {
    const { page, url, errors } = await openPage(name);
    await page.goto(url('blank.html'));
    const result = await page.evaluate(`(async () => {
      ${setting}
      const [a, b] = await Promise.all([w.createContext({ backend: 'webgpu' }), w.createContext({ backend: 'webgpu' })]);
      const [first, second] = await Promise.all([a, b].map((context) => w.loadModel(context, w.saveModel(model))));
      const both = await Promise.all([first.predict(x), second.predict(x)]);
      const held = b.memory.bytes;
      a.dispose();
      const refused = await first.predict(x).catch(({ name }) => name);
      const after = await second.predict(x);
      await second.dispose();
      return { apart: a.device !== b.device, same: both.map(String), after: String(after), refused, held, left: b.memory.bytes };
    })()`);
    const { apart, same, after, refused, held, left } = result as {
      apart: boolean;
      same: string[];
      after: string;
      refused: string;
      held: number;
      left: number;
    };
    expect(apart).toBe(true);
    expect(same[1]).toBe(same[0]);
    expect(after).toBe(same[0]);
    expect(refused).toBe('DeviceLostError');
    expect(held).toBeGreaterThan(0);
    expect(left).toBe(0);
    expect(errors).toEqual([]);
  });

  it('a context in a worker trains and predicts; the page predicts the same with its model', async () => {
    const worker = `${setting}
      const labels = Array.from({ length: 256 }, (_, i) => i % 10);
      const features = Float32Array.from({ length: 25600 }, (_, i) => Math.sin(i * (1 + labels[Math.floor(i / 100)])));
      const context = await w.createContext({ backend: 'webgpu' });
      const before = String(model.parameters.get('layers.0.u'));
      for await (const _ of w.fit(context, model, w.dataSet({ features, shape: [100], labels }), { epochs: 2 }));
      const predictor = await w.createPredictor(context, model);
      const trained = String(model.parameters.get('layers.0.u')) !== before;
      postMessage({ file: w.saveModel(model), answer: [...(await predictor.predict(x))], trained });`;
    const { page, url, errors } = await openPage(name, { 'work.js': new TextEncoder().encode(worker) });
    await page.goto(url('blank.html'));
    const found = (await page.evaluate(`(async () => {
      const worker = new Worker('work.js', { type: 'module' });
      const { file, answer, trained } = await new Promise((done, fail) => {
        worker.onmessage = ({ data }) => done(data);
        worker.onerror = ({ message }) => fail(new Error(message));
      });
      ${setting}
      const predictor = await w.loadModel(w.createContext({ backend: 'webgpu' }), file);
      return { trained, inWorker: answer, inPage: [...(await predictor.predict(x))] };
    })()`)) as { trained: boolean; inWorker: number[]; inPage: number[] };
    expect(found.trained).toBe(true);
    expect(found.inWorker).toHaveLength(10);
    expect(found.inPage).toEqual(found.inWorker);
    expect(errors).toEqual([]);
  });

  it('500 predictions leave memory as it was (npm run test:long: 10,000)', () => expectFlat(name, 500));

  it.each(['buffer', 'bind group'] as const)('100 predictions that leak a %s each are told', (leak) =>
    expectLeak(name, 100, leak),
  );
});
