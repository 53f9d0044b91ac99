/** Chromium (Dawn) and Firefox (wgpu), headless, on pages served from localhost. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import puppeteer, { type Page, type Browser as Puppeteer } from 'puppeteer-core';
import { onTestFinished } from 'vitest';
import { browsers } from '../../scripts/browsers.mjs';
import { requestPath } from '../../scripts/request-path.mjs';
import { softwareDriver } from '../../src/node.ts';

const root = join(import.meta.dirname, '../..');
const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.css': 'text/css',
};

const hardware = process.env.WEIGHTLESS_ADAPTER === 'hardware';
const driver = hardware ? undefined : softwareDriver();

export type BrowserName = keyof typeof browsers;

/** The browsers with WebGPU. */
export const browserNames = ['Chromium', 'Firefox'] as const satisfies BrowserName[];

/** One browser of each kind per process, opened for the first test that needs it and closed with the process. */
const opened = new Map<BrowserName, Promise<Puppeteer>>();

async function launch(name: BrowserName): Promise<Puppeteer> {
  const profile = mkdtempSync(join(tmpdir(), 'weightless-profile-'));
  const browser = await puppeteer.launch({
    ...browsers[name](name === 'Firefox' ? { driver } : { hardware }),
    headless: true,
    protocolTimeout: 400_000,
    userDataDir: profile,
    handleSIGTERM: false,
  });
  running.push({ process: browser.process()!, profile });
  return browser;
}
/** Browsers to close when this process ends: the test runner sends a signal, and half a second later kills it. */
const running: { process: ChildProcess; profile: string }[] = [];
process.once('SIGTERM', () => process.exit());
process.once('exit', () => {
  for (const { process } of running) process.kill('SIGKILL');
  for (const { profile } of running) {
    try {
      rmSync(profile, { recursive: true, force: true });
    } catch {} // a browser process that is still exiting writes to it
  }
});

export interface Opened {
  readonly page: Page;
  /** The URL of a path on the server. */
  url(path: string): string;
  /** Errors of the page and in its console so far. */
  readonly errors: string[];
  /** URLs that the page has requested so far. */
  readonly asked: string[];
}

/**
 * Opens a page with a server and storage of its own, because ports, and with them origins, are reused. The page is open
 * until the end of the test; pass `atEnd` to close it later. It is served dist/, test/browser/pages/ and `files` (by
 * path). Fails where there is no browser.
 */
export async function openPage(
  name: BrowserName,
  files: Record<string, Uint8Array> = {},
  atEnd: (close: () => Promise<void>) => void = onTestFinished,
): Promise<Opened> {
  if (!opened.has(name)) opened.set(name, launch(name));
  const browser = await opened.get(name)!;
  const server = createServer(async (request, response) => {
    const path = requestPath(request.url);
    if (path === undefined) {
      response.writeHead(400).end();
      return;
    }
    const places = [join(root, 'dist', path), join(root, 'test/browser/pages', path)];
    const found = files[path] ?? (await firstReadable(places));
    response.writeHead(found ? 200 : 404, { 'content-type': types[extname(path)] ?? 'application/octet-stream' });
    response.end(found);
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const storage = await browser.createBrowserContext();
  const page = await storage.newPage();
  atEnd(async () => {
    await storage.close();
    server.closeAllConnections();
    server.close();
  });
  page.setDefaultTimeout(110_000);
  const errors: string[] = [];
  const asked: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on('request', (request) => asked.push(request.url()));
  const { port } = server.address() as AddressInfo;
  return { page, errors, asked, url: (path) => `http://localhost:${port}/${path}` };
}

async function firstReadable(paths: string[]): Promise<Uint8Array | undefined> {
  for (const path of paths) {
    const bytes = await readFile(path).catch(() => undefined);
    if (bytes) return bytes;
  }
  return undefined;
}
