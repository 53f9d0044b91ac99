/** Tuning in a page: its code is loaded when it is asked for, and what was measured stays in the page's storage. */
import { expect, it } from 'vitest';
import { forwardKernels } from '../../src/gpu/choose/forward-kernels.ts';
import { browserNames, openPage } from './harness.ts';

it.each(browserNames)('%s loads the tuner where a context tunes alone, and remembers in localStorage', async (name) => {
  const { page, url, errors } = await openPage(name);
  await page.goto(url('blank.html'));
  const result = (await page.evaluate(`(async () => {
    const w = await import('./weightless.js');
    const modules = () => performance.getEntriesByType('resource').map(({ name }) => name.slice(name.lastIndexOf('/') + 1)).filter((name) => name.endsWith('.js'));
    const model = w.sequential([w.halfDense({ units: 30, weights: 'uniform' })], { input: [50] });
    const x = Float32Array.from({ length: 50 }, (_, i) => (i % 7) - 3);
    const plain = await w.createContext({ backend: 'webgpu' }).then(() => ({ modules: modules(), kept: { ...localStorage } }));
    const answer = async () => {
      const context = await w.createContext({ backend: 'webgpu', tune: true });
      const predictor = await w.createPredictor(context, model);
      const y = [...(await predictor.predict(x))];
      await predictor.dispose();
      return { y, modules: modules(), kept: { ...localStorage } };
    };
    return { plain, tuned: await answer(), again: await answer() };
  })()`)) as Record<'plain' | 'tuned' | 'again', { y: number[]; modules: string[]; kept: Record<string, string> }>;
  const { plain, tuned, again } = result;
  expect(plain.kept).toEqual({});
  // The tuner, the kernels of tiles and split inputs, which this prediction of one row does not need, and its weights.
  expect(tuned.modules.filter((file) => !plain.modules.includes(file)).sort()).toEqual([
    'random_matmul.js',
    'random_matmul_split.js',
    'random_matmul_wide.js',
    'tuner.js',
    'uniform.js',
  ]);
  const [[key, value], ...others] = Object.entries(tuned.kept) as [[string, string]];
  expect(others).toEqual([]);
  expect(key).toMatch(/^weightless \d+\.\d+\.\d+ kernels on /);
  const kernels = JSON.parse(value) as Record<string, string>;
  expect(Object.keys(kernels)).toEqual(['uniform 2^0,6,5']);
  expect(Object.keys(forwardKernels)).toContain(kernels['uniform 2^0,6,5']);
  expect(again).toEqual(tuned);
  expect(errors).toEqual([]);
});
