/** One model at a time on one context; predictions as they are asked for, the newest first. */
import { type Context, type CpuContext, createContext, loadModel, type Predictor, softmax } from 'weightless';
import { SIDE } from './ink.ts';

export interface Answer {
  readonly scores: Float32Array;
  /** Median of the last predictions: input up, scores read back. */
  readonly milliseconds: number;
}

/** Predictions that the latency is the median of. */
const TIMES = 15;

export class Classifier {
  readonly context: Promise<Context | CpuContext> = createContext();
  #predictor: Predictor | undefined;
  #wanted:
    | { input: Float32Array; tell: (answer: Answer | undefined) => void; fail: (error: unknown) => void }
    | undefined;
  #running = false;
  #times: number[] = [];

  get model() {
    return this.#predictor?.model;
  }

  /** Puts another model in place of the present one, which stays where that fails. */
  async open(
    file: string | Uint8Array,
    onProgress?: (loaded: number, total: number | undefined) => void,
  ): Promise<void> {
    const next = await loadModel(this.context, file, onProgress && { onProgress });
    const { input } = next.model;
    if (input.reduce((a, b) => a * b, 1) !== SIDE * SIDE) {
      await next.dispose();
      throw new Error(`expected a model of ${SIDE} x ${SIDE} pictures, got one of ${input.join(' x ')} numbers`);
    }
    const last = this.#predictor;
    this.#predictor = next;
    this.#times = [];
    await last?.dispose();
  }

  /** Undefined where a newer call overtook this one, or no model is open. */
  classify(input: Float32Array): Promise<Answer | undefined> {
    this.#wanted?.tell(undefined);
    return new Promise((tell, fail) => {
      this.#wanted = { input, tell, fail };
      if (!this.#running) this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#running = true;
    for (let wanted = this.#wanted; wanted; wanted = this.#wanted) {
      this.#wanted = undefined;
      try {
        wanted.tell(await this.#predict(wanted.input));
      } catch (error) {
        wanted.fail(error);
      }
    }
    this.#running = false;
  }

  async #predict(input: Float32Array): Promise<Answer | undefined> {
    const predictor = this.#predictor;
    if (!predictor) return undefined;
    const started = performance.now();
    const logits = await predictor.predict(input);
    this.#times = [...this.#times.slice(1 - TIMES), performance.now() - started];
    const sorted = this.#times.toSorted((a, b) => a - b);
    return { scores: softmax(logits, logits.length), milliseconds: sorted[sorted.length >> 1]! };
  }
}
