/** Headless Chrome on pages served from localhost, isolated across origins, so that clocks are fine and threads allowed. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { build } from 'esbuild';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { findChromium, root } from '../scripts/setup.mjs';
import { esbuildWgsl } from '../scripts/wgsl.mjs';
import type { OnProgress } from './session.ts';
import type { Target } from './target.ts';

export type AdapterChoice = 'software' | 'hardware' | 'auto';

export interface BrowserOptions {
  /** Path of a Chrome or Chromium; absent: the installed one. */
  readonly path?: string;
  readonly adapter: AdapterChoice;
}

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};
const ARGUMENTS = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const SOFTWARE = ['--use-webgpu-adapter=swiftshader'];
/** On Linux Chrome asks no Vulkan driver unless told so. */
const HARDWARE = process.platform === 'linux' ? ['--enable-features=Vulkan', '--ignore-gpu-blocklist'] : [];

/** Bundles by path. What does not build (a peer that is not installed) is left out, with a word on it. */
export async function bundle(entries: Readonly<Record<string, string>>): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const [path, entry] of Object.entries(entries)) {
    try {
      const { outputFiles } = await build({
        absWorkingDir: root,
        entryPoints: [entry],
        bundle: true,
        write: false,
        minify: true,
        format: 'esm',
        target: 'es2022',
        platform: 'browser',
        plugins: [esbuildWgsl()],
        logLevel: 'silent',
      });
      files.set(path, outputFiles[0]!.contents);
    } catch (error) {
      console.error(
        `bench: ${entry} does not build, its rows will be errors: ${(error as Error).message.split('\n')[0]}`,
      );
    }
  }
  return files;
}

/** Serves `files` from localhost. */
async function serve(files: ReadonlyMap<string, Uint8Array>) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const found = files.get(pathname) ?? (await served(pathname));
    response.writeHead(found ? 200 : 404, {
      'content-type': TYPES[extname(pathname)] ?? 'text/html',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cache-control': 'no-store',
    });
    response.end(found);
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  return { server, url: `http://localhost:${(server.address() as AddressInfo).port}` };
}

/** What is served as its package has it. */
const PACKAGED = /^\/onnxruntime\/([\w.-]+\.(?:mjs|wasm))$/;

async function served(pathname: string): Promise<Uint8Array | undefined> {
  const name = PACKAGED.exec(pathname)?.[1];
  const path = name && join(root, 'bench/node_modules/onnxruntime-web/dist', name);
  return path && existsSync(path) ? readFile(path) : undefined;
}

async function launch({ path, adapter }: BrowserOptions, url: string): Promise<Browser> {
  const executablePath = path ?? findChromium();
  if (!executablePath) throw new Error('expected Chrome or Chromium, found none. Name one with --browser PATH.');
  const open = (args: string[]) =>
    puppeteer.launch({ executablePath, headless: true, args: [...ARGUMENTS, ...args], protocolTimeout: 0 });
  if (adapter === 'software') return open(SOFTWARE);
  const browser = await open(HARDWARE);
  if (adapter === 'hardware') return browser;
  const page = await browser.newPage();
  await page.goto(`${url}/blank`);
  const found = await page.evaluate(async () => Boolean(await navigator.gpu?.requestAdapter()));
  await page.close();
  if (found) return browser;
  await browser.close();
  return open(SOFTWARE);
}

export async function openBrowser(options: BrowserOptions): Promise<Target> {
  const html = '<!doctype html><title>bench</title><script type="module" src="/page.js"></script>';
  const files = await bundle({
    '/page.js': 'bench/page.ts',
    '/jax.js': 'bench/engines/jax.ts',
    '/tfjs.js': 'bench/engines/tfjs.ts',
    '/onnx.js': 'bench/engines/onnx.ts',
  });
  files.set('/', new TextEncoder().encode(html));
  files.set('/blank', new TextEncoder().encode('<!doctype html>'));
  const { server, url } = await serve(files);
  const browser = await launch(options, url);
  let hear: OnProgress = () => {};
  let open: Promise<Page> | undefined;
  const page = () => {
    open ??= (async () => {
      const made = await browser.newPage();
      made.on('pageerror', (error) => console.error(`bench page: ${error}`));
      await made.exposeFunction('benchProgress', (share: number, label: string) => hear(share, label));
      await made.goto(`${url}/`);
      await made.waitForFunction('globalThis.bench', { timeout: 60_000 });
      return made;
    })();
    return open;
  };
  return {
    environment: async () => (await page()).evaluate(() => globalThis.bench.environment()),
    async runTask(task, session, onProgress) {
      hear = onProgress;
      return (await page()).evaluate((task, session) => globalThis.bench.runTask(task, session), task, session);
    },
    async runMicro(runs, filter) {
      return (await page()).evaluate((runs, filter) => globalThis.bench.runMicro(runs, filter), runs, filter);
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}
