/** The report of a training, opened: whole in itself, readable on wide pages and narrow ones, by light and in the dark. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { expect, it } from 'vitest';
import { dataSet } from '../../src/data/dataset.ts';
import { figuresOf } from '../../src/train/figures.ts';
import { type ReportContent, reportPage } from '../../tools/cli/train-report.ts';
import type { TrainedRun } from '../../tools/cli/trained-run.ts';
import { drawing, pageHtml } from '../../tools/experiments/page.ts';
import { numbers } from '../kernels/harness.ts';
import { openPage } from './harness.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Pictures of three classes, of which the model gets some wrong and one class always. */
function content(): ReportContent {
  const rows = 60;
  const labels = Array.from({ length: rows }, (_, row) => row % 3);
  const features = Uint8Array.from({ length: rows * 64 }, (_, i) => (i * 37 + 11 * Math.floor(i / 64)) % 256);
  const names = ['cat', 'dog', '<b>bird</b>'];
  const test = dataSet({ features, shape: [8, 8], labels, classNames: names });
  const noise = numbers(rows * 3, 1);
  const outputs = noise.map(
    (value, i) => value + (i % 3 === labels[Math.floor(i / 3)] && i % 3 < 2 ? 1 : 0) - (i % 3 === 2 ? 3 : 0),
  );
  const history = Array.from({ length: 12 }, (_, i) => ({
    ...{
      epoch: i + 1,
      loss: 1 / (i + 1),
      accuracy: 0.5 + i / 30,
      learningRate: 0.01,
      seconds: 1,
      best: Math.min(8, i + 1),
    },
    validation: { loss: 0.3 + 1 / (i + 1) + (i > 7 ? 0.05 * (i - 7) : 0), accuracy: 0.5 + i / 40 },
  }));
  const run: TrainedRun = {
    ...{ layers: [], network: '64-256-3 half normal', seed: 0, epochs: 20, bestEpoch: 8, history },
    ...{ test: figuresOf(outputs, test), testAccuracy: 0.5, trainedParameters: 1283, modelBytes: 6000 },
    ...{ storedWeightBytes: 65_536, trainSeconds: 3, predictMs: 0.1, adapter: 'CPU' },
  };
  return {
    run,
    test,
    outputs,
    names,
    data: 'animals',
    command: 'weightless train --data-dir animals',
    notes: ['60 pictures'],
  };
}

it('asks for nothing, fits wide and narrow pages, and axe-core finds nothing serious', async () => {
  const page = reportPage(content());
  expect(page.findings).toEqual([
    expect.stringMatching(/the class '<b>bird<\/b>' is never found: 0 of its 20 test rows/),
  ]);
  const html = await pageHtml(page, await drawing());
  const { page: tab, url, asked, errors } = await openPage('Chromium', { 'report.html': Buffer.from(html) });
  for (const scheme of ['light', 'dark']) {
    await tab.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    for (const width of [1280, 390]) {
      await tab.setViewport({ width, height: 900 });
      await tab.goto(url('report.html'));
      const seen = await tab.evaluate(() => ({
        overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        titles: [...document.querySelectorAll('h2')].map(({ textContent }) => textContent),
        charts: [...document.querySelectorAll('svg.marks')].map((svg) => svg.getBoundingClientRect().width > 100),
        pictures: [...document.images].map(({ naturalWidth }) => naturalWidth),
        caption: document.querySelector('figcaption')!.textContent,
        bold: document.querySelectorAll('b').length,
      }));
      expect(seen.overflow).toBeLessThanOrEqual(0);
      expect(seen.titles).toEqual(['Training', 'Confusion', 'Classes', 'Wrong examples']);
      expect(seen.charts).toEqual([true, true, true]); // loss, accuracy, confusion
      expect(seen.pictures).toHaveLength(24);
      expect(new Set(seen.pictures)).toEqual(new Set([112]));
      expect(seen.caption).toMatch(/^test row \d+: is .*, predicted .* \(\d+\.\d\d%\)$/);
      expect(seen.bold).toBe(0); // names are text
      await tab.evaluate(axe);
      const { violations } = (await tab.evaluate('axe.run()')) as AxeResults;
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      expect(serious.map(({ id, nodes }) => `${scheme} ${width}: ${id} ${nodes[0]!.html.slice(0, 120)}`)).toEqual([]);
      const shots = process.env.WEIGHTLESS_SHOTS;
      if (shots) await tab.screenshot({ path: `${shots}/report-${scheme}-${width}.png`, fullPage: true });
    }
  }
  expect(
    asked.filter(
      (address) => !address.startsWith('data:') && address !== url('report.html') && !/favicon/.test(address),
    ),
  ).toEqual([]);
  expect(errors.filter((error) => !/404/.test(error))).toEqual([]);
});
