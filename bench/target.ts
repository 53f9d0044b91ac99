/** Where the bench runs: a browser, or this process. */
import type { Task } from './engines/engine.ts';
import type { Measured } from './rows.ts';
import type { OnProgress, SessionOptions } from './session.ts';
import type { MicroResult } from './tasks/micro.ts';

export interface Target {
  /** Adapter, browser, cores. */
  environment(): Promise<Record<string, unknown>>;
  runTask(task: Task, options: SessionOptions, onProgress: OnProgress): Promise<Measured[]>;
  /** Ceilings of the adapter, and the small measurements that the filter lets through. */
  runMicro(runs: number, filter: string | undefined): Promise<MicroResult>;
  close(): Promise<void>;
}
