/** Chromium, headless, on pages served from localhost. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import puppeteer, { type Page } from 'puppeteer-core';
import { findChromium } from '../../scripts/setup.mjs';

const root = join(import.meta.dirname, '../..');
const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' };

export interface Browser {
  readonly page: Page;
  /** Address of a path of the server. */
  url(path: string): string;
  /** Errors of the page and of its console so far. */
  readonly errors: string[];
  close(): Promise<void>;
}

/**
 * A page in a browser of its own. Served are dist/, test/browser/pages/ and `files` (by path). The software adapter is asked
 * for unless WEIGHTLESS_ADAPTER is 'hardware'. Without `webgpu` there is no adapter. No browser is a red test.
 */
export async function openBrowser(
  files: Record<string, Uint8Array> = {},
  { webgpu = true }: { webgpu?: boolean } = {},
): Promise<Browser> {
  const executablePath = findChromium();
  if (!executablePath) throw new Error('expected Chromium or Chrome, found none. Run: node scripts/setup.mjs');
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname.slice(1);
    const places = [join(root, 'dist', path), join(root, 'test/browser/pages', path)];
    const found = files[path] ?? (await firstReadable(places));
    response.writeHead(found ? 200 : 404, { 'content-type': types[extname(path)] ?? 'application/octet-stream' });
    response.end(found);
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const software = process.env.WEIGHTLESS_ADAPTER === 'hardware' ? [] : ['--use-webgpu-adapter=swiftshader'];
  const browser = await puppeteer.launch({
    executablePath,
    headless: true,
    args: [
      '--no-sandbox',
      ...(webgpu ? ['--enable-unsafe-webgpu', ...software] : []),
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  const page = await browser.newPage();
  page.setDefaultTimeout(110_000);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  const { port } = server.address() as AddressInfo;
  return {
    page,
    errors,
    url: (path) => `http://localhost:${port}/${path}`,
    async close() {
      await browser.close();
      server.close();
    },
  };
}

async function firstReadable(paths: string[]): Promise<Uint8Array | undefined> {
  for (const path of paths) {
    const bytes = await readFile(path).catch(() => undefined);
    if (bytes) return bytes;
  }
  return undefined;
}
