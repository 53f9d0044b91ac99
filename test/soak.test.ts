/** A few rounds of `npm run soak`: devices destroyed at random moments, the same bits, nothing left; and that it tells a leak. */
import { expect, it } from 'vitest';
import { checkFlat, MemoryGrowsError, type Sample, trendOf } from './soak/memory.ts';
import { soak } from './soak/soak.ts';

it('training and predicting outlive the loss of devices, with nothing left and the same bits', async () => {
  const lines: string[] = [];
  const run = await soak({ seconds: 0, rounds: 2, seed: 1, every: 0, say: (line) => lines.push(line) });
  expect(run.rounds).toBeGreaterThanOrEqual(2);
  expect([run.trainings, run.files]).toEqual([run.rounds, run.rounds]);
  expect(run.predictions).toBeGreaterThanOrEqual(3 * run.rounds);
  expect(run.losses).toBeGreaterThan(0);
  expect(run.samples).toHaveLength(run.rounds);
  expect(lines).toHaveLength(run.rounds);
  expect(lines.at(-1)).toMatch(/rss \d+\.\d MiB, .* 0 buffers of 0 bytes$/);
});

/** Half an hour, a sample every 10 s: memory that comes and goes by 40 MiB, and grows by so much an hour. */
const samples = (perHour: number): Sample[] =>
  Array.from({ length: 180 }, (_, i) => {
    const grown = (perHour * i) / 360;
    const start = i < 20 ? -5 * (20 - i) : 0; // pipelines are compiled, caches fill
    return { seconds: 10 * i, rss: 300 + start + 40 * Math.sin(i) + grown, heap: 8 + Math.sin(2 * i) / 4 };
  });

it('memory is flat by its trend: what comes and goes is none, what stays is', () => {
  const { rss, heap } = checkFlat(samples(0), { rss: 16, heap: 1 });
  expect(Math.abs(rss.growth)).toBeLessThan(8);
  expect(Math.abs(heap.growth)).toBeLessThan(0.2);
  expect(trendOf(samples(100), 'rss').perHour - trendOf(samples(0), 'rss').perHour).toBeCloseTo(100, 6);
  expect(() => checkFlat(samples(100), { rss: 16, heap: 1 })).toThrow(MemoryGrowsError);
  expect(() => checkFlat(samples(100), { rss: 16, heap: 1 })).toThrow(
    /^expected rss to grow by at most 16 MiB in 144 samples, got 4\d\.\d MiB, \d+\.\d MiB an hour$/,
  );
});
