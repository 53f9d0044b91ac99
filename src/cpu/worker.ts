/**
 * A thread of the pool (pool.ts): computes a slice of the units in its own memory. Bundled separately (worker.source).
 */
import { nodeModule } from '../core/node-modules.ts';
import { CachedWeights } from './cached-weights.ts';
import { Machine } from './machine.ts';
import type { KernelModules } from './module.ts';
import { type Call, type CpuChoice, type RandomProduct, randomMatmul } from './random_matmul.ts';

/** Messages from the pool. */
export type Order =
  | { readonly modules: KernelModules }
  | { readonly id: number; readonly product: RandomProduct; readonly choice: CpuChoice; readonly cached: boolean }
  | { readonly id: number; readonly x: Float32Array<ArrayBuffer> }
  | { readonly id: number; readonly drop: true };

/** Replies to the pool: ready, a result, or an error. */
export type Reply =
  | { readonly ready: true }
  | { readonly id: number; readonly z: Float32Array<ArrayBuffer> }
  | { readonly id: number; readonly error: string };

interface Port {
  postMessage(reply: Reply, transfer?: Transferable[]): void;
  onmessage: ((event: { data: Order }) => void) | null;
}

interface Held {
  readonly machine: Machine;
  readonly call: Call;
  readonly x: number;
  readonly z: number;
  readonly size: number;
}

const port: Port =
  nodeModule<{ parentPort: Port }>('node:worker_threads')?.parentPort ?? (globalThis as unknown as Port);
const held = new Map<number, Promise<Held>>();
let modules: KernelModules;

async function hold(product: RandomProduct, choice: CpuChoice, cached: boolean): Promise<Held> {
  const { m, k, n } = product;
  const machine = await Machine.create(modules);
  const call = randomMatmul(machine, product, choice, cached ? new CachedWeights(machine, product) : undefined);
  return { machine, call, x: machine.allocate(4 * m * k), z: machine.allocate(4 * m * n), size: m * n };
}

async function compute(id: number, data: Float32Array<ArrayBuffer>): Promise<void> {
  try {
    const { machine, call, x, z, size } = (await held.get(id))!;
    machine.floats(x, data.length).set(data);
    call(x, z);
    const out = machine.floats(z, size).slice();
    port.postMessage({ id, z: out }, [out.buffer]);
  } catch (error) {
    port.postMessage({ id, error: String((error as Error)?.message ?? error) });
  }
}

port.onmessage = ({ data: order }) => {
  if ('modules' in order) {
    modules = order.modules;
    port.postMessage({ ready: true });
  } else if ('product' in order) {
    const made = hold(order.product, order.choice, order.cached);
    made.catch(() => {}); // reported when it is used
    held.set(order.id, made);
  } else if ('drop' in order) held.delete(order.id);
  else void compute(order.id, order.x);
};
