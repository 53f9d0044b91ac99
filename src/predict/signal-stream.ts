/** A model of signals on a live stream: the last samples are classified as one signal, again and again. */
import { toFloat32Array } from '../core/arrays.ts';
import { DataError, OptionError } from '../core/errors.ts';
import { expectOptions } from '../core/options.ts';
import type { Model } from '../model/model.ts';
import { preparationOf } from '../model/preparation-metadata.ts';
import { signalRows } from './raw-rows.ts';

export interface SignalStreamOptions {
  /** Samples from the start of one window to that of the next; default the length of a window. */
  hop?: number;
}

/** What a stream needs of a predictor. */
interface Computing {
  readonly model: Model;
  predict(inputs: ArrayLike<number>): Promise<Float32Array<ArrayBuffer>>;
}

export interface SignalStream {
  /**
   * Adds samples, (any number, channels) row-major, and computes the windows that they complete: (windows, outputs)
   * row-major, of length 0 while none is. Each window is prepared as training signals were; NaN is a gap. Rejects with
   * `DataError` for part of a sample or what holds no numbers.
   */
  push(samples: ArrayLike<number>): Promise<Float32Array<ArrayBuffer>>;
  /** Forgets the samples so far. */
  clear(): void;
}

/**
 * Windows of a live stream, as long as the signals of the model, `hop` samples apart. Throws `OptionError`, and
 * `DataError` for a model that takes no signals.
 */
export function signalStream(predictor: Computing, options: SignalStreamOptions = {}): SignalStream {
  expectOptions('signalStream', options, { hop: 'number' });
  const { model } = predictor;
  const [length, channels = 1] = model.input as [number, number?];
  if (model.input.length > 2) {
    throw new DataError(`signalStream: expected a model of signals, got one of inputs (${model.input.join(', ')})`);
  }
  const { hop = length } = options;
  if (!(Number.isSafeInteger(hop) && hop > 0))
    throw new OptionError(`signalStream: expected a hop of 1 or more, got ${hop}`);
  const inputs = preparationOf(model)?.inputs;
  const size = length * channels;
  let pending = new Float32Array(0);
  let skip = 0; // numbers to come that no window needs, where windows are further apart than they are long
  return {
    async push(samples) {
      const given = toFloat32Array('signalStream', samples);
      if (given.length % channels !== 0) {
        throw new DataError(`signalStream: expected ${channels} numbers a sample, got ${given.length} numbers`);
      }
      const skipped = Math.min(skip, given.length);
      skip -= skipped;
      const all = new Float32Array(pending.length + given.length - skipped);
      all.set(pending);
      all.set(given.subarray(skipped), pending.length);
      const windows: Float32Array[] = [];
      let start = 0;
      for (; start + size <= all.length; start += hop * channels) windows.push(all.slice(start, start + size));
      pending = all.slice(start);
      skip += Math.max(0, start - all.length);
      if (windows.length === 0) return new Float32Array(0);
      if (inputs?.kind === 'signal') return predictor.predict(signalRows(windows, inputs));
      const rows = new Float32Array(windows.length * size);
      for (const [row, window] of windows.entries()) rows.set(window, row * size);
      return predictor.predict(rows);
    },
    clear() {
      pending = new Float32Array(0);
      skip = 0;
    },
  };
}
