/** The report of an experiment, opened: whole in itself, its charts and tables there, on wide pages and narrow ones. */
import { expect, it } from 'vitest';
import { paper } from '../../tools/experiments/paper.ts';
import { reportHtml } from '../../tools/experiments/report.ts';
import { madeUp } from '../made-up-results.ts';
import { openPage } from './harness.ts';

it('asks for nothing and shows every section', async () => {
  const networks = [
    'dense 32 relu',
    'dense 512 relu',
    'half 128 normal',
    'half 512 normal',
    'half 512 binary',
    'random 512 normal',
  ];
  const results = networks.flatMap((hidden, i) =>
    [0, 1, 2].map((seed) =>
      madeUp({
        network: `${hidden}, dense classes`,
        seed,
        testAccuracy: 0.9 + 0.01 * i + 0.001 * seed,
        trainedParameters: 1000 * (i + 1),
      }),
    ),
  );
  const html = await reportHtml(paper, results, 'weightless experiment paper --only "<b>"');
  expect(html.length).toBeLessThan(1.5e6);
  const { page, url, asked, errors } = await openPage('Chromium', { 'report.html': Buffer.from(html) });
  for (const width of [1240, 390]) {
    await page.setViewport({ width, height: 900 });
    await page.goto(url('report.html'));
    const seen = await page.evaluate(() => {
      const sections = [...document.querySelectorAll('section')];
      const isDrawn = (svg: Element) =>
        svg.getBoundingClientRect().width > 100 && svg.querySelectorAll('path').length > 5;
      return {
        overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        titles: sections.map((section) => section.querySelector('h2')!.textContent),
        charts: sections.flatMap((section) => [...section.querySelectorAll('svg.marks')].map(isDrawn)),
        pictures: [...document.images].map(({ naturalWidth }) => naturalWidth > 0),
        rows: [...document.querySelectorAll('tbody tr')].map((row) => row.textContent),
        command: document.querySelector('code')!.textContent,
      };
    });
    expect(seen.overflow).toBeLessThanOrEqual(0);
    expect(seen.titles).toContain('Accuracy against trained parameters');
    expect(seen.charts).toEqual(new Array(5).fill(true)); // parameters, units, randomisations, learning curves, confusion
    expect(seen.pictures).toEqual([true, true]); // normal, binary
    expect(seen.rows).toHaveLength(networks.length);
    expect(seen.rows[0]).toMatch(/dense 32 relu, dense 10390\.10% ± 0\.10%/);
    expect(seen.command).toBe('weightless experiment paper --only "<b>"');
  }
  expect(asked.filter((address) => !address.startsWith('data:') && !/favicon/.test(address))).toEqual([
    url('report.html'),
    url('report.html'),
  ]);
  expect(errors.filter((error) => !/404/.test(error))).toEqual([]); // the icon that browsers ask for by themselves
});
