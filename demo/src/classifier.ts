/** One model at a time on one context; predictions as they are asked for, the newest first. A lost device is replaced. */
import {
  type Context,
  type CpuContext,
  createContext,
  createPredictor,
  DeviceLostError,
  loadModel,
  type Predictor,
  softmax,
} from 'weightless-gpu';
import { SIDE } from './ink.ts';

export interface Answer {
  readonly scores: Float32Array;
  /** Median of the last predictions: input up, scores read back. */
  readonly milliseconds: number;
}

/** Predictions that the latency is the median of. */
const TIMES = 15;

/** What is told when the device is lost: the loss itself, then the context that replaces it, or why there is none. */
export interface LossListener {
  onLost(error: DeviceLostError): void;
  onReopened(context: Context | CpuContext): void;
  onGone(error: unknown): void;
}

/** `?backend=webgpu` or `?backend=cpu` in the page's address: what computes. */
const chosen = (['webgpu', 'cpu'] as const).find(
  (name) => new URLSearchParams(location.search).get('backend') === name,
);

export class Classifier {
  readonly #listener: LossListener;
  #context: Promise<Context | CpuContext>;
  #predictor: Predictor | undefined;
  /** Pending while a lost device is being replaced. */
  #reopening: Promise<void> = Promise.resolve();
  /** Whether the present device has answered: one that never does is not replaced again. */
  #proved = true;
  #wanted:
    | { input: Float32Array; tell: (answer: Answer | undefined) => void; fail: (error: unknown) => void }
    | undefined;
  #running = false;
  #times: number[] = [];

  constructor(listener: LossListener) {
    this.#listener = listener;
    this.#context = this.#openContext();
  }

  /** The present one: another after a loss. */
  get context(): Promise<Context | CpuContext> {
    return this.#context;
  }

  async #openContext(): Promise<Context | CpuContext> {
    const context = await createContext({ keepWeights: 0, ...(chosen && { backend: chosen }) }); // what the page says is so
    context.lost.then((error) => {
      this.#listener.onLost(error);
      context.dispose();
      if (!this.#proved) {
        this.#listener.onGone(error);
        return;
      }
      this.#proved = false;
      this.#context = this.#openContext();
      this.#reopening = this.#reopen();
    });
    return context;
  }

  /** The same model on a new device: it is in memory, nothing is downloaded. */
  async #reopen(): Promise<void> {
    try {
      const context = await this.#context;
      const model = this.#predictor?.model;
      if (model) {
        const next = await createPredictor(context, model);
        await next.predict(new Float32Array(SIDE * SIDE));
        this.#proved = true;
        if (this.#predictor?.model === model) this.#predictor = next;
      }
      this.#times = [];
      this.#listener.onReopened(context);
    } catch (error) {
      if (!(error instanceof DeviceLostError)) this.#listener.onGone(error); // else it is told by who opened that device
    }
  }

  /** A model for `use`. */
  async load(
    file: string | Uint8Array,
    onProgress?: (loaded: number, total: number | undefined) => void,
  ): Promise<Predictor> {
    const load = () => loadModel(this.#context, file, onProgress && { onProgress });
    const next = await load().catch(async (error) => {
      if (!(error instanceof DeviceLostError)) throw error;
      await this.#reopening;
      return load();
    });
    const { input } = next.model;
    if (input.reduce((a, b) => a * b, 1) !== SIDE * SIDE) {
      await next.dispose();
      throw new Error(`expected a model of ${SIDE} x ${SIDE} pictures, got one of ${input.join(' x ')} numbers`);
    }
    return next;
  }

  /** Puts a loaded model in place of the present one, at once; the promise is of what the other one held. */
  async use(next: Predictor): Promise<void> {
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
    for (;;) {
      const predictor = this.#predictor;
      if (!predictor) return undefined;
      const started = performance.now();
      try {
        const logits = await predictor.predict(input);
        this.#proved = true;
        this.#times = [...this.#times.slice(1 - TIMES), performance.now() - started];
        const sorted = this.#times.toSorted((a, b) => a - b);
        return { scores: softmax(logits, logits.length), milliseconds: sorted[sorted.length >> 1]! };
      } catch (error) {
        if (!(error instanceof DeviceLostError)) throw error;
        await this.#reopening;
        if (this.#predictor === predictor)
          this.#predictor = await createPredictor(await this.#context, predictor.model);
      }
    }
  }
}
