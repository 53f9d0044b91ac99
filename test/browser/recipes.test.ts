/** The page of docs/recipes.md that learns symbols, used as somebody would: drawn on, taught, left before a training is saved, and opened again. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { describe, expect, it } from 'vitest';
import { blocksOf, root } from '../documents.ts';
import { browserNames, openPage } from './harness.ts';

type Point = readonly [x: number, y: number];

/** Strokes on a square from 0 to 1; `i` moves and scales them. */
const circle: Point[] = Array.from({ length: 17 }, (_, k) => [
  Math.cos((k * Math.PI) / 8),
  Math.sin((k * Math.PI) / 8),
]);
const SYMBOLS: Record<string, readonly (readonly Point[])[]> = {
  circle: [circle],
  cross: [
    [
      [-1, -1],
      [1, 1],
    ],
    [
      [-1, 1],
      [1, -1],
    ],
  ],
  line: [
    [
      [-1, 0],
      [1, 0],
    ],
  ],
};

async function draw(page: Page, strokes: (typeof SYMBOLS)[string], i: number): Promise<void> {
  const box = (await (await page.$('canvas'))!.boundingBox())!;
  const at = ([x, y]: Point): Point => {
    const size = box.width * (0.28 + 0.02 * (i % 3));
    return [
      box.x + box.width * (0.5 + 0.03 * ((i % 5) - 2)) + size * x,
      box.y + box.height * (0.5 + 0.03 * ((i % 4) - 1.5)) + size * y,
    ];
  };
  for (const stroke of strokes) {
    await page.mouse.move(...at(stroke[0]!));
    await page.mouse.down();
    for (const point of stroke.slice(1)) await page.mouse.move(...at(point), { steps: Math.ceil(16 / stroke.length) });
    await page.mouse.up();
  }
}

const said = (page: Page) => page.$eval('output', (output) => output.textContent ?? '');

async function recognised(page: Page, name: string, i: number): Promise<boolean> {
  await page.click('button[type=reset]');
  await page.$eval('output', (output) => {
    output.textContent = 'waiting';
  });
  await draw(page, SYMBOLS[name]!, i);
  await expect.poll(() => said(page)).not.toBe('waiting');
  await new Promise((resolve) => setTimeout(resolve, 100)); // a symbol of two strokes is classified twice
  return (await said(page)) === name;
}

const modelBytes = () =>
  new Promise<number>((resolve) => {
    const opening = indexedDB.open('symbols');
    opening.onsuccess = () => {
      const reading = opening.result.transaction('saved').objectStore('saved').get('all');
      reading.onsuccess = () => resolve(reading.result.file?.byteLength ?? 0);
    };
  });

it('a script tag names a part that does not exist, and one that is not served', async () => {
  const script = '<!doctype html><link rel="icon" href="data:,"><script src="alone/weightless.global.js"></script>';
  const { page, url } = await openPage('Chromium', {
    'index.html': Buffer.from(script),
    'alone/weightless.global.js': readFileSync(join(root, 'dist/weightless.global.js')),
    'alone/weightless.fields.global.js': Buffer.from('// of another version'),
  });
  await page.goto(url('index.html'));
  const refused = (part: string) =>
    page.evaluate(
      `weightless.load('${part}').catch((error) => [error instanceof weightless.WeightlessError, error.name, error.message])`,
    );
  expect(await refused('training')).toEqual([
    true,
    'OptionError',
    "weightless.load: expected one of train, convolution, fields, signals; got 'training'",
  ]);
  expect(await refused('train')).toEqual([
    true,
    'LoadError',
    `weightless.load: ${url('alone/weightless.train.global.js')} did not load. Serve all of dist/.`,
  ]);
  expect(await refused('fields')).toEqual([true, 'LoadError', expect.stringContaining('of the same version')]);
});

describe.each(browserNames)('%s', (browser) => {
  it('learns three symbols from three drawings each, and keeps them where the result of a training is lost', async () => {
    const { code } = blocksOf('docs/recipes.md').find(({ name }) => name === 'symbols.html')!;
    const script = /<script type="module">\n([\s\S]*)<\/script>/.exec(code)![1]!;
    expect(script.trim().split('\n').length).toBeLessThanOrEqual(30);
    const files = { 'symbols.html': Buffer.from(code.replaceAll('./node_modules/weightless-gpu/dist/', './')) };
    const { page, url, errors } = await openPage(browser, { ...files, 'favicon.ico': Buffer.of() });
    await page.goto(url('symbols.html'));
    await page.waitForFunction("document.querySelector('output').textContent === '0 examples'");
    let taught = 0;
    const teach = async (name: string, i: number) => {
      await page.click('button[type=reset]');
      await draw(page, SYMBOLS[name]!, i);
      await page.type('input', name);
      await page.click('button');
      taught++;
    };
    for (let i = 0; i < 3; i++) {
      for (const name of Object.keys(SYMBOLS)) {
        await teach(name, i);
        await page.waitForFunction("!document.querySelector('form').inert");
        expect(await said(page)).toMatch(new RegExp(`^${taught} examples`));
      }
    }
    for (const name of Object.keys(SYMBOLS)) expect(await recognised(page, name, 7)).toBe(true);
    expect(await page.evaluate(modelBytes)).toBeGreaterThan(1000);
    expect(await page.evaluate(modelBytes)).toBeLessThan(10_000);
    await page.evaluate(() => {
      // The examples are stored before a training, its result after it: the page goes before the second.
      const { put } = IDBObjectStore.prototype;
      let calls = 0;
      IDBObjectStore.prototype.put = function (...args) {
        if (++calls === 1) return put.apply(this, args);
        location.reload();
        return {} as IDBRequest<IDBValidKey>;
      };
    });
    const before = await page.evaluate(modelBytes);
    const reloaded = page.waitForNavigation();
    await teach('line', 5);
    await reloaded;
    await page.waitForFunction(`document.querySelector('output').textContent === '${taught} examples'`);
    expect(await page.evaluate(modelBytes)).toBe(before);
    for (const name of Object.keys(SYMBOLS)) expect(await recognised(page, name, 6)).toBe(true);
    expect(errors).toEqual([]);
  });
});
