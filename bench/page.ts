/** The page of the bench: every engine that loads, each on its own device, driven from outside through `bench`. */
import { conformance, type Report } from '../src/conformance/conformance.ts';
import { adapterFacts } from './adapter-facts.ts';
import type { Task } from './engines/engine.ts';
import { peers } from './engines/peers.ts';
import { stored } from './engines/stored.ts';
import { weightless } from './engines/weightless.ts';
import { weightlessCpu, weightlessCpu1 } from './engines/weightless-cpu.ts';
import { ourContext } from './gpu.ts';
import { runKernels } from './kernel/run.ts';
import type { Measured } from './rows.ts';
import { runMemory, runTask, type SessionOptions } from './session.ts';
import { type MicroOptions, type MicroResult, runMicro } from './tasks/micro.ts';

declare global {
  /** Defined by the driver. */
  var benchProgress: (share: number, label: string) => void;
  var bench: PageBench;
}

const engines = [weightless, weightlessCpu1, weightlessCpu, stored, ...peers];

export interface PageBench {
  environment(): Promise<Record<string, unknown>>;
  runTask(task: Task, options: SessionOptions): Promise<Measured[]>;
  /** Needs a fresh page, because buffer pools fill up. */
  runMemory(task: Task, filter: string | undefined): Promise<Measured[]>;
  runMicro(options: MicroOptions): Promise<MicroResult>;
  runConformance(): Promise<Report>;
  runKernels: typeof runKernels;
}

globalThis.bench = {
  async environment() {
    return {
      ...adapterFacts(await ourContext()),
      browser: navigator.userAgent,
      cores: navigator.hardwareConcurrency,
    };
  },
  runMicro,
  runConformance: async () => conformance(await ourContext()),
  runKernels,
  runMemory: (task, filter) => runMemory(engines, task, filter),
  runTask: (task, options) => runTask(engines, task, options, (share, label) => globalThis.benchProgress(share, label)),
};
