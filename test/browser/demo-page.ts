/** Helpers for tests of the demo page: drawing, and reading its text. */
import type { Page } from 'puppeteer-core';

export type Strokes = readonly (readonly (readonly [x: number, y: number])[])[];

export const arc = (cx: number, cy: number, rx: number, ry: number, from: number, to: number) =>
  Array.from({ length: 17 }, (_, i) => {
    const angle = ((from + ((to - from) * i) / 16) * Math.PI) / 180;
    return [cx + rx * Math.cos(angle), cy + ry * Math.sin(angle)] as const;
  });

/** The ten digits as hand-drawn strokes, with points from 0 to 1. */
export const drawings: readonly Strokes[] = [
  [arc(0.5, 0.5, 0.2, 0.3, -90, 270)],
  [
    [
      [0.5, 0.2],
      [0.5, 0.8],
    ],
  ],
  [[...arc(0.49, 0.36, 0.18, 0.17, 190, 380), [0.32, 0.78], [0.7, 0.76]]],
  [[...arc(0.47, 0.35, 0.17, 0.15, 200, 440), ...arc(0.47, 0.65, 0.19, 0.17, -80, 160)]],
  [
    [
      [0.36, 0.2],
      [0.32, 0.52],
      [0.68, 0.52],
    ],
    [
      [0.64, 0.2],
      [0.62, 0.82],
    ],
  ],
  [[[0.66, 0.2], [0.38, 0.21], [0.36, 0.46], ...arc(0.47, 0.62, 0.2, 0.18, -110, 150)]],
  [[[0.6, 0.18], [0.42, 0.38], ...arc(0.5, 0.64, 0.17, 0.17, 190, 550)]],
  [
    [
      [0.3, 0.24],
      [0.7, 0.24],
      [0.45, 0.82],
    ],
  ],
  [[...arc(0.5, 0.35, 0.14, 0.15, 90, 450), ...arc(0.5, 0.66, 0.17, 0.16, -90, 270)]],
  [[...arc(0.48, 0.36, 0.16, 0.16, 0, -360), [0.64, 0.36], [0.6, 0.82]]],
];

/** Waits until the page has made a prediction for its initial drawing. */
export const ready = (page: Page): Promise<unknown> =>
  page.waitForFunction("document.getElementById('sure').textContent.includes('%')");

export const text = (page: Page, selector: string): Promise<string> =>
  page.evaluate(`document.querySelector('${selector}').textContent`) as Promise<string>;

/** Draws with the mouse on an empty pad and waits for the prediction after the last stroke. */
export async function draw(page: Page, strokes: Strokes): Promise<void> {
  await page.click('#clear');
  const pad = (await page.$('#pad'))!;
  await pad.scrollIntoView();
  const { x, y, width, height } = (await pad.boundingBox())!;
  for (const stroke of strokes) {
    for (const [i, point] of stroke.entries()) {
      await page.mouse.move(x + point[0] * width, y + point[1] * height);
      if (i === 0) await page.mouse.down();
    }
    await page.mouse.up();
  }
  await page.waitForFunction("document.getElementById('prediction').ariaBusy === 'false'");
}
