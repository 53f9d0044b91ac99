/** Other processes of this machine, for Node. */
import { readFileSync } from 'node:fs';

/**
 * When a process started, in clock ticks since boot: tells it from a later one with the same number. Undefined where the
 * system does not say (not Linux) or the process is gone.
 */
export function startOf(pid: number): string | undefined {
  return statusOf(pid)?.[19];
}

/** Whether a process runs. One that ended and waits for its parent (a zombie) does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return statusOf(pid)?.[0] !== 'Z';
}

/** The fields of /proc/PID/stat from the third on. The second, the name, may itself hold spaces and parentheses. */
function statusOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
