/** The options of training and evaluation, checked by name and type. */
import type { PrefixCache } from '../backend/prefix-cache.ts';
import type { Means } from '../backend/training.ts';
import { OptionError } from '../core/errors.ts';
import { expectOptions } from '../core/options.ts';
import { quoted } from '../core/quote.ts';
import type { DataSet } from '../data/dataset.ts';
import { type Loss, losses } from '../graph/losses.ts';
import type { Optimizer } from '../graph/optimizers.ts';
import type { Seed } from '../weights/stream.ts';
import type { ClassWeights } from './class-weights.ts';
import { type SolverName, solverNames } from './solver-names.ts';
import type { TrainingState } from './training.ts';

export interface FitProgress {
  readonly phase: 'prefix' | 'train' | 'validate';
  /** From 1; 0 while the prefix is computed. */
  readonly epoch: number;
  readonly done: number;
  readonly total: number;
  /** Over the rows that are done in this phase of this epoch; reported about ten times a second. */
  readonly means?: Means;
}

export interface FitOptions {
  /** Default 10. */
  epochs?: number;
  /** Default 128. */
  batchSize?: number;
  /** Default Adam. Numbers left out have their defaults: beta1 0.9, beta2 0.999, epsilon 1e-8, weightDecay 0; momentum 0. */
  optimizer?: OptimizerOptions;
  /** A constant, or a function of the progress of the whole training, 0 to 1. Default 0.001. */
  learningRate?: number | ((progress: number) => number);
  /**
   * Solves the output layer instead of stepping towards it. Only for models of which nothing else is trained: frozen
   * layers, then `dense`. No learning rate, batch or epoch. 'ridge': least squares on targets, or on 1 and -1 for
   * classes, in one pass. 'logistic': cross-entropy, in a few passes; for classes the better choice. Both choose their
   * penalty themselves.
   */
  solver?: SolverName;
  loss?: Loss;
  /** Evaluated after each epoch, by the same loss and weights. */
  validation?: DataSet;
  /**
   * Early stopping: ends the training after so many epochs (1 or more) in which the validation loss has not become
   * smaller than ever before. However the training ends, the model then holds the parameters of the best epoch. Default:
   * all `epochs`, and the parameters of the last one.
   */
  patience?: number;
  /**
   * For cross-entropy: by what each row's loss is multiplied, one number for each output of the model. 'balanced': rows
   * / (classes * rows of the class), so that rare classes count as much as frequent ones. Default: 1 each.
   */
  classWeights?: ClassWeights;
  /** Order of the rows; default the model's seed. */
  seed?: Seed;
  /**
   * Updated after each epoch. The state of an earlier training of this model, with the parameters that the model had then, continues that
   * training: with the same options it leads to the same parameters, bit for bit, as without the interruption.
   */
  state?: TrainingState;
  /**
   * Fits u and b of the half layers to the data first (train/calibrate.ts). 'auto', the default, leaves layers alone
   * whose u and b are not those of a new model any more, and keeps the units of stacks of three or more half layers in proportion.
   * true: fits all, and overwrites trained values. false: fits none.
   */
  calibrate?: boolean | 'auto';
  /** Bytes in which the frozen prefix of all data may be cached; 0 computes it anew in each step. Default 1 GiB. */
  prefixBudget?: number;
  /** Caches prefixes for the next training on the same data; without it they are freed at the end of this one. */
  prefixes?: PrefixCache;
  signal?: AbortSignal;
  /** Training waits for a promise that it returns, and so can be paused; `signal` stops it then, too. */
  onProgress?: (progress: FitProgress) => unknown;
}

export interface EvaluateOptions {
  loss?: Loss;
  batchSize?: number;
  signal?: AbortSignal;
  onProgress?: (rows: number) => void;
}

const lossNames = Object.keys(losses) as Loss[];

type PartialOptimizer<O> = O extends { readonly kind: infer K }
  ? { readonly kind: K } & Partial<Omit<O, 'kind'>>
  : never;

/** An optimizer of which only the kind has to be named. */
export type OptimizerOptions = PartialOptimizer<Optimizer>;

const optimizers: { readonly [K in Optimizer['kind']]: Extract<Optimizer, { kind: K }> } = {
  adam: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
  sgd: { kind: 'sgd', momentum: 0 },
};

/** Its numbers, defaults where they are left out. Throws `OptionError` for a kind, a name or a number that does not fit. */
export function wholeOptimizer(options: OptimizerOptions = { kind: 'adam' }): Optimizer {
  const kinds = Object.keys(optimizers);
  if (!kinds.includes(options?.kind)) {
    throw new OptionError(
      `fit: expected optimizer.kind to be one of ${kinds.join(', ')}; got ${quoted(options?.kind ?? options)}`,
    );
  }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const whole: Optimizer = { ...optimizers[options.kind], ...given };
  for (const [name, value] of Object.entries(whole)) {
    if (!Object.hasOwn(optimizers[options.kind], name)) {
      const names = Object.keys(optimizers[options.kind]).join(', ');
      throw new OptionError(`fit: unknown option optimizer.${name}. Expected only ${names}.`);
    }
    if (name === 'kind' || (typeof value === 'number' && value >= 0 && value < 1)) continue;
    throw new OptionError(`fit: expected optimizer.${name} to be 0 or more and below 1, got ${String(value)}`);
  }
  return whole;
}

/** Options of gradient descent. */
const stepOptions = [
  'epochs',
  'batchSize',
  'optimizer',
  'learningRate',
  'patience',
  'classWeights',
  'state',
  'prefixes',
] as const satisfies readonly (keyof FitOptions)[];

/** Throws `OptionError` for what is no AbortSignal, such as its AbortController. */
function expectSignal(what: string, signal: AbortSignal | undefined): void {
  if (!signal || typeof signal.throwIfAborted === 'function') return;
  throw new OptionError(`${what}: expected signal to be an AbortSignal, got another object. Pass controller.signal.`);
}

/** Throws `OptionError` for what is no learning rate: a schedule may return anything. */
export function expectRate(rate: unknown): number {
  if (typeof rate === 'number' && Number.isFinite(rate) && rate >= 0) return rate;
  throw new OptionError(`fit: expected a finite learningRate of 0 or more, got ${quoted(rate)}`);
}

/** Throws `OptionError` for an unknown option of `fit` or a value of the wrong type. */
export function expectFitOptions(options: FitOptions): void {
  expectOptions('fit', options, {
    epochs: 'number',
    batchSize: 'number',
    optimizer: 'object',
    learningRate: 'number or function',
    solver: solverNames,
    loss: lossNames,
    validation: 'object',
    patience: 'number',
    classWeights: 'any',
    seed: 'number or bigint',
    state: 'object',
    calibrate: [true, false, 'auto'],
    prefixBudget: 'number',
    prefixes: 'object',
    signal: 'object',
    onProgress: 'function',
  });
  const needless = options.solver && stepOptions.find((name) => options[name] !== undefined);
  if (needless) {
    throw new OptionError(
      `fit with solver '${options.solver}': expected no option ${needless}, because a solver takes no steps. Remove one of the two.`,
    );
  }
  expectSignal('fit', options.signal);
  if (typeof options.learningRate === 'number') expectRate(options.learningRate);
  const { epoch, optimizer } = options.state ?? { epoch: 0, optimizer: new Map() };
  if (!(Number.isSafeInteger(epoch) && epoch >= 0 && typeof optimizer?.get === 'function')) {
    throw new OptionError('fit: expected state to be { epoch: 0, optimizer: new Map() } or what fit made of it');
  }
  const { patience = 1 } = options;
  if (!Number.isSafeInteger(patience) || patience < 1) {
    throw new OptionError(`fit: expected patience of 1 epoch or more, got ${patience}`);
  }
}

/** The same for `evaluate`. */
export function expectEvaluateOptions(options: EvaluateOptions): void {
  expectOptions('evaluate', options, {
    loss: lossNames,
    batchSize: 'number',
    signal: 'object',
    onProgress: 'function',
  });
  expectSignal('evaluate', options.signal);
  const { batchSize = 1 } = options;
  if (Number.isSafeInteger(batchSize) && batchSize > 0) return;
  throw new OptionError(`evaluate: expected batchSize of 1 or more, got ${batchSize}`);
}
