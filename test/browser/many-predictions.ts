/** Many predictions in a page, and what they leave behind. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Page } from 'puppeteer-core';
import { expect } from 'vitest';
import { type BrowserName, openPage } from './harness.ts';

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

/** In the page: buffers that were made and not destroyed are counted by the browser's own calls, not by ours. */
const COUNT_BUFFERS = `globalThis.buffers = { alive: 0, bytes: 0, made: 0 };
  const { createBuffer } = GPUDevice.prototype;
  GPUDevice.prototype.createBuffer = function (descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    const { destroy } = buffer;
    let alive = true;
    buffers.alive += 1;
    buffers.made += 1;
    buffers.bytes += descriptor.size;
    buffer.destroy = () => {
      if (alive) {
        buffers.alive -= 1;
        buffers.bytes -= descriptor.size;
      }
      alive = false;
      destroy.call(buffer);
    };
    return buffer;
  };`;

/**
 * That many predictions in five parts: after each, the same buffers and pipelines live; what scripts hold (Chromium tells) and all
 * processes of the browser (Linux tells) does not grow with their number from the first part on.
 */
export async function predictMany(name: BrowserName, count: number): Promise<void> {
  const { page, url, errors } = await openPage(name);
  await page.evaluateOnNewDocument(COUNT_BUFFERS);
  await page.goto(url('blank.html'));
  await page.evaluate(`(async () => {
    const w = await import('./weightless.js');
    const model = w.sequential([w.halfDense({ units: 64 }), w.dense({ units: 10 })], { input: [100], seed: 3 });
    const x = Float32Array.from({ length: 100 }, (_, i) => Math.sin(i));
    const context = await w.createContext({ backend: 'webgpu' });
    const predictor = await w.createPredictor(context, model);
    globalThis.predict = async (count) => {
      for (let i = 0; i < count; i++) await predictor.predict(x);
      const { alive, bytes } = buffers;
      return { alive, bytes, counted: context.memory.bytes, pipelines: context.pipelines.size };
    };
  })()`);
  const pid = page.browser().process()!.pid!;
  const measured: { counts: { bytes: number; counted: number }; heap: number; resident: number }[] = [];
  for (let i = 0; i < 5; i++) {
    const counts = (await page.evaluate(`predict(${count / 5})`)) as { bytes: number; counted: number };
    const heap = await heapOf(page);
    measured.push({ counts, heap, resident: process.platform === 'linux' ? residentOf(pid) : 0 });
  }
  const [first, last] = [measured[0]!, measured[4]!];
  for (const { counts } of measured) expect(counts).toEqual(first.counts);
  expect(first.counts.bytes).toBe(first.counts.counted);
  expect(await page.evaluate('buffers.made')).toBeGreaterThanOrEqual(count); // each reads its answer through one of its own
  console.log(
    `${name}, ${count} predictions, of which the last four fifths: scripts hold ${last.heap - first.heap} bytes more, ` +
      `all processes ${last.resident - first.resident} KiB`,
  );
  // 12 bytes a prediction of what scripts hold, 3 KiB of all processes; below that they breathe.
  expect(last.heap - first.heap).toBeLessThan(Math.max(100_000, 12 * 0.8 * count));
  expect(last.resident - first.resident).toBeLessThan(Math.max(24_000, 3 * 0.8 * count));
  expect(errors).toEqual([]);
}
