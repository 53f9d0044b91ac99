/** The page: every engine that can be loaded, on its own device, driven from outside through `bench`. */
import { adapterName } from '../src/context.ts';
import { type Engine, storedVariant, type Task } from './engines/engine.ts';
import { stored } from './engines/stored.ts';
import { weightless } from './engines/weightless.ts';
import { weightlessCpu, weightlessCpu1 } from './engines/weightless-cpu.ts';
import { ourContext } from './gpu.ts';
import type { Measured } from './rows.ts';
import { runMemory, runTask, type SessionOptions } from './session.ts';
import { type MicroOptions, type MicroResult, runMicro } from './tasks/micro.ts';

declare global {
  /** Given by the driver. */
  var benchProgress: (share: number, label: string) => void;
  var bench: PageBench;
}

interface Peer {
  readonly bundle: string;
  readonly exported: string;
  readonly peer: boolean;
  readonly trains: boolean;
}

/** Bundles of the peers, beside this one: one that is missing or fails is a row with its error. */
const PEERS: Readonly<Record<string, Peer>> = {
  'jax-js': { bundle: '/jax.js', exported: 'jaxJs', peer: true, trains: true },
  'tfjs-webgpu': { bundle: '/tfjs.js', exported: 'tfjs', peer: true, trains: true },
  'onnx-webgpu': { bundle: '/onnx.js', exported: 'onnxWebgpu', peer: true, trains: false },
  'onnx-wasm-1': { bundle: '/onnx.js', exported: 'onnxWasm1', peer: false, trains: false },
  'onnx-wasm': { bundle: '/onnx.js', exported: 'onnxWasm', peer: false, trains: false },
};

/** An engine whose module is loaded when it is first needed. */
function deferred(name: string, { bundle, exported, peer, trains }: Peer): Engine {
  return {
    name,
    peer,
    gpu: peer,
    variants: (task) => ((task.kind === 'forward' ? !task.kernels : trains) ? [storedVariant(task)] : []),
    async prepare(task, variant, data) {
      const module = (await import(bundle)) as Record<string, Engine>;
      return module[exported]!.prepare(task, variant, data);
    },
  };
}

const engines = [
  weightless,
  weightlessCpu1,
  weightlessCpu,
  stored,
  ...Object.entries(PEERS).map(([name, peer]) => deferred(name, peer)),
];

export interface PageBench {
  environment(): Promise<Record<string, unknown>>;
  runTask(task: Task, options: SessionOptions): Promise<Measured[]>;
  /** Meant for a fresh page: pools fill up. */
  runMemory(task: Task, filter: string | undefined): Promise<Measured[]>;
  runMicro(options: MicroOptions): Promise<MicroResult>;
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
  runMicro,
  runMemory: (task, filter) => runMemory(engines, task, filter),
  runTask: (task, options) => runTask(engines, task, options, (share, label) => globalThis.benchProgress(share, label)),
};
