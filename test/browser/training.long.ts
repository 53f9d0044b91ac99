/** `npm run test:long`: training in the page on all of MNIST, from the press of the button, data included. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildDemo } from '../../demo/build.mjs';
import { ready, text } from './demo-page.ts';
import { openPage } from './harness.ts';

const WITHIN_SECONDS = 120;

it.each(['half', 'random'])(
  `a %s network reaches 95 percent of the test images within ${WITHIN_SECONDS} s`,
  async (kind) => {
    const folder = mkdtempSync(join(tmpdir(), 'weightless-training-'));
    await buildDemo(folder, { library: false, quickly: true });
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
      (name) => statSync(join(folder, name)).isFile() && !name.includes('fashion-mnist'),
    );
    const { page, url, errors } = await openPage(
      'Chromium',
      Object.fromEntries(names.map((name) => [`demo/${name.replaceAll('\\', '/')}`, readFileSync(join(folder, name))])),
    );
    rmSync(folder, { recursive: true });
    await page.goto(url('demo/index.html'));
    await ready(page);
    await page.evaluate("document.getElementById('train').scrollIntoView()");
    await page.waitForFunction("document.querySelector('[name=units]').options.length > 0");
    await page.evaluate(`document.querySelector('[name=kind][value=${kind}]').click();
    document.querySelector('[name=epochs]').value = '2'`);
    const started = performance.now();
    await page.click('#start');
    await page.waitForFunction("/^(Done|Training failed)/.test(document.getElementById('status').textContent)", {
      timeout: 600_000,
    });
    const seconds = (performance.now() - started) / 1000;
    const said = await text(page, '#status');
    console.log(`${kind}: ${seconds.toFixed(1)} s, ${said}`);
    expect(Number(/^Done: ([\d.]+)%/.exec(said)?.[1])).toBeGreaterThan(95);
    expect(seconds).toBeLessThan(WITHIN_SECONDS);
    expect(errors).toEqual([]);
  },
);
