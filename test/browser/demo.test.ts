/** The built demo: screenshots, drawing, files, training, the files that it loads, and accessibility. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildDemo } from '../../demo/build.mjs';
import { dataSets, type ModelEntry } from '../../demo/src/models.ts';
import { registerConvolutions } from '../../src/convolution.ts';
import { percent } from '../../src/core/format.ts';
import { registerFields } from '../../src/fields.ts';
import { type HalfSpec, readModel } from '../../src/index.ts';
import { draw, drawings, ready, text } from './demo-page.ts';
import { type BrowserName, browserNames, openPage } from './harness.ts';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'weightless-demo-'));
/** Screenshots for inspection; not in the repository. */
const shots = join(root, 'shots');

/** Number of units that the page draws at a time. */
const MOST_FIELDS = 16;

let files: Record<string, Uint8Array>;

/** The first `rows` of a gzipped IDX file. */
function shortened(path: string, rows: number): Uint8Array {
  const whole = gunzipSync(readFileSync(path));
  const header = 4 + 4 * whole[3]!;
  const row = (whole.length - header) / whole.readUInt32BE(4);
  const short = Buffer.from(whole.subarray(0, header + rows * row));
  short.writeUInt32BE(rows, 4);
  return gzipSync(short);
}

beforeAll(async () => {
  registerConvolutions();
  registerFields();
  await buildDemo(folder, { library: false, quickly: true });
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  );
  files = Object.fromEntries(
    names.map((name) => [`demo/${name.replaceAll('\\', '/')}`, readFileSync(join(folder, name))]),
  );
  for (const part of ['train', 'test']) {
    for (const kind of ['images', 'labels']) {
      const name = `data/mnist/${part}-${kind}.gz`;
      files[`demo/${name}`] = shortened(join(folder, name), part === 'train' ? 3000 : 500);
    }
  }
}, 400_000); // packing the images takes minutes on a busy machine; the result is cached
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function open(name: BrowserName, atEnd?: (close: () => Promise<void>) => void) {
  const opened = await openPage(name, files, atEnd);
  const { page, url } = opened;
  await page.setViewport({ width: 1280, height: 900 });
  await page.evaluateOnNewDocument(KEEP_DEVICES);
  await page.evaluateOnNewDocument("try { localStorage.setItem('theme', 'light') } catch {}");
  await page.goto(url('demo/index.html?backend=webgpu')); // by default the CPU backend replaces a software adapter
  await ready(page);
  return opened;
}

/** Runs in the page before its own scripts: collects every device that it opens in `devices`. */
const KEEP_DEVICES = `const { requestDevice } = GPUAdapter.prototype;
  globalThis.devices = [];
  GPUAdapter.prototype.requestDevice = async function (...options) {
    const device = await requestDevice.apply(this, options);
    devices.push(device);
    return device;
  };`;

/** The number of colours in each receptive field. */
const COLOURS = `[...document.querySelectorAll('#units canvas')].map((canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
})`;

/** Drops a file on the page. */
const drop = (file: string) => `(async () => {
  const data = new DataTransfer();
  data.items.add(await ${file});
  dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
})()`;

/** `hold(file)` delays fetches of that file until `release()`, which waits until the page has opened it. */
const HOLD = `{
  const { fetch } = globalThis;
  let go;
  globalThis.hold = (file) => {
    const held = new Promise((resolve) => { go = resolve; });
    globalThis.fetch = async (...request) => {
      if (String(request[0]).endsWith(file)) await held;
      return fetch(...request);
    };
  };
  globalThis.release = async () => {
    go();
    await new Promise((resolve) => setTimeout(resolve, 500));
  };
}`;

const models = JSON.parse(readFileSync(join(root, 'demo/models/models.json'), 'utf8')) as ModelEntry[];
const offered = (at: number) => ({ ...models[at]!, id: String(at) });
const clothes = offered(models.findIndex(({ data }) => data === 'fashion-mnist'));
const digits = offered(models.findLastIndex(({ data }) => data === 'mnist'));
/** Whether the page shows that model, recognized by its accuracy. */
const shows = ({ accuracy }: ModelEntry) =>
  `document.getElementById('facts').textContent.includes('${percent(accuracy)}')`;

const best = (page: Page) => text(page, '#best');
const isBest = (page: Page, answer: string) =>
  page.waitForFunction(`document.getElementById('best').textContent === '${answer}'`);

describe.each(browserNames)('%s', (name) => {
  it('renders at desktop and phone widths, light and dark, without a horizontal scroll bar or an axe violation', async () => {
    mkdirSync(shots, { recursive: true });
    const { page, errors } = await open(name);
    await page.evaluate(readFileSync(join(root, 'node_modules/axe-core/axe.min.js'), 'utf8'));
    await draw(page, drawings[5]!);
    for (const theme of ['light', 'dark']) {
      for (const width of [1280, 390]) {
        await page.setViewport({ width, height: 900 });
        await page.waitForFunction("document.querySelector('#loss-chart canvas')");
        const path = join(shots, `demo-${name.toLowerCase()}-${width}-${theme}.png`);
        rmSync(path, { force: true });
        await page.screenshot({ path: path as `${string}.png`, fullPage: true });
        expect(existsSync(path)).toBe(true);
        // Every receptive field is painted, in many colours.
        const fields = (await page.evaluate(COLOURS)) as number[];
        expect(fields).toHaveLength(MOST_FIELDS);
        expect(Math.min(...fields)).toBeGreaterThan(20);
        for (const inner of width === 390 ? [390, 360] : [width]) {
          await page.setViewport({ width: inner, height: 800 });
          expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(inner);
        }
      }
      const { violations } = (await page.evaluate('axe.run()')) as {
        violations: { id: string; help: string; nodes: { html: string }[] }[];
      };
      expect(violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes[0]!.html}`)).toEqual([]);
      await page.click('#theme'); // light, then dark
    }
    expect(errors).toEqual([]);
  });

  it('reads digits drawn with the mouse, after a device loss too, or with the keyboard alone; switches models; loads only its own files', async () => {
    const { page, errors, url, asked } = await open(name);
    const read: string[] = [];
    for (const strokes of drawings) {
      await page.click('#clear');
      expect(await text(page, '#sure')).toBe('nothing drawn yet');
      await draw(page, strokes);
      read.push(await best(page));
    }
    expect(read.join('')).toBe('0123456789');
    await page.waitForFunction("document.getElementById('announcement').textContent.startsWith('9, ')"); // for screen readers
    // The device is lost during a prediction: a new one finishes it, with the same drawing.
    await draw(page, drawings[7]!);
    await page.evaluate(`const { x, y } = document.getElementById('pad').getBoundingClientRect();
      document.getElementById('best').textContent = '';
      const touch = (type) => new PointerEvent(type, { clientX: x + 280 * 0.45, clientY: y + 280 * 0.82, pointerId: 1, isPrimary: true });
      const pad = document.getElementById('pad');
      pad.setPointerCapture = () => {};
      pad.dispatchEvent(touch('pointerdown'));
      pad.dispatchEvent(touch('pointerup'));
      setTimeout(() => devices[0].destroy())`);
    await isBest(page, '7');
    await page.waitForFunction("document.getElementById('notice').textContent.includes('has been reopened')");
    expect(await page.evaluate('devices.length')).toBe(2);
    expect(await text(page, '#problem')).toBe('');
    await draw(page, drawings[2]!);
    expect(await best(page)).toBe('2');
    await page.focus('#pad');
    await page.keyboard.press('Escape');
    for (let i = 0; i < 7; i++) await page.keyboard.press('ArrowUp');
    await page.keyboard.press(' ');
    for (let i = 0; i < 14; i++) await page.keyboard.press('ArrowDown');
    await page.keyboard.press(' ');
    await isBest(page, '1');
    await page.select('#model', '1');
    await page.waitForFunction("document.querySelectorAll('#scores li')[0].textContent.includes('T-shirt')");
    await page.waitForFunction("document.getElementById('sure').textContent.includes('%')");
    await page.evaluate("document.getElementById('train').scrollIntoView()");
    await page.waitForFunction("document.querySelector('[name=units]').options.length > 0");
    const outside = asked.filter((address) => !address.startsWith(url('demo/')) && !/^(data|blob):/.test(address));
    expect(outside).toEqual([]);
    expect(asked.some((address) => address.includes('/data/mnist/'))).toBe(false); // fetched only for training
    expect(errors).toEqual([]);
  });

  it('trains, pauses, resumes, restarts after a device loss, lists and saves the network, and uses it for the drawing', async () => {
    const { page, errors } = await open(name);
    await page.evaluate("document.getElementById('train').scrollIntoView()");
    await page.waitForFunction("document.querySelector('[name=units]').options.length > 0");
    const pressed = await page.evaluate(`(async () => {
      const field = (name) => document.querySelector('[name=' + name + ']');
      field('units').value = '512';
      field('epochs').value = '4';
      document.getElementById('start').click();
      const status = () => document.getElementById('status').textContent;
      const until = async (test) => { while (!test()) await new Promise((done) => setTimeout(done, 20)); };
      await until(() => /^Epoch 2/.test(status()));
      document.getElementById('pause').click();
      let paused; // a report already under way still arrives after the click
      do {
        paused = status();
        await new Promise((done) => setTimeout(done, 500));
      } while (status() !== paused);
      await new Promise((done) => setTimeout(done, 700));
      const still = status();
      document.getElementById('pause').click();
      await until(() => /^Epoch 3/.test(status()));
      devices.at(-1).destroy();
      await until(() => /^(Done|Training failed)/.test(status()));
      const messages = ['restarted', 'notice', 'train-problem'].map((id) => document.getElementById(id).textContent);
      return { paused, still, done: status(), messages };
    })()`);
    const { paused, still, done, messages } = pressed as Record<'paused' | 'still' | 'done', string> & {
      messages: string[];
    };
    expect(paused).toMatch(/^Paused\. Epoch 2 of 4/);
    expect(still).toBe(paused);
    expect(messages).toEqual([
      'The graphics device was lost during training, so training was restarted.',
      '', // cleared when the trained network was opened
      '',
    ]);
    const [, accuracy] = /^Done: test accuracy ([\d.]+)%/.exec(done)!;
    expect(Number(accuracy)).toBeGreaterThan(85);
    const row = await text(page, '#runs tr');
    expect(row).toMatch(/^512 half orthogonal/);
    expect(row).toContain(`${accuracy}%`);
    expect(await page.evaluate("document.getElementById('model').selectedOptions[0].textContent")).toBe(
      '512 half orthogonal (trained here)',
    );
    const saved = (await page.evaluate(`new Promise((resolve) => {
      URL.createObjectURL = (blob) => { blob.arrayBuffer().then((file) => resolve(file.byteLength)); return '#'; };
      [...document.querySelectorAll('#runs button')].find(({ textContent }) => textContent === 'Save').click();
    })`)) as number;
    expect(saved).toBeGreaterThan(4 * (2 * 512 + 512 * 10));
    // Stopped at once: no network is listed, and the page still works.
    await page.evaluate(`document.getElementById('start').click(); document.getElementById('stop').click()`);
    await page.waitForFunction("document.getElementById('status').textContent.startsWith('Stopped')");
    await page.waitForFunction("!document.getElementById('start').disabled");
    expect(errors).toEqual([]);
  });

  // One page for all, because a software adapter takes seconds to compile its kernels. Each test starts from the first model.
  describe('models and files', () => {
    let page: Page;
    let errors: readonly string[];
    beforeAll(async () => {
      const closes: (() => Promise<void>)[] = [];
      ({ page, errors } = await open(name, (close) => void closes.push(close)));
      return async () => {
        for (const close of closes) await close();
      };
    });
    beforeEach(async () => {
      await page.select('#model', '0');
      await page.waitForFunction(`${shows(models[0]!)} && document.getElementById('model').value === '0'`);
      await page.click('#clear');
    });

    it('opens a model whose test images cannot be read', async () => {
      await page.evaluate(`{
        const { fetch } = globalThis;
        globalThis.restore = () => { globalThis.fetch = fetch; };
        globalThis.fetch = (...request) =>
          String(request[0]).endsWith('fashion-mnist.png') ? Promise.resolve(new Response('not found')) : fetch(...request);
      }`);
      await page.select('#model', clothes.id);
      await page.waitForFunction(shows(clothes));
      expect(await page.evaluate("document.querySelectorAll('#samples button').length")).toBe(0);
      await page.evaluate('restore()');
      expect(errors).toEqual([]);
    });

    it('shows the model chosen last, with its test images, whichever finishes loading last', async () => {
      await page.evaluate(`${HOLD}; hold('${clothes.file}')`);
      await page.select('#model', clothes.id);
      await page.select('#model', digits.id);
      await page.waitForFunction(shows(digits));
      await page.evaluate('release()');
      expect(await page.evaluate(shows(digits))).toBe(true);
      expect(await page.evaluate("document.getElementById('model').value")).toBe(digits.id);
      for (const sample of [3, 7]) {
        await page.click(`#samples button:nth-child(${sample + 1})`);
        await isBest(page, dataSets.mnist.classes[sample]!);
      }
      expect(errors).toEqual([]);
    });

    it('returns to the previous choice when a model fails to open', async () => {
      await page.evaluate(`${HOLD}; hold('${clothes.file}')`);
      await page.select('#model', clothes.id);
      await page.evaluate(drop("new File(['no model'], 'other.safetensors')"));
      await page.waitForFunction("/^ModelFileError: /.test(document.getElementById('problem').textContent)");
      expect(await page.evaluate("document.getElementById('model').value")).toBe(clothes.id);
      await page.evaluate('release()');
      await page.waitForFunction(shows(clothes));
      await page.click('#samples button:nth-child(8)');
      await isBest(page, dataSets['fashion-mnist'].classes[7]!);
      expect(errors).toEqual([]);
    });

    it('opens dropped pictures and model files, and reports files that it cannot open', async () => {
      const dropped = (make: string) => page.evaluate(drop(`(async () => { ${make} })()`));
      // A seven in dark ink on grey paper.
      await dropped(`const pen = Object.assign(document.createElement('canvas'), { width: 300, height: 200 }).getContext('2d');
        pen.fillStyle = '#ddd';
        pen.fillRect(0, 0, 300, 200);
        pen.lineWidth = 12;
        pen.lineJoin = pen.lineCap = 'round';
        pen.strokeStyle = '#223';
        pen.stroke(new Path2D('M120 50 H190 L150 150'));
        return new File([await new Promise((done) => pen.canvas.toBlob(done))], 'seven.png', { type: 'image/png' });`);
      await isBest(page, '7');
      await dropped(`const { sequential, halfDense, dense } = await import('./weightless.js');
        const { saveModel } = await import('./train.js');
        const model = sequential([halfDense({ units: 7, weights: 'sparse' }), dense({ units: 10 })], { input: [784], seed: 5 });
        return new File([saveModel(model)], 'mine.safetensors');`);
      await page.waitForFunction("document.getElementById('facts').textContent.includes('half 7 sparse')");
      expect(await page.evaluate("document.getElementById('model').selectedOptions[0].textContent")).toBe(
        'mine.safetensors',
      );
      expect(await page.evaluate("document.querySelectorAll('#units canvas').length")).toBe(7);
      await dropped("return new File(['no model'], 'other.safetensors');");
      await page.waitForFunction("/^ModelFileError: .*expected/.test(document.getElementById('problem').textContent)");
      expect(await page.evaluate("document.getElementById('model').selectedOptions[0].textContent")).toBe(
        'mine.safetensors',
      );
      await dropped("return new File(['no picture'], 'other.txt');");
      await page.waitForFunction("/expected a picture/.test(document.getElementById('problem').textContent)");
      expect(errors).toEqual([]);
    });

    it('reads test images with every model and draws the weights of its first layer', async () => {
      for (const [i, { file, data }] of models.entries()) {
        await page.select('#model', String(i));
        await page.waitForFunction(shows(models[i]!));
        for (const sample of [0, 7]) {
          await page.click(`#samples button:nth-child(${sample + 1})`);
          await isBest(page, dataSets[data].classes[sample]!);
        }
        const [layer] = readModel(readFileSync(join(folder, 'models', file))).layers;
        const units = layer!.kind === 'halfConv' ? layer!.channels : /^half/.test(layer!.kind) ? MOST_FIELDS : 0;
        expect(await page.evaluate("document.getElementById('fields').hidden"), file).toBe(units === 0);
        if (!units) continue;
        const words = 'rank' in layer! ? 'HalfNet' : `(${(layer as HalfSpec).weights})`;
        await page.waitForFunction(`document.getElementById('fields-note').textContent.includes('${words}')`);
        const colours = (await page.evaluate(COLOURS)) as number[];
        expect(colours).toHaveLength(units);
        expect(Math.min(...colours), file).toBeGreaterThan(1);
      }
      expect(errors).toEqual([]);
    });
  });
});

it.each<[string, string, RegExp]>([
  [
    'without WebGPU',
    'delete Navigator.prototype.gpu',
    /CPU by WebAssembly SIMD, \d+ threads?: there is no WebGPU here\./,
  ],
  [
    'with the faster backend by default',
    '',
    /CPU by WebAssembly SIMD, \d+ threads?: .*\(software\) is slower|WebGPU on (?!.*software)/,
  ],
])('reads digits %s and names the backend', async (_, before, says) => {
  const { page, errors, url } = await openPage('Chromium', files);
  await page.evaluateOnNewDocument(before);
  await page.goto(url('demo/index.html'));
  await ready(page);
  await draw(page, drawings[5]!);
  expect(await text(page, '#best')).toBe('5');
  expect(await text(page, 'body')).toMatch(says);
  expect(await text(page, '#problem')).toBe('');
  expect(errors).toEqual([]);
});
