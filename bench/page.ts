/** The page: every engine that can be loaded, on its own device, driven from outside through `bench`. */
import { adapterName } from '../src/context.ts';
import type { Engine, Task } from './engines/engine.ts';
import { weightless } from './engines/weightless.ts';
import { ourContext } from './gpu.ts';
import type { Measured } from './rows.ts';
import { runTask, type SessionOptions } from './session.ts';

declare global {
  /** Given by the driver. */
  var benchProgress: (share: number, label: string) => void;
  var bench: PageBench;
}

/** Bundles of the peers, beside this one: one that is missing or fails is a row with its error. */
const PEERS = {
  'jax-js': { bundle: '/jax.js', exported: 'jaxJs' },
} as const;

/** An engine whose module is loaded when it is first needed. */
function deferred(name: string, { bundle, exported }: (typeof PEERS)[keyof typeof PEERS]): Engine {
  return {
    name,
    peer: true,
    variants: (task) => [
      { weights: 'f32', distribution: 'normal', weightBytes: task.kind === 'forward' ? 4 * task.k * task.n : 0 },
    ],
    async prepare(task, variant, data) {
      const module = (await import(bundle)) as Record<string, Engine>;
      return module[exported]!.prepare(task, variant, data);
    },
  };
}

const engines = [weightless, ...Object.entries(PEERS).map(([name, peer]) => deferred(name, peer))];

export interface PageBench {
  environment(): Promise<Record<string, unknown>>;
  runTask(task: Task, options: SessionOptions): Promise<Measured[]>;
}

globalThis.bench = {
  async environment() {
    const { adapter, device } = await ourContext();
    return {
      adapter: adapterName(adapter),
      software: adapter.software,
      features: [...device.features].sort(),
      browser: navigator.userAgent,
      cores: navigator.hardwareConcurrency,
    };
  },
  runTask: (task, options) => runTask(engines, task, options, (share, label) => globalThis.benchProgress(share, label)),
};
