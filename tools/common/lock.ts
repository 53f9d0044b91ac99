/**
 * A lock file that one process holds. Taking over the lock of a dead process is the hard part: between finding it stale and
 * removing it, another process may have put its own in that place. So every contender first enters a gate: it creates a
 * flag file of a unique name, then lists the flags. If it sees another living one, it withdraws and tries again. Of two that
 * create before they list, at least one sees the other, so never two are inside; and since no flag's name is used
 * twice, anyone may remove the flag of a dead process.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, startOf } from '../../src/core/processes.ts';

export interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Tells the process from a later one of the same number, where the system says when a process started. */
  readonly start?: string | undefined;
}

/** Milliseconds that contenders wait for the gate, which each needs for about one. */
const PATIENCE = 10_000;

/** Milliseconds after which another machine's flag counts as abandoned. */
const FOREIGN_FLAG = 30_000;

const self = (): Holder => ({ pid: process.pid, host: hostname(), start: startOf(process.pid) });

/** Takes the lock: undefined if this process holds it now, else who does. `releaseLock` gives it back. */
export function takeLock(lock: string): Promise<Holder | undefined> {
  return throughGate(lock, () => {
    const holder = readHolder(lock);
    if (holder && holds(holder)) return holder;
    rmSync(lock, { force: true }); // its process is gone, or was killed while it wrote this
    writeFileSync(lock, JSON.stringify(self()), { flag: 'wx' });
    return undefined;
  });
}

export const releaseLock = (lock: string): void => rmSync(lock, { force: true });

/** Does `work`, at most one contender at a time. It must not wait for anything. */
async function throughGate<T>(lock: string, work: () => T): Promise<T> {
  const until = Date.now() + PATIENCE;
  for (;;) {
    const flag = `${lock}.${randomBytes(8).toString('hex')}.flag`;
    writeFileSync(flag, JSON.stringify(self()), { flag: 'wx' });
    try {
      if (!othersInGate(lock, flag)) return work();
    } finally {
      rmSync(flag, { force: true });
    }
    if (Date.now() > until) throw new Error(`${lock}: expected other processes to leave the lock alone, they did not`);
    await sleep(1 + 20 * Math.random());
  }
}

/** Whether another living process has a flag up. Flags of dead ones are removed. */
function othersInGate(lock: string, own: string): boolean {
  const stem = `${basename(lock)}.`;
  const flags = readdirSync(dirname(lock)).filter(
    (name) => name.startsWith(stem) && /^[0-9a-f]{16}\.flag$/.test(name.slice(stem.length)) && name !== basename(own),
  );
  return flags.map((name) => join(dirname(lock), name)).filter((flag) => isUp(flag)).length > 0;
}

function isUp(flag: string): boolean {
  const age = ageOf(flag);
  if (age === undefined) return false; // withdrawn since it was listed
  const holder = readHolder(flag);
  // An empty flag is one that is being written, unless its process was killed then.
  const up = holder?.host === hostname() ? holds(holder) : age < FOREIGN_FLAG;
  if (!up) rmSync(flag, { force: true });
  return up;
}

const ageOf = (file: string): number | undefined => {
  const found = statSync(file, { throwIfNoEntry: false });
  return found && Date.now() - found.mtimeMs;
};

/** Whether the process still runs; of another machine nobody here knows. */
function holds({ pid, host, start }: Holder): boolean {
  if (host !== hostname()) return true;
  return isAlive(pid) && (start === undefined || start === startOf(pid));
}

function readHolder(file: string): Holder | undefined {
  try {
    const found = JSON.parse(readFileSync(file, 'utf8')) as Partial<Holder> | null;
    return Number.isSafeInteger(found?.pid) && typeof found?.host === 'string' ? (found as Holder) : undefined;
  } catch {
    return undefined;
  }
}
