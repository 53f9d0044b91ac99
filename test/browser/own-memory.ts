/** Private memory of processes on Linux, and its steady growth. */
import { readdirSync, readFileSync } from 'node:fs';

/**
 * Private memory in kibibytes by process, for the process with this id and all its descendants: the pages that a
 * process has written to, without the files and libraries that the processes of a browser share.
 */
export function ownMemory(pid: number): ReadonlyMap<number, number> {
  const processes = new Map<number, { parent: number; kibibytes: number }>();
  for (const id of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${id}/status`, 'utf8');
      const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
      processes.set(Number(id), { parent: field('PPid'), kibibytes: field('RssAnon') + field('RssShmem') });
    } catch {} // the process has exited
  }
  const family = [pid];
  for (const id of family) for (const [child, { parent }] of processes) if (parent === id) family.push(child);
  return new Map(family.map((id) => [id, processes.get(id)?.kibibytes ?? 0]));
}

/**
 * Growth of a number per measurement: the median slope over all pairs (Theil-Sen). A one-time allocation or release by
 * the browser does not affect it.
 */
export function steadyGrowth(measured: readonly number[]): number {
  const slopes = measured
    .flatMap((a, i) => measured.slice(i + 1).map((b, j) => (b - a) / (j + 1)))
    .sort((a, b) => a - b);
  return slopes.length === 0 ? 0 : (slopes[slopes.length >> 1]! + slopes[(slopes.length - 1) >> 1]!) / 2;
}

/**
 * Total growth of all processes in kibibytes per measurement. A browser starts processes in advance and suspends
 * others, so only processes present in every measurement count, and a shrinking process does not offset a growing one.
 */
export function steadyGrowthOfAll(measured: readonly ReadonlyMap<number, number>[]): number {
  const always = [...(measured[0]?.keys() ?? [])].filter((id) => measured.every((one) => one.has(id)));
  const growths = always.map((id) => steadyGrowth(measured.map((one) => one.get(id)!)));
  return growths.reduce((sum, growth) => sum + Math.max(0, growth), 0);
}
