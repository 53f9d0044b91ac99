/** "Teach it" on the demo page: three things that are drawn by a shaky hand, a camera, and a reload. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildDemo } from '../../demo/build.mjs';
import { arc, ready, type Strokes, text } from './demo-page.ts';
import { browserNames, openPage } from './harness.ts';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'weightless-teach-'));
const shots = join(root, 'shots');
let files: Record<string, Uint8Array>;

beforeAll(async () => {
  await buildDemo(folder, { library: false, images: false });
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  );
  files = Object.fromEntries(
    names.map((name) => [`demo/${name.replaceAll('\\', '/')}`, readFileSync(join(folder, name))]),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the page is taught. */
const things: readonly { name: string; strokes: Strokes }[] = [
  {
    name: 'house',
    strokes: [
      [
        [0.3, 0.8],
        [0.3, 0.45],
        [0.5, 0.22],
        [0.7, 0.45],
        [0.7, 0.8],
        [0.3, 0.8],
      ],
      [
        [0.45, 0.8],
        [0.45, 0.6],
        [0.55, 0.6],
        [0.55, 0.8],
      ],
    ],
  },
  {
    name: 'fish',
    strokes: [[[0.82, 0.38], ...arc(0.45, 0.5, 0.25, 0.15, 40, 320), [0.82, 0.62], [0.82, 0.38]]],
  },
  {
    name: 'face',
    strokes: [
      arc(0.5, 0.5, 0.3, 0.32, -90, 270),
      arc(0.5, 0.52, 0.16, 0.15, 160, 20),
      arc(0.4, 0.4, 0.02, 0.02, 0, 360),
      arc(0.6, 0.4, 0.02, 0.02, 0, 360),
    ],
  },
];

/** Numbers from -1 to 1 that follow from a seed. */
function chance(seed: number): () => number {
  let state = seed * 2654435761 + 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** The strokes as another drawing of the same hand: turned, stretched, slanted, moved, and each point a little off. */
function shaky(strokes: Strokes, seed: number): Strokes {
  const random = chance(seed);
  for (let i = 0; i < 8; i++) random();
  const [angle, across, down, slant] = [0.22 * random(), 1 + 0.2 * random(), 1 + 0.2 * random(), 0.2 * random()];
  const size = 0.8 + 0.25 * random();
  const [left, top] = [0.06 * random(), 0.06 * random()];
  return strokes.map((stroke) =>
    stroke.map(([x, y]) => {
      const [u, v] = [(x - 0.5) * across * size + (y - 0.5) * slant, (y - 0.5) * down * size];
      const turned = [u * Math.cos(angle) - v * Math.sin(angle), u * Math.sin(angle) + v * Math.cos(angle)] as const;
      return [0.5 + turned[0] + left + 0.02 * random(), 0.5 + turned[1] + top + 0.02 * random()] as const;
    }),
  );
}

/** Runs in the page: draws strokes on the pad, as a pointer does. */
const DRAW = `globalThis.drawOn = (strokes) => {
  const pad = document.getElementById('teach-pad');
  pad.setPointerCapture = () => {};
  document.getElementById('teach-clear').click();
  const { x, y, width, height } = pad.getBoundingClientRect();
  const event = (type, point, rest) => new PointerEvent(type, {
    clientX: x + point[0] * width, clientY: y + point[1] * height, pointerId: 1, isPrimary: true, button: 0, ...rest,
  });
  for (const stroke of strokes) {
    const coalescedEvents = stroke.map((point) => event('pointermove', point));
    pad.dispatchEvent(event('pointerdown', stroke[0]));
    pad.dispatchEvent(event('pointermove', stroke.at(-1), { coalescedEvents }));
    pad.dispatchEvent(event('pointerup', stroke.at(-1)));
  }
};
globalThis.until = async (done) => { while (!done()) await new Promise((resolve) => setTimeout(resolve, 5)); };
globalThis.counted = () => [...document.querySelectorAll('.things .count')].map(({ textContent }) => parseInt(textContent));`;

/** Draws each of the drawings and presses the button of its row. Returns the milliseconds of the solutions. */
const teachAll = (page: Page, drawings: readonly { row: number; strokes: Strokes }[]) =>
  page.evaluate(`(async () => {
    const times = [];
    for (const { row, strokes } of ${JSON.stringify(drawings)}) {
      drawOn(strokes);
      const before = counted()[row];
      document.querySelectorAll('.things .teach')[row].click();
      await until(() => counted()[row] > before);
      const time = /^Solved in (\\d+) ms/.exec(document.getElementById('teach-status').textContent);
      if (time) times.push(Number(time[1]));
    }
    return times;
  })()`) as Promise<number[]>;

/** Draws each and returns what the page says that it is, as it was before the pen was lifted for long. */
const recogniseAll = (page: Page, drawings: readonly Strokes[]) =>
  page.evaluate(`(async () => {
    const said = [];
    for (const strokes of ${JSON.stringify(drawings)}) {
      drawOn(strokes);
      await until(() => document.getElementById('teach-output').ariaBusy === 'false');
      said.push(document.getElementById('teach-best').textContent);
    }
    return said;
  })()`) as Promise<string[]>;

const toSection = async (page: Page) => {
  await page.evaluate(DRAW);
  await page.evaluate("document.getElementById('teach').scrollIntoView()");
  await page.waitForFunction("document.querySelector('.things .teach:enabled')");
};

const fresh = Array.from({ length: 30 }, (_, i) => ({ thing: i % 3, strokes: shaky(things[i % 3]!.strokes, 500 + i) }));

describe.each(browserNames)('%s', (name) => {
  it('learns three things from twelve drawings each, recognises new ones, and still does after a reload', async () => {
    const { page, errors, url } = await openPage(name, files);
    await page.evaluateOnNewDocument("try { localStorage.setItem('theme', 'light') } catch {}");
    await page.setViewport({ width: 1280, height: 900 });
    await page.goto(url('demo/index.html?backend=cpu'));
    await ready(page);
    await toSection(page);
    for (const [i, thing] of things.entries()) {
      await page.evaluate(`{
        const field = document.querySelectorAll('.things input')[${i}];
        field.value = '${thing.name}';
        field.dispatchEvent(new Event('input'));
      }`);
    }
    const lessons = Array.from({ length: 36 }, (_, i) => ({
      row: i % 3,
      strokes: shaky(things[i % 3]!.strokes, 1 + i),
    }));
    const times = await teachAll(page, lessons);
    expect(await page.evaluate('counted()')).toEqual([12, 12, 12]);
    const middle = times.toSorted((a, b) => a - b)[times.length >> 1]!;
    console.log(`${name}: solved in ${middle} ms (${times.length} times, at most ${Math.max(...times)})`);
    expect(middle).toBeLessThan(1000);
    const drawn = fresh.map(({ strokes }) => strokes);
    const rightOf = (said: readonly string[]) =>
      said.filter((word, i) => word === things[fresh[i]!.thing]!.name).length;
    const said = await recogniseAll(page, drawn);
    console.log(`${name}: ${rightOf(said)} of ${fresh.length} new drawings`);
    expect(rightOf(said)).toBeGreaterThanOrEqual(0.9 * fresh.length);

    // A wrong example, taken back, leaves no trace.
    await teachAll(page, [{ row: 0, strokes: things[1]!.strokes }]);
    await page.click('#teach-undo');
    await page.waitForFunction('counted()[0] === 12');
    expect(await recogniseAll(page, drawn.slice(0, 9))).toEqual(said.slice(0, 9));

    await page.goto(url('demo/index.html?backend=cpu'));
    await ready(page);
    await toSection(page);
    expect(await page.evaluate('counted()')).toEqual([12, 12, 12]);
    expect(await recogniseAll(page, drawn.slice(-9))).toEqual(said.slice(-9));

    mkdirSync(shots, { recursive: true });
    await page.evaluate(readFileSync(join(root, 'node_modules/axe-core/axe.min.js'), 'utf8'));
    for (const theme of ['light', 'dark']) {
      for (const width of [1280, 390]) {
        await page.setViewport({ width, height: 900 });
        const section = (await page.$('#teach'))!;
        await section.screenshot({
          path: join(shots, `teach-${name.toLowerCase()}-${width}-${theme}.png`) as `${string}.png`,
        });
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      }
      const { violations } = (await page.evaluate("axe.run('#teach')")) as {
        violations: { id: string; help: string; nodes: { html: string }[] }[];
      };
      expect(violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes[0]!.html}`)).toEqual([]);
      await page.click('#theme');
    }
    await page.click('#teach-forget');
    await page.waitForFunction("String(counted()) === '0,0,0'");
    expect(await text(page, '#teach-status')).toMatch(/^No examples yet/);
    expect(await text(page, '#teach-problem')).toBe('');
    expect(errors).toEqual([]);
  });

  it('learns from a camera, and says where it may not use it', async () => {
    const { page, errors, url } = await openPage(name, files);
    await page.setViewport({ width: 1280, height: 900 });
    // A camera that shows stripes, lying or standing.
    await page.evaluateOnNewDocument(`
      const pen = Object.assign(document.createElement('canvas'), { width: 320, height: 240 }).getContext('2d');
      globalThis.show = (standing, shift) => {
        pen.fillStyle = '#777';
        pen.fillRect(0, 0, 320, 240);
        pen.fillStyle = '#eee';
        for (let i = shift; i < 320; i += 60) pen.fillRect(...(standing ? [i, 0, 25, 240] : [0, i, 320, 25]));
      };
      show(false, 0);
      const stream = pen.canvas.captureStream(30);
      setInterval(() => show(...(globalThis.shown ?? [false, 0])), 20);
      Object.defineProperty(navigator, 'mediaDevices', { value: { getUserMedia: async () => {
        if (globalThis.refused) throw new DOMException('not here', 'NotAllowedError');
        return stream.clone();
      } } });`);
    await page.goto(url('demo/index.html?backend=cpu'));
    await ready(page);
    await toSection(page);
    await page.evaluate("refused = true; document.getElementById('teach-camera').click()");
    await page.waitForFunction("/^NotAllowedError/.test(document.getElementById('teach-problem').textContent)");
    await page.evaluate("refused = false; document.getElementById('teach-camera').click()");
    await page.waitForFunction("!document.querySelector('#teach video').hidden");
    await page.evaluate(`(async () => {
      for (let i = 0; i < 6; i++) {
        for (const row of [0, 1]) {
          shown = [row === 1, 9 * i];
          await new Promise((resolve) => setTimeout(resolve, 250));
          const before = counted()[row];
          document.querySelectorAll('.things .teach')[row].click();
          await until(() => counted()[row] > before);
        }
      }
    })()`);
    for (const [standing, label] of [
      [true, 'B'],
      [false, 'A'],
    ] as const) {
      await page.evaluate(`shown = [${standing}, 31]`);
      await page.waitForFunction(`document.getElementById('teach-best').textContent === '${label}'`);
    }
    await page.click('#teach-camera');
    await page.waitForFunction("!document.getElementById('teach-pad').hidden");
    expect(await text(page, '#teach-problem')).toBe('');
    expect(errors).toEqual([]);
  });
});
