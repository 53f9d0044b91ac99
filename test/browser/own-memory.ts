/** What processes hold for themselves, on Linux, and how steadily it grows. */
import { readdirSync, readFileSync } from 'node:fs';

/**
 * Kibibytes by process, of the one with this id and of all that it started: what a process has written to, without the files and libraries
 * that all of a browser share.
 */
export function ownMemory(pid: number): ReadonlyMap<number, number> {
  const processes = new Map<number, { parent: number; kibibytes: number }>();
  for (const id of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${id}/status`, 'utf8');
      const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
      processes.set(Number(id), { parent: field('PPid'), kibibytes: field('RssAnon') + field('RssShmem') });
    } catch {} // it ended meanwhile
  }
  const family = [pid];
  for (const id of family) for (const [child, { parent }] of processes) if (parent === id) family.push(child);
  return new Map(family.map((id) => [id, processes.get(id)?.kibibytes ?? 0]));
}

/**
 * How much a number grows from one measurement to the next, by the median of the slopes between any two (Theil-Sen): what a browser takes
 * or gives back at one moment does not move it.
 */
export function steadyGrowth(measured: readonly number[]): number {
  const slopes = measured
    .flatMap((a, i) => measured.slice(i + 1).map((b, j) => (b - a) / (j + 1)))
    .sort((a, b) => a - b);
  return slopes.length === 0 ? 0 : (slopes[slopes.length >> 1]! + slopes[(slopes.length - 1) >> 1]!) / 2;
}

/**
 * Kibibytes from one measurement to the next that all processes grow together. A browser starts processes ahead of need and lets others rest:
 * only those count that are in every measurement, and one that shrinks hides no other that grows.
 */
export function steadyGrowthOfAll(measured: readonly ReadonlyMap<number, number>[]): number {
  const always = [...(measured[0]?.keys() ?? [])].filter((id) => measured.every((one) => one.has(id)));
  const growths = always.map((id) => steadyGrowth(measured.map((one) => one.get(id)!)));
  return growths.reduce((sum, growth) => sum + Math.max(0, growth), 0);
}
