/** The CPU backend: loaded by `createContext` where it is needed. */

import type { AdapterDescription } from '../backend/adapter.ts';
import type { Backend, Evaluator, Forward } from '../backend/backend.ts';
import { evaluationOf } from '../backend/evaluation.ts';
import type { TrainingOptions } from '../backend/training.ts';
import { within } from '../backend/within.ts';
import { yieldClock } from '../backend/yield-clock.ts';
import { type DeviceLostError, NoAdapterError, ShapeError } from '../core/errors.ts';
import { nodeModule } from '../core/node-modules.ts';
import { onDemand } from '../core/on-demand.ts';
import type { Graph } from '../graph/graph.ts';
import { elements, type Value } from '../graph/value.ts';
import { inputSize, type Model } from '../model/model.ts';
import { WithFallback } from './fallback.ts';
import { timed } from './faster.ts';
import { CpuForward } from './forward.ts';
import type { CpuHost } from './host.ts';
import { Machine } from './machine.ts';
import { kernelModules } from './module.ts';
import { Pool } from './pool.ts';
import { Program } from './program.ts';
import type { CpuTraining } from './training.ts';

export interface CpuOptions {
  /** Number of threads of the CPU backend, the calling one included, at most 64; default: one per core, at most 8. */
  threads?: number;
  /**
   * Bytes, for each model, in which the CPU backend may cache generated weights, a byte each, so that a prediction of one row reads them
   * instead of generating them again: from the second prediction on, for `normal`, `uniform` and `sparse`, layer by layer as they fit.
   * What other threads cache of a layer that they share counts too. Default 32 MiB; 0 caches nothing.
   */
  keepWeights?: number;
}

/** Bytes: a layer of 4096 x 4096, shared. */
const DEFAULT_CACHE_BYTES = 32 * 2 ** 20;

/** The default number of threads is at most this: more gain little, as each adds its copy of the inputs. */
const MAX_THREADS = 8;

/** A caller may ask for so many: each takes some megabytes, and where they are not there, the process ends. */
const MOST_THREADS = 64;

/**
 * Cores from which on a software adapter is measured too: on two cores it takes at least 3 times as long as one thread of this backend
 * (npm run bench -- --filter "forward weightless"), so it needs many to catch up.
 */
const RIVAL_CORES = 6;

/** Milliseconds in which a rival has to open, compile and be timed. */
const RIVAL_PATIENCE_MS = 20_000;

/** Runs models by WebAssembly, large random products on several threads. */
export class CpuContext implements Backend, CpuHost {
  readonly backend = 'cpu';
  readonly adapter: AdapterDescription = {
    vendor: '',
    architecture: 'wasm',
    device: 'cpu',
    description: 'CPU, WebAssembly SIMD',
    software: true,
  };
  /** Never resolves, because there is no device to lose. */
  readonly lost: Promise<DeviceLostError> = new Promise(() => {});
  readonly keepWeights: number;
  readonly yieldIfDue = yieldClock();
  readonly #why: string;
  readonly #threads: number;
  readonly #cores: number;
  #rival: (() => Promise<Backend>) | undefined;
  #pool: Promise<Pool | undefined> | undefined;
  #started: { threads: number; problem?: string };
  #opened: Promise<Backend> | undefined;
  #measured = '';
  readonly #machines = new Set<Machine>();
  #peak = 0;

  constructor(why: string, options: Required<CpuOptions>, cores: number, rival?: () => Promise<Backend>) {
    const { threads, keepWeights } = options;
    this.#why = why;
    this.#threads = threads;
    this.keepWeights = keepWeights;
    this.#cores = cores;
    this.#rival = rival;
    this.#started = { threads };
  }

  get info(): string {
    const { threads, problem } = this.#started;
    const count = `${threads} thread${threads === 1 ? '' : 's'}`;
    return `CPU by WebAssembly SIMD, ${count}: ${this.#why}${problem ? `. No more threads: ${problem}` : ''}${this.#measured}`;
  }

  /** The memory of this thread. WebAssembly memory never shrinks, so the sum peaks where a machine is released, or now. */
  get memory(): { readonly bytes: number; readonly peak: number } {
    const bytes = [...this.#machines].reduce((sum, machine) => sum + machine.bytes, 0);
    this.#peak = Math.max(this.#peak, bytes);
    return { bytes, peak: this.#peak };
  }

  checkAlive(): void {}

  /** Where a thread does not start, this thread computes alone. */
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

  async machine(): Promise<Machine> {
    const machine = await Machine.create(await kernelModules());
    this.#machines.add(machine);
    return machine;
  }

  release(machine: Machine): void {
    this.#peak = this.memory.peak;
    this.#machines.delete(machine);
  }

  /** There is nothing to compile for a model. */
  async compile(): Promise<void> {}

  /**
   * Where a software adapter has enough cores to be a rival, the model is put there too, and the faster one of the two computes. A
   * rival that fails later, for example because its device is lost, leaves the CPU: nobody asked for it.
   */
  async forward(model: Model): Promise<Forward> {
    const own = await CpuForward.create(this, model);
    if (!this.#rival || this.#cores < RIVAL_CORES) return own;
    this.#opened ??= this.#rival();
    const opened = this.#opened;
    const parameters = new Map([...model.parameters].map(([name, values]) => [name, values.slice()])); // as they are now
    const measured = async () => {
      const there = await (await opened).forward(model);
      return { there, ...(await timed(own, there, inputSize(model))) };
    };
    let result: Awaited<ReturnType<typeof measured>>;
    try {
      result = await within(RIVAL_PATIENCE_MS, 'WebGPU', measured());
    } catch (error) {
      this.#dropRival(error as Error);
      return own;
    }
    const { there, ownMs, rivalMs, faster } = result;
    this.#measured = `; measured for the last model: CPU ${ownMs.toFixed(2)} ms, WebGPU ${rivalMs.toFixed(2)} ms a row, the faster one runs`;
    await (faster === own ? there : own).dispose();
    if (faster === own) return own;
    return new WithFallback(there, (why) => {
      this.#dropRival(why);
      return CpuForward.create(this, { ...model, parameters });
    });
  }

  /** A rival that fails or hangs is not asked again. */
  #dropRival({ message }: Error): void {
    this.#rival = undefined;
    this.#measured = `; WebGPU is out of the race: ${message}`;
  }

  async evaluator(
    graph: Graph,
    given: ReadonlyMap<Value, Float32Array | Uint32Array>,
    outputs: readonly Value[],
  ): Promise<Evaluator> {
    const { known, read } = evaluationOf(graph, given, outputs);
    const machine = await this.machine();
    try {
      const pool = await this.pool();
      const places = new Map(read.map(([value, numbers]) => [value, machine.place(numbers)]));
      const options = { places, given: known, outputs, anyBatch: true, ...(pool && { pool }) };
      const program = await Program.create(machine, graph, options);
      return {
        run: async (changed = new Map()) => {
          for (const [value, numbers] of changed) {
            const at = places.get(value);
            if (at !== undefined) machine.words(at, numbers.length).set(asWords(numbers));
          }
          await program.run(undefined, this.yieldIfDue);
          const copy = (value: Value) => machine.floats(program.place(value), elements(value)).slice();
          return new Map(outputs.map((value) => [value, copy(value)]));
        },
        dispose: () => {
          program.dispose();
          this.release(machine);
        },
      };
    } catch (error) {
      this.release(machine);
      throw error;
    }
  }

  async training(model: Model, options: TrainingOptions): Promise<CpuTraining> {
    return (await onDemand(import('./training.ts'))).CpuTraining.create(this, model, options);
  }

  /** Ends its threads. Models and trainings made with it go on alone. */
  dispose(): void {
    void this.#pool?.then((pool) => pool?.dispose());
    this.#opened?.then((rival) => rival.dispose()).catch(() => {});
  }
}

/** `rival` opens the software adapter that this backend was chosen over. Throws `ShapeError` for options out of range. */
export async function createCpuContext(
  { threads, keepWeights = DEFAULT_CACHE_BYTES }: CpuOptions,
  why: string,
  rival?: () => Promise<Backend>,
  cores = coresHere(),
): Promise<CpuContext> {
  if (threads !== undefined && !(Number.isSafeInteger(threads) && threads > 0 && threads <= MOST_THREADS)) {
    throw new ShapeError(`createContext: expected threads of 1 to ${MOST_THREADS}, got ${threads}`);
  }
  if (!(keepWeights >= 0)) {
    throw new ShapeError(`createContext: expected keepWeights of 0 or more bytes, got ${keepWeights}`);
  }
  await kernelModules().catch((error) => {
    throw new NoAdapterError(
      `expected WebAssembly for the CPU kernels, got: ${error.message}. If the page has a content security policy, ` +
        "add 'wasm-unsafe-eval' to its script-src.",
    );
  });
  return new CpuContext(why, { threads: threads ?? Math.min(MAX_THREADS, cores), keepWeights }, cores, rival);
}

function coresHere(): number {
  return (
    globalThis.navigator?.hardwareConcurrency ??
    nodeModule<{ availableParallelism(): number }>('node:os')?.availableParallelism() ??
    1
  );
}

/** The bits of numbers. */
const asWords = ({ buffer, byteOffset, length }: Float32Array | Uint32Array) =>
  new Uint32Array(buffer, byteOffset, length);
