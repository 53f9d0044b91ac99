/** Tuning in a page: its code is loaded when it is asked for, and what was measured stays in the page's storage. */
import { afterEach, expect, it } from 'vitest';
import { forwardKernels } from '../../src/choose.ts';
import { type Browser, browserNames, openBrowser } from './harness.ts';

let browser: Browser | undefined;
afterEach(async () => {
  await browser?.close();
  browser = undefined;
});

it.each(browserNames)('%s loads the tuner where a context tunes alone, and remembers in localStorage', async (name) => {
  browser = await openBrowser(name);
  await browser.page.goto(browser.url('blank.html'));
  const result = (await browser.page.evaluate(`(async () => {
    const w = await import('./weightless.js');
    const modules = () => performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.js')).length;
    const model = w.sequential([w.halfDense({ units: 30 })], { input: [50] });
    const x = Float32Array.from({ length: 50 }, (_, i) => (i % 7) - 3);
    const answer = async (options) => {
      const context = await w.createContext(options);
      const predictor = await w.createPredictor(context, model);
      const y = [...(await predictor.predict(x))];
      await predictor.dispose();
      return { y, modules: modules(), kept: { ...localStorage } };
    };
    const plain = await answer({});
    const tuned = await answer({ tune: true });
    const again = await answer({ tune: true });
    return { plain, tuned, again };
  })()`)) as Record<'plain' | 'tuned' | 'again', { y: number[]; modules: number; kept: Record<string, string> }>;
  const { plain, tuned, again } = result;
  expect(plain.kept).toEqual({});
  expect(tuned.modules).toBe(plain.modules + 1);
  const [[key, value], ...others] = Object.entries(tuned.kept) as [[string, string]];
  expect(others).toEqual([]);
  expect(key).toMatch(/^weightless \d+\.\d+\.\d+ kernels on /);
  const kernels = JSON.parse(value) as Record<string, string>;
  expect(Object.keys(kernels)).toEqual(['normal 2^0,6,5']);
  expect(Object.keys(forwardKernels)).toContain(kernels['normal 2^0,6,5']);
  expect(again).toEqual(tuned);
  expect(browser.errors).toEqual([]);
});
