/** Checks that many predictions leave no memory behind. */
import { expect } from 'vitest';
import type { BrowserName } from './harness.ts';
import { type Leak, predictMany } from './many-predictions.ts';

/** Allowed growth of script memory per prediction in bytes: normal variation. A leaked object takes some hundreds. */
const HEAP = 24;

/**
 * Expects that predictions leave no WebGPU object and no byte of buffers, and that script memory grows by less than 24
 * bytes per prediction. With `bytes`, the memory of all processes must grow by less than that. This takes thousands of
 * predictions, because a browser allocates some megabytes for itself over time.
 */
export async function expectFlat(
  name: BrowserName,
  predictions: number,
  bytes = Number.POSITIVE_INFINITY,
): Promise<void> {
  const { counts, errors, made, heap, memory } = await predictMany(name, predictions);
  const first = counts[0]!;
  for (const one of counts) expect(one).toEqual(first);
  expect(first.bytes).toBe(first.counted);
  expect(made).toBeGreaterThanOrEqual(predictions); // each prediction reads its result through a new buffer
  expect(heap).toBeLessThan(HEAP);
  expect(memory).toBeLessThan(bytes);
  expect(errors).toEqual([]);
}

/**
 * Expects that a leak of one object per prediction is detected: by the count of objects, and with `bytes` also by the
 * memory of all processes. In Firefox a bind group takes some 400 bytes, too few to separate from normal variation.
 */
export async function expectLeak(
  name: BrowserName,
  predictions: number,
  leak: Exclude<Leak, 'nothing'>,
  bytes?: number,
): Promise<void> {
  const { counts, heap, memory } = await predictMany(name, predictions, leak);
  const kind = leak === 'buffer' ? 'GPUBuffer' : 'GPUBindGroup';
  const [first, last] = [counts[0]!, counts.at(-1)!].map(({ objects }) => objects[kind]!);
  expect(last! - first!).toBe(predictions * 0.95); // counted from the end of the first of twenty parts
  if (name === 'Chromium') expect(heap).toBeGreaterThan(HEAP);
  if (bytes !== undefined && process.platform === 'linux') expect(memory).toBeGreaterThan(bytes);
}
