/** The CPU backend as a context: loaded by `createContext` where it is needed. */
import type { Model } from '../model/model.ts';
import type { Predictor } from '../model/predictor.ts';
import { CpuPredictor } from './predictor.ts';

export interface CpuOptions {
  /** Threads of the CPU backend, this one included; default: one for each core. */
  threads?: number;
}

/** Runs models by WebAssembly. */
export class CpuContext {
  readonly backend = 'cpu';
  readonly #why: string;

  constructor(why: string) {
    this.#why = why;
  }

  /** What runs, and why. */
  get info(): string {
    return `CPU, WebAssembly SIMD (${this.#why})`;
  }

  createPredictor(model: Model): Promise<Predictor> {
    return CpuPredictor.create(this, model);
  }

  /** Ends its threads. */
  dispose(): void {}
}

export async function createCpuContext(_options: CpuOptions, why: string): Promise<CpuContext> {
  return new CpuContext(why);
}
