/** `node demo/picture.mjs` writes docs/demo.png for the README: the demo in Chromium with a drawn digit. */
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';
import { loadTypeScript } from '../scripts/load-typescript.mjs';
import { findChromium, root } from '../scripts/setup.mjs';
import { buildDemo } from './build.mjs';
import { serveFolder } from './serve.mjs';

const folder = join(root, 'dist/demo-picture');
const file = join(root, 'docs/demo.png');
await buildDemo(folder, { images: false });
const { draw, drawings, ready } = await loadTypeScript(join(root, 'test/browser/demo-page.ts'));
const server = serveFolder(folder);
await new Promise((resolve) => server.listen(0, 'localhost', resolve));
const browser = await puppeteer.launch({
  executablePath: findChromium(),
  headless: true,
  args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--no-first-run'],
});
try {
  const page = await browser.newPage();
  await page.setViewport({ width: 1100, height: 980 });
  await page.goto(`http://localhost:${server.address().port}/`);
  await ready(page);
  // The displayed latency is a median; let it settle.
  for (let i = 0; i < 4; i++) await draw(page, drawings[3]);
  await page.evaluate('document.activeElement.blur(); scrollTo(0, 0)');
  mkdirSync(join(root, 'docs'), { recursive: true });
  await page.screenshot({ path: file });
  console.log(`${file}: ${statSync(file).size} bytes`);
} finally {
  await browser.close();
  server.close();
  rmSync(folder, { recursive: true });
}
