/** What a page may ask of the library for a long time: two contexts, a worker, thousands of predictions. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Page } from 'puppeteer-core';
import { expect, it } from 'vitest';
import { openPage } from './harness.ts';

/** In the page: a small model and an input for it. */
const setting = `
  const w = { ...(await import('./weightless.js')), ...(await import('./train.js')) };
  const layers = [w.halfDense({ units: 64 }), w.dense({ units: 10 })];
  const model = w.sequential(layers, { input: [100], seed: 3 });
  const x = Float32Array.from({ length: 100 }, (_, i) => Math.sin(i));`;

it('two contexts on one page are apart: what one computes or loses does not touch the other', async () => {
  const { page, url, errors } = await openPage('Chromium');
  await page.goto(url('blank.html'));
  const result = await page.evaluate(`(async () => {
    ${setting}
    const [a, b] = await Promise.all([w.createContext(), w.createContext()]);
    const [first, second] = await Promise.all([a, b].map((context) => w.loadModel(context, w.saveModel(model))));
    const both = await Promise.all([first.predict(x), second.predict(x)]);
    const held = b.memory.bytes;
    a.dispose();
    const refused = await first.predict(x).catch(({ name }) => name);
    const after = await second.predict(x);
    await second.dispose();
    return { apart: a.device !== b.device, same: both.map(String), after: String(after), refused, held, left: b.memory.bytes };
  })()`);
  const { apart, same, after, refused, held, left } = result as {
    apart: boolean;
    same: string[];
    after: string;
    refused: string;
    held: number;
    left: number;
  };
  expect(apart).toBe(true);
  expect(same[1]).toBe(same[0]);
  expect(after).toBe(same[0]);
  expect(refused).toBe('DeviceLostError');
  expect(held).toBeGreaterThan(0);
  expect(left).toBe(0);
  expect(errors).toEqual([]);
});

it('a context in a worker trains and predicts as one in the page does', async () => {
  const work = `${setting}
    const labels = Array.from({ length: 300 }, (_, i) => i % 10);
    const features = Float32Array.from({ length: 30000 }, (_, i) => Math.sin(i * (1 + labels[Math.floor(i / 100)])));
    const context = await w.createContext();
    for await (const _ of w.fit(context, model, w.dataSet({ features, shape: [100], labels }), { epochs: 2 }));
    const predictor = await w.loadModel(context, w.saveModel(model));
    const answer = [...(await predictor.predict(x))];`;
  const worker = `addEventListener('message', async () => { ${work} postMessage(answer); });`;
  const { page, url, errors } = await openPage('Chromium', { 'work.js': new TextEncoder().encode(worker) });
  await page.goto(url('blank.html'));
  const [inWorker, inPage] = (await page.evaluate(`(async () => {
    const worker = new Worker('work.js', { type: 'module' });
    const inWorker = await new Promise((done, fail) => {
      worker.onmessage = ({ data }) => done(data);
      worker.onerror = ({ message }) => fail(new Error(message));
      worker.postMessage('');
    });
    ${work}
    return [inWorker, answer];
  })()`)) as number[][];
  expect(inWorker).toHaveLength(10);
  expect(inWorker).toEqual(inPage);
  expect(errors).toEqual([]);
});

/** Kibibytes in memory of a process and of all that it started, on Linux. */
function residentOf(pid: number): number {
  const kibibytes = (id: string, field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1] ?? 0);
  const parents = new Map<number, number[]>();
  for (const id of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const parent = kibibytes(id, 'PPid');
      parents.set(parent, [...(parents.get(parent) ?? []), Number(id)]);
    } catch {} // it ended meanwhile
  }
  const family = [pid];
  for (const id of family) family.push(...(parents.get(id) ?? []));
  return family.reduce((sum, id) => {
    try {
      return sum + kibibytes(String(id), 'VmRSS');
    } catch {
      return sum;
    }
  }, 0);
}

/** Bytes that the page's scripts hold, after a collection; 0 where the browser does not tell (Firefox). */
async function heapOf(page: Page): Promise<number> {
  const session = await page.createCDPSession().catch(() => undefined);
  await session?.send('HeapProfiler.collectGarbage');
  const used = session && (await page.metrics()).JSHeapUsedSize;
  await session?.detach();
  return used ?? 0;
}

it('10,000 predictions leave memory as it was', async () => {
  const { page, url, errors } = await openPage('Chromium');
  await page.goto(url('blank.html'));
  await page.evaluate(`(async () => {
    ${setting}
    const context = await w.createContext();
    const predictor = await w.loadModel(context, w.saveModel(model));
    window.predict = async (count) => {
      for (let i = 0; i < count; i++) await predictor.predict(x);
      return { bytes: context.memory.bytes, peak: context.memory.peak, pipelines: context.pipelines.size };
    };
  })()`);
  const pid = page.browser().process()!.pid!;
  const measured: { counts: unknown; heap: number; resident: number }[] = [];
  for (let i = 0; i < 5; i++) {
    const counts = await page.evaluate('predict(2000)');
    const heap = await heapOf(page);
    measured.push({ counts, heap, resident: process.platform === 'linux' ? residentOf(pid) : 0 });
  }
  for (const { counts } of measured) expect(counts).toEqual(measured[0]!.counts);
  // Of the last 8,000 predictions: 12 bytes each of what scripts hold, 3 KiB each of all processes (which breathe).
  const [first, last] = [measured[0]!, measured[4]!];
  expect(last.heap - first.heap).toBeLessThan(100_000);
  expect(last.resident - first.resident).toBeLessThan(24_000);
  expect(errors).toEqual([]);
}, 240_000);
