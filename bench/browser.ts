/** Headless Chrome on cross-origin isolated pages from localhost, which get precise clocks and threads. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import puppeteer, { type Browser, type NetworkConditions, type Page } from 'puppeteer-core';
import { bundleAround } from '../scripts/bundle.mjs';
import { requestPath } from '../scripts/request-path.mjs';
import { findChromium, root } from '../scripts/setup.mjs';
import { bundle } from './bundle.ts';
import { peerBundles } from './engines/peers.ts';
import type {} from './first/page.ts';
import type {} from './page.ts';
import { type Measured, matches } from './rows.ts';
import type { OnProgress } from './session.ts';
import type { Target } from './target.ts';
import {
  FIRST,
  FIRST_LOCAL,
  firstFiles,
  firstPages,
  firstRow,
  firstTolerance,
  SLOW_NETWORK,
} from './tasks/first-prediction.ts';
import { difference } from './verify.ts';

export type AdapterChoice = 'software' | 'hardware' | 'auto';

export interface BrowserOptions {
  /** Path of Chrome or Chromium. Default: the installed one. */
  readonly path?: string;
  readonly adapter: AdapterChoice;
  /** Whether to show the window. */
  readonly headed?: boolean;
  /** Whether to run only our own engines. */
  readonly ours?: boolean;
}

/** Time limit for a page to become ready. */
const PAGE_MS = 120_000;
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
/** On Linux Chrome uses Vulkan drivers only with these switches. */
const HARDWARE = process.platform === 'linux' ? ['--enable-features=Vulkan', '--ignore-gpu-blocklist'] : [];

/**
 * Serves `files` from localhost. `loaded` records the requested paths since it was last cleared. Files in `compressed`
 * are sent compressed.
 */
export async function serve(files: ReadonlyMap<string, Uint8Array>) {
  const loaded = new Map<string, Uint8Array>();
  const compressed = new Map<string, Uint8Array>();
  const server = createServer(async (request, response) => {
    const path = requestPath(request.url);
    if (path === undefined) {
      response.writeHead(400).end();
      return;
    }
    const pathname = `/${path}`;
    const found = files.get(pathname) ?? (await served(pathname));
    response.writeHead(found ? 200 : 404, {
      'content-type': TYPES[extname(pathname)] ?? 'text/html',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cache-control': 'no-store',
      ...(compressed.has(pathname) && { 'content-encoding': 'gzip' }),
    });
    if (found) loaded.set(pathname, found);
    response.end(compressed.get(pathname) ?? found);
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  return { server, loaded, compressed, url: `http://localhost:${(server.address() as AddressInfo).port}` };
}

/** Files served unchanged from their package. */
const PACKAGED = /^\/onnxruntime\/([\w.-]+\.(?:mjs|wasm))$/;

async function served(pathname: string): Promise<Uint8Array | undefined> {
  const name = PACKAGED.exec(pathname)?.[1];
  const path = name && join(root, 'bench/node_modules/onnxruntime-web/dist', name);
  return path && existsSync(path) ? readFile(path) : undefined;
}

export async function launch({ path, adapter, headed = false }: BrowserOptions, url: string): Promise<Browser> {
  const executablePath = path ?? findChromium();
  if (!executablePath) throw new Error('expected Chrome or Chromium, found none. Name one with --browser PATH.');
  const open = (args: string[]) =>
    puppeteer.launch({ executablePath, headless: !headed, args: [...ARGUMENTS, ...args], protocolTimeout: 0 });
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

/** An HTML page that loads one module. */
export const htmlPage = (title: string, script: string) =>
  new TextEncoder().encode(`<!doctype html><title>${title}</title><script type="module" src="${script}"></script>`);

const peerPages = firstPages.filter(({ entry }) => entry !== 'weightless');

export async function openBrowser(options: BrowserOptions): Promise<Target> {
  const files = await bundle({
    '/page.js': 'bench/page.ts',
    ...(!options.ours && {
      ...peerBundles,
      ...Object.fromEntries(peerPages.map(({ entry }) => [`/first/${entry}.js`, `bench/first/${entry}.ts`])),
    }),
  });
  // Bundled like the package: code that only some pages need, such as the CPU kernels, is in separate files.
  const own = await bundleAround(['weightless', 'bench/first/weightless.ts'], {});
  for (const [name, code] of own) files.set(`/first/${name}`, new TextEncoder().encode(code));
  files.set('/', htmlPage('bench', '/page.js'));
  files.set('/blank', new TextEncoder().encode('<!doctype html>'));
  for (const { entry } of firstPages) files.set(`/first/${entry}`, htmlPage(entry, `/first/${entry}.js`));
  const first = firstFiles();
  for (const [path, file] of first.files) files.set(path, file);
  const { server, url, loaded, compressed } = await serve(files);
  const browser = await launch(options, url);
  let report: OnProgress = () => {};
  const openPage = async (): Promise<Page> => {
    const made = await browser.newPage();
    made.on('pageerror', (error) => console.error(`bench page: ${error}`));
    await made.exposeFunction('benchProgress', (share: number, label: string) => report(share, label));
    await made.goto(`${url}/`);
    await made.waitForFunction('globalThis.bench', { timeout: PAGE_MS });
    return made;
  };
  let shared: Promise<Page> | undefined;
  const main = () => {
    shared ??= openPage();
    return shared;
  };
  return {
    environment: async () => (await main()).evaluate(() => globalThis.bench.environment()),
    async runTask(task, session, onProgress) {
      report = onProgress;
      return (await main()).evaluate((task, session) => globalThis.bench.runTask(task, session), task, session);
    },
    async runMicro(options) {
      return (await main()).evaluate((options) => globalThis.bench.runMicro(options), options);
    },
    runConformance: async () => (await main()).evaluate(() => globalThis.bench.runConformance()),
    async runKernels(plans, options) {
      return (await main()).evaluate((plans, options) => globalThis.bench.runKernels(plans, options), plans, options);
    },
    async runMemory(task, filter) {
      const fresh = await openPage();
      const rows = await fresh.evaluate((task, filter) => globalThis.bench.runMemory(task, filter), task, filter);
      await fresh.close();
      return rows;
    },
    async runFirst(runs, filter, onProgress) {
      const passes = [
        { task: FIRST_LOCAL, runs, network: null, from: 0 },
        { task: FIRST, runs: Math.min(runs, 2), network: SLOW_NETWORK, from: 0.3 },
      ].map((pass) => ({
        ...pass,
        rows: firstPages
          .map((page) => ({ row: firstRow(pass.task, page), entry: page.entry }))
          .filter(({ row }) => matches(filter, row)),
      }));
      const measured: Measured[] = [];
      for (const { task, runs, network, from, rows } of passes) {
        const results = rows.map(() => ({ samples: [] as number[], loaded: [] as [string, Uint8Array][], error: '' }));
        const visit = async (at: number): Promise<number> => {
          const result = results[at]!;
          loaded.clear();
          const answer = await firstPrediction(browser, `${url}/first/${rows[at]!.entry}`, network);
          if ('error' in answer) {
            result.error = answer.error;
            return Number.NaN;
          }
          result.error = difference(answer.scores, first.scores, firstTolerance) ?? '';
          result.loaded = [...loaded];
          return answer.ms;
        };
        if (network) {
          // A visit over the fast network finds the files of each page; they are compressed before anything is timed.
          for (const { entry } of rows) await firstPrediction(browser, `${url}/first/${entry}`, null);
          for (const [path, file] of loaded) compressed.set(path, gzipSync(file));
        }
        for (let round = 0; round < runs; round++) {
          for (let i = 0; i < rows.length; i++) {
            const at = (i + round) % rows.length;
            const share = (round * rows.length + i) / (runs * rows.length);
            onProgress(from + share * (network ? 0.7 : 0.3), `${rows[at]!.row.engine} ${task}`);
            if (results[at]!.error) continue;
            const ms = await visit(at);
            if (Number.isFinite(ms)) results[at]!.samples.push(ms);
          }
        }
        compressed.clear();
        for (const [i, { row }] of rows.entries()) {
          const { samples, loaded, error } = results[i]!;
          if (samples.length === 0) {
            measured.push({ ...row, error });
            continue;
          }
          const value = loaded.reduce((sum, [, file]) => sum + gzipSync(file).length, 0);
          const figures = { samples, calls: 1, value, unit: 'bytes loaded, gzipped' };
          measured.push({ ...row, ...figures, verified: !error, ...(error && { error }) });
        }
      }
      return measured;
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}

/** Loads a minimal page with empty caches and waits for its prediction. */
async function firstPrediction(
  browser: Browser,
  url: string,
  network: NetworkConditions | null,
): Promise<typeof globalThis.firstPrediction> {
  const context = await browser.createBrowserContext();
  try {
    const page = await context.newPage();
    await page.emulateNetworkConditions(network);
    await page.goto(url);
    await page.waitForFunction('globalThis.firstPrediction', { timeout: PAGE_MS });
    return await page.evaluate(() => globalThis.firstPrediction);
  } catch (error) {
    return { error: String((error as Error)?.message ?? error) };
  } finally {
    await context.close();
  }
}
