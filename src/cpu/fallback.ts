/** The CPU behind a rival that computes a model: callers who left the choice to `createContext` expect an answer. */
import type { Forward } from '../backend/backend.ts';

/** Computes on `rival` until it fails: its device is lost, or out of memory. Then, and from then on, on the CPU. */
export class WithFallback implements Forward {
  readonly #rival: Forward;
  readonly #fallBack: (why: Error) => Promise<Forward>;
  #own: Promise<Forward> | undefined;

  /** `fallBack` puts the model on the CPU. It is called once, with what the rival failed of. */
  constructor(rival: Forward, fallBack: (why: Error) => Promise<Forward>) {
    this.#rival = rival;
    this.#fallBack = fallBack;
  }

  compute(data: Float32Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>> {
    return this.#try((forward) => forward.compute(data));
  }

  prepare(rows: number): Promise<unknown> {
    return this.#try((forward) => forward.prepare(rows));
  }

  async #try<T>(work: (forward: Forward) => Promise<T>): Promise<T> {
    if (!this.#own) {
      try {
        return await work(this.#rival);
      } catch (error) {
        this.#own ??= this.#fallBack(error as Error);
      }
    }
    return work(await this.#own);
  }

  async dispose(): Promise<void> {
    await this.#rival.dispose();
    await (await this.#own)?.dispose();
  }
}
