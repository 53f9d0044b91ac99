/**
 * A learner for the spot: examples come one by one, also go, and the output of a model is solved from sums over them.
 * The examples themselves are not kept. Sums run in float64 and features are computed in tiles of one size, so that the
 * order and the company in which examples came leave no trace beyond rounding.
 */
import type { Backend, Forward } from '../backend/backend.ts';
import { DataError, OptionError } from '../core/errors.ts';
import { expectOptions } from '../core/options.ts';
import { quoted } from '../core/quote.ts';
import { limits as dataLimits } from '../data/limits.ts';
import { expectLimits, type ModelLimits } from '../model/limits.ts';
import { inputSize, type Model } from '../model/model.ts';
import { preparationOf } from '../model/preparation-metadata.ts';
import { inputsOf, isList } from '../predict/classify.ts';
import { withItsLayers } from '../predict/load.ts';
import { createPredictor, type Predictor } from '../predict/predictor.ts';
import { ClassMoments } from '../solve/class-moments.ts';
import { ridgeByCrossValidation } from '../solve/cross-validated.ts';
import { baseOf, expectSameBase, itemsOf, type LearnerBase, withOutput } from './learner-base.ts';
import { type LearnerState, readLearner, writeLearner } from './learner-file.ts';

export interface LearnerOptions {
  /** Names of the first classes; `addClass` adds others. Default none. */
  classes?: readonly string[];
  /**
   * How noisy the labels are: the penalty on the weights of standardised features, as a multiple of the number of features.
   * Larger is smoother. Default: of 0.1, 1, 10, 100 and 1000 the one with the least error by generalised cross-validation,
   * chosen anew by each `solve`.
   */
  penalty?: number;
}

export interface LoadLearnerOptions {
  /** As in `createLearner`. */
  penalty?: number;
  /** What one prediction of the model may cost: raise it for a large model whose source you trust. */
  limits?: ModelLimits;
}

/** Rows of which features are computed at a time, always: another number may add in another order. */
const TILE = 16;

/** Numbers of features that are held at a time. */
const BLOCK_NUMBERS = 2 ** 20;

/** See `createLearner`. Its calls run one after another. */
export class Learner {
  readonly #context: Backend;
  readonly #base: LearnerBase;
  readonly #forward: Forward | undefined;
  readonly #penalty: number | undefined;
  readonly #classes: string[];
  readonly #moments: ClassMoments;
  #last: Promise<unknown> = Promise.resolve();
  #disposed = false;

  private constructor(
    context: Backend,
    { base, classes, moments }: LearnerState,
    forward: Forward | undefined,
    penalty?: number,
  ) {
    this.#context = context;
    this.#base = base;
    this.#classes = [...classes];
    this.#moments = moments;
    this.#forward = forward;
    this.#penalty = penalty;
  }

  static async open(context: Backend, state: LearnerState, penalty?: number): Promise<Learner> {
    const { frozen } = state.base;
    return new Learner(context, state, frozen && (await context.forward(frozen)), penalty);
  }

  /** Names of the classes, in the order of the outputs. */
  get classes(): readonly string[] {
    return [...this.#classes];
  }

  /** Examples of each class. */
  get counts(): readonly number[] {
    return this.#classes.map((_, k) => this.#moments.counts[k] ?? 0);
  }

  /** Adds a class without examples. Throws `DataError` for a name that is taken, or empty. */
  addClass(name: string): void {
    this.#expectLive('addClass');
    expectNames('learner.addClass', [...this.#classes, name]);
    this.#classes.push(name);
  }

  /**
   * Adds an example of a class, or several. `x`: what `classify` takes (numbers, bytes, a picture, a row of a table, a
   * signal) or a list of it, or the numbers of several inputs in a row. `label`: the name of the class of all, or a list
   * of names. All are added or none. Rejects with `DataError` for what does not fit, and the errors of the backend.
   */
  async add(x: object, label: string | readonly string[]): Promise<void> {
    return this.#change('add', x, label, 1);
  }

  /**
   * Takes examples away that were added, as if they never had been. Rejects like `add`, and with `DataError` where a class
   * has fewer examples. It can't tell whether these were among them.
   */
  async remove(x: object, label: string | readonly string[]): Promise<void> {
    return this.#change('remove', x, label, -1);
  }

  /**
   * A predictor with an output for each class: the least-squares fit of 1 for the class of an example and -1 for the
   * others. It belongs to the caller; its model can be saved. Rejects with `DataError` without examples of two classes.
   */
  async solve(): Promise<Predictor> {
    this.#expectLive('solve');
    return this.#turn(async (moments, classes) => {
      const { rows, counts } = moments;
      const some = counts.filter((count) => count > 0).length;
      if (some < 2) {
        throw new DataError(`learner.solve: expected examples of two classes or more, got those of ${some}`);
      }
      const squares = counts.map(() => rows);
      const penalties = this.#penalty === undefined ? undefined : [this.#penalty];
      const output = await ridgeByCrossValidation(await moments.moments(), squares, penalties);
      if (!output.weights.every(Number.isFinite) || !output.bias.every(Number.isFinite)) {
        throw new DataError(
          'learner.solve: expected features that weights in float32 can weigh, got smaller ones. Rescale the inputs.',
        );
      }
      return createPredictor(this.#context, withOutput(this.#base, output, classes));
    });
  }

  /** The state as a file, for `loadLearner`: its size follows from the model and the classes alone. Needs no device. */
  async save(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#turn(async (moments, classes) => writeLearner({ base: this.#base, classes, moments }));
  }

  /**
   * Adds the examples of another learner, which stays as it is. Classes of the same name become one. Rejects with
   * `DataError` unless both learners started from the same model: the outputs of their models may differ.
   */
  async merge(other: Learner): Promise<void> {
    this.#expectLive('merge');
    if (typeof other !== 'object' || other === null || !(#moments in other)) {
      throw new DataError(
        `learner.merge: expected a learner, got ${quoted(other)}. Use loadLearner for a saved state.`,
      );
    }
    const theirs = await other.#turn(async (moments, classes) => ({ moments: await moments.copy(), classes }));
    return this.#turn(async (moments) => {
      expectSameBase(this.#base, other.#base);
      const missing = theirs.classes.filter((name) => !this.#classes.includes(name));
      expectNames('learner.merge', [...this.#classes, ...missing]);
      this.#classes.push(...missing);
      this.#addSums(this.#classes.length);
      moments.addAll(
        theirs.moments,
        theirs.classes.map((name) => this.#classes.indexOf(name)),
      );
    });
  }

  /** Frees its memory on the backend, once running calls are done. Predictors live on. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#last;
    await this.#forward?.dispose();
  }

  #expectLive(what: string): void {
    if (this.#disposed) throw new DataError(`learner.${what}: expected a live learner, this one was disposed`);
  }

  /** After the calls before it, with the classes that there are now. */
  #turn<T>(work: (moments: ClassMoments, classes: readonly string[]) => Promise<T>): Promise<T> {
    const now = this.#classes.length;
    const turn = this.#last.then(() => {
      this.#addSums(now);
      return work(this.#moments, this.#classes.slice(0, this.#moments.counts.length));
    });
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** So that there are those of so many classes. */
  #addSums(classes: number): void {
    while (this.#moments.counts.length < classes) this.#moments.addClass();
  }

  async #change(what: 'add' | 'remove', x: object, label: string | readonly string[], sign: 1 | -1): Promise<void> {
    const title = `learner.${what}`;
    this.#expectLive(what);
    const { model } = this.#base;
    const items = itemsOf(this.#base, x, isList);
    const labels = Array.isArray(label) ? (label as readonly string[]) : items.map(() => label as string);
    if (items.length === 0 || labels.length !== items.length) {
      throw new DataError(
        `${title}: expected one label for all inputs or one for each, got ${labels.length} for ${items.length} inputs`,
      );
    }
    const classes = labels.map((name) => {
      const found = this.#classes.indexOf(name);
      if (found >= 0) return found;
      throw new DataError(
        `${title}: expected a class of ${this.#classes.slice(0, 6).map(quoted).join(', ') || 'the learner, which has none'}; ` +
          `got ${quoted(name)}. Call addClass first.`,
      );
    });
    // Pictures are drawn now: a canvas may change while this call waits for its turn.
    const preparing = inputsOf(items, model, preparationOf(model), title);
    preparing.catch(() => {});
    return this.#turn(async () => {
      const inputs = await preparing;
      const bad = inputs.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0) throw new DataError(`${title}: expected finite numbers, got ${inputs[bad]} at index ${bad}`);
      if (sign < 0) this.#expectExamples(classes);
      await this.#addAll(title, inputs, classes, sign);
    });
  }

  #expectExamples(classes: readonly number[]): void {
    for (const [k, count] of this.#moments.counts.entries()) {
      const gone = classes.filter((label) => label === k).length;
      if (gone <= count) continue;
      throw new DataError(
        `learner.remove: expected examples that were added; got ${gone} of ${quoted(this.#classes[k])}, which has ${count}`,
      );
    }
  }

  /** Block by block. Where there are several, their sums are added at the end, so that a failure changes nothing. */
  async #addAll(title: string, inputs: Float32Array<ArrayBuffer>, classes: readonly number[], sign: 1 | -1) {
    const size = inputSize(this.#base.model);
    const { columns } = this.#base;
    const most = TILE * Math.max(1, Math.floor(BLOCK_NUMBERS / columns / TILE));
    const whole = classes.length <= most;
    const sums = whole ? this.#moments : await ClassMoments.zeros(columns);
    while (sums.counts.length < this.#moments.counts.length) sums.addClass();
    for (let first = 0; first < classes.length; first += most) {
      const rows = Math.min(most, classes.length - first);
      const features = await this.#featuresOf(inputs.subarray(first * size, (first + rows) * size));
      const bad = features.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0) {
        throw new DataError(
          `${title}: expected inputs of which the model makes finite features, got ${features[bad]} from input ` +
            `${first + Math.floor(bad / columns)}. Rescale the inputs.`,
        );
      }
      sums.add(features, classes.slice(first, first + rows), sign);
    }
    if (!whole) this.#moments.addAll(sums, [...sums.counts.keys()]);
  }

  /** (rows, columns), of inputs (rows, input size). The last tile is filled up with zeros. */
  async #featuresOf(inputs: Float32Array<ArrayBuffer>): Promise<Float32Array> {
    if (!this.#forward) return inputs;
    const size = inputSize(this.#base.model);
    const { columns } = this.#base;
    const rows = inputs.length / size;
    const features = new Float32Array(rows * columns);
    for (let first = 0; first < rows; first += TILE) {
      const tile = new Float32Array(TILE * size);
      tile.set(inputs.subarray(first * size, (first + TILE) * size));
      const made = await this.#forward.compute(tile);
      features.set(made.subarray(0, Math.min(TILE, rows - first) * columns), first * columns);
    }
    return features;
  }
}

function expectNames(title: string, names: readonly string[]): void {
  const wrong = names.findIndex((name, i) => typeof name !== 'string' || !name || names.indexOf(name) !== i);
  if (wrong >= 0) {
    throw new DataError(`${title}: expected a name that no other class has, got ${quoted(names[wrong])}`);
  }
  if (names.length > dataLimits.classes) {
    throw new DataError(`${title}: expected at most ${dataLimits.classes} classes, got ${names.length}`);
  }
}

function expectPenalty(title: string, penalty: number | undefined): void {
  if (penalty === undefined || (penalty > 0 && Number.isFinite(penalty))) return;
  throw new OptionError(`${title}: expected a penalty above 0, got ${penalty}`);
}

/**
 * A learner on top of a model: all layers but a linear output stay as they are, random or trained, and the output is
 * learned from examples. Its state has constant size, however many examples there were. Throws `OptionError`,
 * `DataError` (names), `ShapeError` (parameters), `OutOfMemoryError`, and the errors of the backend.
 */
export async function createLearner(
  context: Backend | Promise<Backend>,
  model: Model,
  options: LearnerOptions = {},
): Promise<Learner> {
  expectOptions('createLearner', options, { classes: 'array', penalty: 'number' });
  const { classes = [], penalty } = options;
  expectPenalty('createLearner', penalty);
  expectNames('createLearner', classes);
  // The learner's own: what becomes of the caller's model is no concern of its sums.
  const base = baseOf({
    ...model,
    parameters: new Map([...model.parameters].map(([name, values]) => [name, values.slice()])),
  });
  const moments = await ClassMoments.zeros(base.columns);
  for (const _ of classes) moments.addClass();
  return Learner.open(await context, { base, classes, moments }, penalty);
}

/**
 * A learner that goes on where `save` left one, on this backend or another. Throws `OptionError`, `ModelFileError` for
 * anything but a learner's state and for a model that costs more than `limits` allow, `OutOfMemoryError`, and the errors
 * of the backend.
 */
export async function loadLearner(
  context: Backend | Promise<Backend>,
  state: ArrayBuffer | ArrayBufferView,
  options: LoadLearnerOptions = {},
): Promise<Learner> {
  expectOptions('loadLearner', options, { penalty: 'number', limits: 'object' });
  const { penalty, limits } = options;
  expectPenalty('loadLearner', penalty);
  if (limits) expectLimits(limits);
  const read = await readLearner(state, limits, withItsLayers);
  return Learner.open(await context, read, penalty);
}
