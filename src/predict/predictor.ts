/** A model ready to predict. */

import type { Backend, Forward } from '../backend/backend.ts';
import { bytesToFloats, toFeatures } from '../core/arrays.ts';
import { DataError } from '../core/errors.ts';
import { onDemand } from '../core/on-demand.ts';
import { expectParameters, inputSize, type Model } from '../model/model.ts';
import type { ClassifyOptions } from './classify.ts';
import type { Estimate, Prediction } from './predictions.ts';

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
   * Bytes (Uint8Array) become 0 to 1, as in `dataSet`; other numbers are taken as they are. Calls run one after another. Rejects
   * with `DataError` for what holds no numbers, a wrong length or a number that is not finite.
   */
  async predict(inputs: ArrayLike<number>): Promise<Float32Array<ArrayBuffer>> {
    const size = inputSize(this.model);
    if (this.#disposed) throw new DataError('predict: expected a live predictor, this one was disposed');
    const given = toFeatures('predict', inputs);
    if (inputs.length === 0 || inputs.length % size !== 0) {
      throw new DataError(
        `predict: expected ${size} numbers an input (${this.model.input.join(' x ')}), got ${inputs.length} numbers`,
      );
    }
    const data = given instanceof Float32Array ? given.slice() : bytesToFloats(given);
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new DataError(`predict: expected finite numbers, got ${data[bad]} at index ${bad}`);
    const turn = this.#last.then(() => this.#forward.compute(data));
    this.#last = turn.catch(() => {});
    return turn;
  }

  /**
   * Predictions from raw data, by what the model says about it (docs/model-format.md): a row of a table as an object or an
   * array of cells, a picture, a signal, or numbers, and a list of them for a list of predictions. A picture is pixels as
   * `ImageData` has them, or in a page a canvas, an image element, an `ImageBitmap` or a `Blob`. The likeliest classes come first;
   * a model of labels gives those above its threshold. Rejects with `DataError` that names the column or value that does
   * not fit, and with `ModelFileError` for damaged metadata.
   */
  classify(inputs: readonly object[], options?: ClassifyOptions): Promise<Prediction[][]>;
  classify(input: object, options?: ClassifyOptions): Promise<Prediction[]>;
  async classify(input: object, options?: ClassifyOptions): Promise<Prediction[] | Prediction[][]> {
    return (await onDemand(import('./classify.ts'))).classify(this, input, options);
  }

  /** The same for a model of regression: its targets, in the unit of the training data. */
  estimate(inputs: readonly object[]): Promise<Estimate[][]>;
  estimate(input: object): Promise<Estimate[]>;
  async estimate(input: object): Promise<Estimate[] | Estimate[][]> {
    return (await onDemand(import('./classify.ts'))).estimate(this, input);
  }

  /** Compiles and allocates for a batch of `rows` (at most 256), so that the first `predict` of that size is quick. */
  async prepare(rows: number): Promise<unknown> {
    if (!(Number.isSafeInteger(rows) && rows > 0)) {
      throw new DataError(`prepare: expected 1 row or more, got ${rows}`);
    }
    return this.#forward.prepare(rows);
  }

  /** Frees its memory on the backend, once running predictions are done. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#last;
    await this.#forward.dispose();
  }
}

/** Puts a model on a backend, or on the one that a promise resolves to. Throws `ShapeError` for parameters that do not fit. */
export async function createPredictor(context: Backend | Promise<Backend>, model: Model): Promise<Predictor> {
  expectParameters(model);
  return new Predictor(model, await (await context).forward(model));
}
