/** `weightless-gpu/conformance` in both browsers, side by side: it takes the longest, and most of its time is one thread's. */
import { expect, it } from 'vitest';
import { type Report, wantedDigest } from '../../src/conformance/conformance.ts';
import { browserNames, openPage } from './harness.ts';

it('conforms in Chromium and Firefox: every kernel is its twin; weights and integer sums are those of every other device, bit for bit', async () => {
  const reports = await Promise.all(
    browserNames.map(async (name) => {
      const { page, url } = await openPage(name);
      await page.goto(url('blank.html'));
      return (await page.evaluate(`(async () => {
        const { conformance, createContext } = await import('./conformance.js');
        return conformance(await createContext({ backend: 'webgpu' }));
      })()`)) as Report;
    }),
  );
  for (const { findings, passed, digest } of reports) {
    expect(findings.flatMap(({ name, wrong }) => wrong.map((line) => `${name}: ${line}`))).toEqual([]);
    expect(passed).toBe(true);
    expect(digest).toBe(await wantedDigest());
  }
  expect(reports.map(({ runtime }) => /Firefox|Chrome/.exec(runtime)?.[0])).toEqual(['Chrome', 'Firefox']);
}, 400_000);
