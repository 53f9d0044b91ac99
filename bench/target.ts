/** The interface of the place where the bench runs: a browser, or this process. */
import type { Report } from '../src/conformance/conformance.ts';
import type { Task } from './engines/engine.ts';
import type { KernelPlan } from './kernel/plan.ts';
import type { KernelResult, KernelRunOptions } from './kernel/run.ts';
import type { Measured } from './rows.ts';
import type { OnProgress, SessionOptions } from './session.ts';
import type { MicroOptions, MicroResult } from './tasks/micro.ts';

export interface Target {
  /** Adapter, browser, cores. */
  environment(): Promise<Record<string, unknown>>;
  runTask(task: Task, options: SessionOptions, onProgress: OnProgress): Promise<Measured[]>;
  /** Ceilings of the adapter, and the micro benchmarks that match the filter. */
  runMicro(options: MicroOptions): Promise<MicroResult>;
  /** Every kernel against its twin. */
  runConformance(): Promise<Report>;
  /** Compute shaders of others. */
  runKernels(plans: readonly KernelPlan[], options: KernelRunOptions): Promise<KernelResult[]>;
  /** Bytes of GPU buffers that engines hold for the task. */
  runMemory(task: Task, filter: string | undefined): Promise<Measured[]>;
  /** Time from navigation to the first prediction; empty without pages. */
  runFirst(runs: number, filter: string | undefined, onProgress: OnProgress): Promise<Measured[]>;
  close(): Promise<void>;
}
