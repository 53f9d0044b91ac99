/**
 * Saves the charts of a report section as a picture: node scripts/report-picture.mjs REPORT.html "Section title"
 * OUT.png
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import puppeteer from 'puppeteer-core';
import { findChromium } from './setup.mjs';

const [report, title, out] = process.argv.slice(2);
if (!out) {
  console.error('expected REPORT.html "Section title" OUT.png');
  process.exit(2);
}
const browser = await puppeteer.launch({ executablePath: findChromium(), args: ['--no-sandbox'], headless: true });
try {
  const page = await browser.newPage();
  await page.setViewport({ width: 1240, height: 900 });
  await page.goto(pathToFileURL(resolve(report)).href);
  const sections = await page.$$('section');
  const titles = await Promise.all(sections.map((section) => section.$eval('h2', (heading) => heading.textContent)));
  const section = sections[titles.indexOf(title)];
  if (!section) throw new Error(`${report}: expected a section (${titles.join('; ')}), got '${title}'`);
  await section.$$eval('table', (tables) => {
    for (const table of tables) table.remove();
  });
  await section.screenshot({ path: out });
} finally {
  await browser.close();
}
