/** The CPU backend as a context: loaded by `createContext` where it is needed. */
import { ShapeError } from '../errors.ts';
import type { Model } from '../model/model.ts';
import { CpuForward } from './forward.ts';
import { kernelModule } from './module.ts';
import { Pool } from './pool.ts';

export interface CpuOptions {
  /** Threads of the CPU backend, the calling one included; default: one for each core. */
  threads?: number;
}

/** Threads by themselves: more than these gain little where each adds its copy of the inputs. */
const MOST_THREADS = 8;

/** Runs models by WebAssembly, large random products on several threads. */
export class CpuContext {
  readonly backend = 'cpu';
  readonly #why: string;
  readonly #threads: number;
  #pool: Promise<Pool | undefined> | undefined;
  #started: { threads: number; problem?: string };

  constructor(why: string, threads: number) {
    this.#why = why;
    this.#threads = threads;
    this.#started = { threads };
  }

  /** What runs, and why. */
  get info(): string {
    const { threads, problem } = this.#started;
    const count = `${threads} thread${threads === 1 ? '' : 's'}`;
    return `CPU by WebAssembly SIMD, ${count}: ${this.#why}${problem ? `. No more threads: ${problem}` : ''}`;
  }

  /** The threads, started when they are first asked for; where that fails, this one does it alone. */
  pool(): Promise<Pool | undefined> {
    this.#pool ??= this.#threads < 2 ? Promise.resolve(undefined) : this.#start();
    return this.#pool;
  }

  async #start(): Promise<Pool | undefined> {
    try {
      return await Pool.start(this.#threads, await kernelModule());
    } catch (error) {
      this.#started = { threads: 1, problem: (error as Error).message };
      return undefined;
    }
  }

  /** A model's way from inputs to outputs, with memory of its own. */
  forward(model: Model): Promise<CpuForward> {
    return CpuForward.create(this, model);
  }

  /** Ends its threads. Predictors that were made with it can't be used any more. */
  dispose(): void {
    void this.#pool?.then((pool) => pool?.dispose());
  }
}

export async function createCpuContext({ threads }: CpuOptions, why: string): Promise<CpuContext> {
  if (threads !== undefined && (!Number.isSafeInteger(threads) || threads < 1)) {
    throw new ShapeError(`createContext: expected threads of 1 or more, got ${threads}`);
  }
  return new CpuContext(why, threads ?? Math.min(MOST_THREADS, cores()));
}

function cores(): number {
  const { process } = globalThis as {
    process?: { getBuiltinModule?: (name: string) => { availableParallelism(): number } };
  };
  return (
    globalThis.navigator?.hardwareConcurrency ?? process?.getBuiltinModule?.('node:os').availableParallelism() ?? 1
  );
}
