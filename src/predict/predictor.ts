/** A model ready to predict. */

import type { Backend, Forward } from '../backend/backend.ts';
import { DataError } from '../core/errors.ts';
import { inputSize, type Model } from '../model/model.ts';

/** One model on a backend. Calls are checked here, and run one after another. */
export class Predictor {
  readonly model: Model;
  readonly #forward: Forward;
  #last: Promise<unknown> = Promise.resolve();
  #disposed = false;

  constructor(model: Model, forward: Forward) {
    this.model = model;
    this.#forward = forward;
  }

  /**
   * Outputs of the last layer (logits, for a classifier), (rows, outputs) row-major, for one input or several in a row.
   * Calls run one after another. Throws `DataError` for a wrong length or a number that is not finite.
   */
  predict(inputs: Float32Array | readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    const size = inputSize(this.model);
    if (this.#disposed) throw new DataError('predict: expected a live predictor, this one was disposed');
    if (inputs.length === 0 || inputs.length % size !== 0) {
      throw new DataError(
        `predict: expected ${size} numbers an input (${this.model.input.join(' x ')}), got ${inputs.length} numbers`,
      );
    }
    const data = Float32Array.from(inputs);
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new DataError(`predict: expected finite numbers, got ${data[bad]} at index ${bad}`);
    const turn = this.#last.then(() => this.#forward.compute(data));
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Compiles and allocates for a batch of `rows` (at most 256), so that the first `predict` of that size is quick. */
  prepare(rows: number): Promise<unknown> {
    return this.#forward.prepare(rows);
  }

  /** Frees its memory on the backend, once running predictions are done. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#last;
    await this.#forward.dispose();
  }
}

/** Puts a model on a backend. */
export const createPredictor = async (backend: Backend, model: Model): Promise<Predictor> =>
  new Predictor(model, await backend.forward(model));

/** Softmax of each row of logits: probabilities that add up to 1. */
export function softmax(logits: Float32Array, classes: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    const row = logits.subarray(start, start + classes);
    const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const powers = row.map((value) => Math.exp(value - largest));
    const sum = powers.reduce((a, b) => a + b, 0);
    out.set(
      powers.map((value) => value / sum),
      start,
    );
  }
  return out;
}
