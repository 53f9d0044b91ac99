/** Where the bench runs: a browser, or this process. */
import type { Task } from './engines/engine.ts';
import type { Measured } from './rows.ts';
import type { OnProgress, SessionOptions } from './session.ts';

export interface Target {
  /** Adapter, browser, cores. */
  environment(): Promise<Record<string, unknown>>;
  runTask(task: Task, options: SessionOptions, onProgress: OnProgress): Promise<Measured[]>;
  close(): Promise<void>;
}
