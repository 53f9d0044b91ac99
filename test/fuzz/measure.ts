/** Time and memory of a case: what a damaged file may cost is as much a promise as the name of its error. */
import { openSync, writeSync } from 'node:fs';
import { Wrong } from './choices.ts';

/** A case that computes for longer is a defect. */
const MOST_MS = 2000;

/** So is one whose resident memory grows by more, in MiB. */
const MOST_MIB = 256;

export interface Cost {
  readonly ms: number;
  readonly mib: number;
}

/**
 * Linux: a '5' written here sets the peak of resident memory back to what is resident now. Elsewhere the peak of the
 * process counts.
 */
const peakReset = (() => {
  try {
    return openSync('/proc/self/clear_refs', 'w');
  } catch {
    return undefined;
  }
})();

const peakMib = () => process.resourceUsage().maxRSS / 1024;

/**
 * Runs a case and returns its result and cost. Throws what the case throws, and `Wrong` for one that costs too much.
 */
export async function measured<T>(run: () => T | Promise<T>): Promise<{ result: T; cost: Cost }> {
  if (peakReset !== undefined) writeSync(peakReset, '5', 0);
  const [mibBefore, usage] = [peakMib(), process.cpuUsage()];
  const result = await run();
  const { user, system } = process.cpuUsage(usage); // not the clock's time: the machine may be busy with other work
  const cost = { ms: (user + system) / 1000, mib: peakMib() - mibBefore };
  if (cost.ms > MOST_MS) throw new Wrong(`took ${cost.ms.toFixed(0)} ms of at most ${MOST_MS}`);
  if (cost.mib > MOST_MIB) throw new Wrong(`took ${cost.mib.toFixed(0)} MiB of at most ${MOST_MIB}`);
  return { result, cost };
}
