/** The CPU backend as a context. `createContext` loads it when needed. */

import { type DeviceLostError, ShapeError } from '../core/errors.ts';
import type { AdapterDescription, Context } from '../gpu/context.ts';
import type { Graph } from '../graph/graph.ts';
import { elements, type Value } from '../graph/value.ts';
import { inputSize, type Model } from '../model/model.ts';
import type { Forward } from '../predict/predictor.ts';
import { timed } from './faster.ts';
import { CpuForward } from './forward.ts';
import { Machine } from './machine.ts';
import { kernelModules } from './module.ts';
import { Pool } from './pool.ts';
import { Program } from './program.ts';
import type { CpuTraining, CpuTrainingOptions } from './training.ts';

export interface CpuOptions {
  /** Number of threads of the CPU backend, the calling one included; default: one per core. */
  threads?: number;
  /**
   * Cache size per model in bytes for generated weights, one byte each. From the second prediction of one row on, the
   * CPU backend reads cached weights instead of regenerating them. It caches `normal`, `uniform` and `sparse`, layer by
   * layer as they fit; copies in other threads count too. Default 32 MiB; 0 turns the cache off.
   */
  keepWeights?: number;
}

/** Bytes: a layer of 4096 x 4096, shared. */
const KEEP_WEIGHTS = 32 * 2 ** 20;

/** Maximum default number of threads. More gain little, because each needs its own copy of the inputs. */
const MOST_THREADS = 8;

/**
 * Number of cores from which a software adapter is measured too. On two cores it takes at least 3 times as long as one
 * of our threads (npm run bench -- --filter "forward weightless"), so it needs many cores to catch up.
 */
const RIVAL_CORES = 6;

/** Runs models in WebAssembly, with large random products on several threads. */
export class CpuContext {
  readonly backend = 'cpu';
  /** Named like the adapter of a WebGPU context. */
  readonly adapter: AdapterDescription = {
    vendor: '',
    architecture: 'wasm',
    device: 'cpu',
    description: 'CPU, WebAssembly SIMD',
    software: true,
  };
  /** Never resolves, because there is no device to lose. */
  readonly lost: Promise<DeviceLostError> = new Promise(() => {});
  /** Bytes (see `CpuOptions`). */
  readonly keepWeights: number;
  readonly #why: string;
  readonly #threads: number;
  #pool: Promise<Pool | undefined> | undefined;
  #started: { threads: number; problem?: string };

  readonly #rival: (() => Promise<Context>) | undefined;
  readonly #cores: number;
  #gpu: Promise<Context> | undefined;
  #measured = '';

  constructor(why: string, options: Required<CpuOptions>, cores: number, rival?: () => Promise<Context>) {
    const { threads, keepWeights } = options;
    this.keepWeights = keepWeights;
    this.#why = why;
    this.#threads = threads;
    this.#cores = cores;
    this.#rival = rival;
    this.#started = { threads };
  }

  /** The backend in use, and the reason. */
  get info(): string {
    const { threads, problem } = this.#started;
    const count = `${threads} thread${threads === 1 ? '' : 's'}`;
    return `CPU by WebAssembly SIMD, ${count}: ${this.#why}${problem ? `. No more threads: ${problem}` : ''}${this.#measured}`;
  }

  /** The threads, started on first use. If that fails, this thread computes alone. */
  pool(): Promise<Pool | undefined> {
    this.#pool ??= this.#threads < 2 ? Promise.resolve(undefined) : this.#start();
    return this.#pool;
  }

  async #start(): Promise<Pool | undefined> {
    try {
      return await Pool.start(this.#threads, await kernelModules());
    } catch (error) {
      this.#started = { threads: 1, problem: (error as Error).message };
      return undefined;
    }
  }

  /**
   * Prepares a model for prediction, with its own memory. With a software adapter and enough cores, the model is
   * prepared there too, and the faster one is used.
   */
  async forward(model: Model, onGpu: (context: Context) => Promise<Forward>): Promise<Forward> {
    const own = await CpuForward.create(this, model);
    if (!this.#rival || this.#cores < RIVAL_CORES) return own;
    this.#gpu ??= this.#rival();
    const there = await onGpu(await this.#gpu);
    const { ownMs, rivalMs, faster } = await timed(own, there, inputSize(model));
    this.#measured = `; measured for the last model: CPU ${ownMs.toFixed(2)} ms, WebGPU ${rivalMs.toFixed(2)} ms a row, the faster one runs`;
    await (faster === own ? there : own).dispose();
    return faster;
  }

  /** Computes one value of a graph from the given values. */
  async evaluate(graph: Graph, given: ReadonlyMap<Value, Float32Array>, output: Value): Promise<Float32Array> {
    const machine = await this.machine();
    const places = new Map([...given].map(([value, numbers]) => [value, machine.place(numbers)] as const));
    const pool = await this.pool();
    const program = await Program.create(machine, graph, {
      places,
      outputs: [output],
      anyBatch: true,
      ...(pool && { pool }),
    });
    try {
      await program.run();
      return machine.floats(program.place(output), elements(output)).slice();
    } finally {
      program.dispose();
    }
  }

  /** Prepares the training of a model (train/training.ts). */
  async training(model: Model, options: CpuTrainingOptions): Promise<CpuTraining> {
    return (await import('./training.ts')).CpuTraining.create(this, model, options);
  }

  /** The kernels with fresh memory. */
  async machine(): Promise<Machine> {
    return Machine.create(await kernelModules());
  }

  /** Ends the threads. Existing predictors continue on the calling thread. */
  dispose(): void {
    void this.#pool?.then((pool) => pool?.dispose());
    this.#gpu?.then((context) => context.dispose()).catch(() => {});
  }
}

/** `rival` opens a context on the software adapter that this context replaces. */
export async function createCpuContext(
  { threads, keepWeights = KEEP_WEIGHTS }: CpuOptions,
  why: string,
  rival?: () => Promise<Context>,
  cores = coresHere(),
): Promise<CpuContext> {
  if (threads !== undefined && (!Number.isSafeInteger(threads) || threads < 1)) {
    throw new ShapeError(`createContext: expected threads of 1 or more, got ${threads}`);
  }
  if (!(keepWeights >= 0)) {
    throw new ShapeError(`createContext: expected keepWeights of 0 or more bytes, got ${keepWeights}`);
  }
  return new CpuContext(why, { threads: threads ?? Math.min(MOST_THREADS, cores), keepWeights }, cores, rival);
}

function coresHere(): number {
  const { process } = globalThis as {
    process?: { getBuiltinModule?: (name: string) => { availableParallelism(): number } };
  };
  return (
    globalThis.navigator?.hardwareConcurrency ?? process?.getBuiltinModule?.('node:os').availableParallelism() ?? 1
  );
}
