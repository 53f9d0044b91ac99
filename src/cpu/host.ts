/** What models and trainings on the CPU backend share. */
import type { YieldClock } from '../backend/yield-clock.ts';
import type { Machine } from './machine.ts';
import type { Pool } from './pool.ts';

export interface CpuHost {
  /** Bytes, for each model, in which generated weights may be cached (see `CpuOptions`). */
  readonly keepWeights: number;
  /** One clock for all work on this thread, so that many short pieces of work give way like a long one. */
  readonly yieldIfDue: YieldClock;
  /** The threads, started when they are first needed; undefined where this thread computes alone. */
  pool(): Promise<Pool | undefined>;
  /** The kernels with fresh memory, which counts as the backend's until `release`. */
  machine(): Promise<Machine>;
  release(machine: Machine): void;
}
