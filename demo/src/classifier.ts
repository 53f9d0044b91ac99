/**
 * Runs one model at a time on one context. A newer prediction request replaces one that is still waiting. A lost device
 * is replaced.
 */
import {
  type Backend,
  createContext,
  createPredictor,
  DeviceLostError,
  loadModel,
  type Predictor,
  softmax,
} from 'weightless-gpu';
import { SIDE } from './ink.ts';

export interface Prediction {
  readonly scores: Float32Array;
  /** Median latency of the last predictions, from the upload of the input to the scores read back. */
  readonly milliseconds: number;
}

/** Number of predictions in that median. */
const TIMES = 15;

/** Notified of a device loss, then of the context that replaces it, or of the reason why none does. */
export interface LossListener {
  onLost(error: DeviceLostError): void;
  onReopened(context: Backend): void;
  onGone(error: unknown): void;
}

/** `?backend=webgpu` or `?backend=cpu` in the page's address chooses the backend. */
const chosen = (['webgpu', 'cpu'] as const).find(
  (name) => new URLSearchParams(location.search).get('backend') === name,
);

export class Classifier {
  readonly #listener: LossListener;
  #context: Promise<Backend>;
  #predictor: Predictor | undefined;
  /** Pending while a lost device is being replaced. */
  #reopening: Promise<void> = Promise.resolve();
  /** Whether the present device has completed a prediction. A device lost before that is not replaced. */
  #proved = true;
  #wanted:
    | { input: Float32Array; resolve: (prediction: Prediction | undefined) => void; reject: (error: unknown) => void }
    | undefined;
  #running = false;
  #times: number[] = [];

  constructor(listener: LossListener) {
    this.#listener = listener;
    this.#context = this.#openContext();
  }

  /** The present context; a device loss replaces it. */
  get context(): Promise<Backend> {
    return this.#context;
  }

  async #openContext(): Promise<Backend> {
    // No cached weights: the page says that weights are regenerated for every prediction.
    const context = await createContext({ keepWeights: 0, ...(chosen && { backend: chosen }) });
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

  /** Puts the model on the new device, from memory, without a download. */
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
      if (!(error instanceof DeviceLostError)) this.#listener.onGone(error); // #openContext reports a device loss
    }
  }

  /** Loads a model for `use`. */
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
      throw new Error(`expected a model for ${SIDE} x ${SIDE} pictures, got one for inputs of ${input.join(' x ')}`);
    }
    return next;
  }

  /** Replaces the present model at once. The promise resolves when the old model is disposed of. */
  async use(next: Predictor): Promise<void> {
    const last = this.#predictor;
    this.#predictor = next;
    this.#times = [];
    await last?.dispose();
  }

  /** Undefined if a newer call replaced this one, or if no model is open. */
  classify(input: Float32Array): Promise<Prediction | undefined> {
    this.#wanted?.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.#wanted = { input, resolve, reject };
      if (!this.#running) this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#running = true;
    for (let wanted = this.#wanted; wanted; wanted = this.#wanted) {
      this.#wanted = undefined;
      try {
        wanted.resolve(await this.#predict(wanted.input));
      } catch (error) {
        wanted.reject(error);
      }
    }
    this.#running = false;
  }

  async #predict(input: Float32Array): Promise<Prediction | undefined> {
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
