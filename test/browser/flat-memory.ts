/** What many predictions leave behind, against what they may. */
import { expect } from 'vitest';
import type { BrowserName } from './harness.ts';
import { type Leak, predictMany } from './many-predictions.ts';

/** Bytes that scripts may hold more after each prediction: heaps breathe by as much; an object that is kept takes some hundreds. */
const HEAP = 24;

/**
 * So many predictions leave no object of WebGPU and no byte of buffers; what scripts hold grows by less than 24 bytes a prediction and, with
 * `bytes`, the memory of all processes by less than that. It takes thousands: a browser takes some megabytes for itself in a while.
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
  expect(made).toBeGreaterThanOrEqual(predictions); // each reads its answer through one of its own
  expect(heap).toBeLessThan(HEAP);
  expect(memory).toBeLessThan(bytes);
  expect(errors).toEqual([]);
}

/**
 * A leak of one object a prediction fails: by the count of objects in any case, and with `bytes` by the memory of all processes too. Firefox
 * keeps a bind group in some 400 bytes, too few to tell from what it takes and gives back.
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
  expect(last! - first!).toBe(predictions * 0.95); // from the end of the first of twenty parts
  if (name === 'Chromium') expect(heap).toBeGreaterThan(HEAP);
  if (bytes !== undefined && process.platform === 'linux') expect(memory).toBeGreaterThan(bytes);
}
