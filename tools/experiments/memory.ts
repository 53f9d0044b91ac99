/** The most memory that this process held since some moment. */
import { readFileSync, writeFileSync } from 'node:fs';

/** Starts counting anew, where the system can (Linux); elsewhere the peak is that of the whole process. */
export function resetPeak(): void {
  (globalThis as { gc?: () => void }).gc?.(); // what an earlier run left; there with --expose-gc
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Not Linux, or not allowed.
  }
}

/** Bytes of the largest resident set. */
export function peakBytes(): number {
  try {
    const [, kilobytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (kilobytes) return 1024 * Number(kilobytes);
  } catch {
    // Not Linux.
  }
  return 1024 * process.resourceUsage().maxRSS;
}
