/** Training as an async iterator: one report per epoch. Leaving the loop or a signal stops it. */

import type { Backend } from '../backend/backend.ts';
import { PrefixCache } from '../backend/prefix-cache.ts';
import type { EpochPass, Means, Training } from '../backend/training.ts';
import { DataError, DivergedError, ShapeError } from '../core/errors.ts';
import { lossHasHits, lossTargets } from '../core/losses.ts';
import { type DataSet, rowSize } from '../data/dataset.ts';
import { expectLoss, type Loss } from '../graph/losses.ts';
import { expectParameters, inputSize, type Model, outputSize } from '../model/model.ts';
import { philox4x32, type Seed, splitSeed } from '../weights/stream.ts';
import { calibrate } from './calibrate.ts';
import { prefixBytes } from './graphs.ts';
import {
  type EvaluateOptions,
  expectEvaluateOptions,
  expectFitOptions,
  type FitOptions,
  wholeOptimizer,
} from './options.ts';
import { openTraining } from './training.ts';

export interface EpochReport {
  /** From 1. */
  readonly epoch: number;
  /** Mean over the rows of the epoch, each at the parameters of its step. */
  readonly loss: number;
  /** Share of the rows, or of the labels, that are right; NaN for a loss of numbers, such as `meanSquaredError`. */
  readonly accuracy: number;
  readonly validation: { readonly loss: number; readonly accuracy: number } | undefined;
  readonly learningRate: number;
  /** Wall-clock seconds of this epoch, validation included. */
  readonly seconds: number;
}

/** A learning rate that falls from `peak` to zero along half a cosine (Loshchilov and Hutter, arXiv:1608.03983). */
export const cosine =
  (peak: number) =>
  (progress: number): number =>
    0.5 * peak * (1 + Math.cos(Math.PI * progress));

/**
 * Trains the model in place: after each report its parameters are those of that epoch. Leaving the loop, or an abort,
 * frees its memory on the backend and leaves the parameters of the last whole epoch.
 * The same model, data, seed and device give the same parameters, bit for bit.
 * Throws `ShapeError`, `DataError`, `DivergedError`, `DeviceLostError`, `OutOfMemoryError`, or the signal's reason.
 */
export async function* fit(
  opening: Backend | Promise<Backend>,
  model: Model,
  data: DataSet,
  options: FitOptions = {},
): AsyncGenerator<EpochReport, void, void> {
  expectFitOptions(options);
  const { epochs = 10, batchSize = 128, validation, signal, onProgress } = options;
  const optimizer = wholeOptimizer(options.optimizer);
  const context = await opening;
  const { state } = options;
  const done = state?.epoch ?? 0;
  const { learningRate = 0.001, prefixBudget = 2 ** 30, seed = model.seed } = options;
  const loss = options.loss ?? (data.targets ? 'meanSquaredError' : 'crossEntropy');
  for (const [name, value] of Object.entries({ epochs, batchSize })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new ShapeError(`fit: expected ${name} of 1 or more, got ${value}`);
  }
  expectParameters(model);
  checkData(model, data, loss, 'training');
  if (validation) checkData(model, validation, loss, 'validation');
  signal?.throwIfAborted();
  if (!done && (options.calibrate ?? true)) await calibrate(context, model, data);
  const total = data.rows + (validation?.rows ?? 0);
  const needed = prefixBytes(model, total);
  const prefixes = options.prefixes ?? new PrefixCache(context);
  const open = await openTraining(context, model, {
    loss,
    optimizer,
    ...(needed > 0 && needed <= prefixBudget && { prefixes }),
    ...(signal && { signal }),
    ...(state && done > 0 && { states: state.optimizer }),
  });
  try {
    const passOver = (set: DataSet, offset: number, size: number, update: boolean) => {
      const onRows = (done: number) => onProgress?.({ phase: 'prefix', epoch: 0, done: offset + done, total });
      return open.epochPass(set, { batchSize: size, update, onRows }).then((pass) => withAccuracy(pass, loss));
    };
    const training = await passOver(data, 0, batchSize, true);
    const validating = validation && (await passOver(validation, data.rows, EVALUATION_BATCH, false));
    const steps = Math.ceil(data.rows / batchSize);
    const rate = typeof learningRate === 'function' ? learningRate : () => learningRate;
    const beta = optimizer.kind === 'adam' ? [optimizer.beta1, optimizer.beta2] : [0, 0];
    const order = Uint32Array.from({ length: data.rows }, (_, i) => i);
    const plainOrder = validation && Uint32Array.from({ length: validation.rows }, (_, i) => i);
    for (let epoch = done + 1; epoch <= epochs; epoch++) {
      const started = performance.now();
      shuffle(order, seed, epoch);
      const trained = await training.run(order, {
        step: (i) => {
          const taken = (epoch - 1) * steps + i;
          return {
            learningRate: rate(taken / (epochs * steps)),
            correction1: 1 - beta[0]! ** (taken + 1),
            correction2: 1 - beta[1]! ** (taken + 1),
            step: taken,
          };
        },
        onStep: (done, means) =>
          onProgress?.({ phase: 'train', epoch, done, total: data.rows, ...(means && { means }) }),
        ...(signal && { signal }),
      });
      if (!Number.isFinite(trained.loss)) {
        throw new DivergedError(
          `fit: expected a finite loss, got ${trained.loss} in epoch ${epoch}. Lower the learning rate, or check the scale of the data.`,
        );
      }
      const validated =
        validating &&
        (await validating.run(plainOrder!, {
          onStep: (done, means) =>
            onProgress?.({ phase: 'validate', epoch, done, total: plainOrder!.length, ...(means && { means }) }),
          ...(signal && { signal }),
        }));
      await downloadFinite(open, model, epoch, state?.optimizer);
      if (state) state.epoch = epoch;
      yield {
        epoch,
        ...trained,
        validation: validated,
        learningRate: rate(((epoch - 1) * steps) / (epochs * steps)),
        seconds: (performance.now() - started) / 1000,
      };
    }
  } finally {
    open.dispose();
    if (!options.prefixes) prefixes.dispose();
  }
}

/** Copies the parameters into the model. Throws `DivergedError`, and leaves those of the last epoch, where one is not finite. */
async function downloadFinite(
  training: Training,
  model: Model,
  epoch: number,
  states?: Map<string, Float32Array<ArrayBuffer>>,
): Promise<void> {
  const before = [...model.parameters];
  await training.download(states);
  for (const [name, values] of model.parameters) {
    const bad = values.find((value) => !Number.isFinite(value));
    if (bad === undefined) continue;
    for (const [name, values] of before) model.parameters.set(name, values);
    throw new DivergedError(
      `fit: expected finite parameters, got ${bad} in '${name}' in epoch ${epoch}. Lower the learning rate, or check the scale of the data.`,
    );
  }
}

/** Rows evaluated at a time. */
const EVALUATION_BATCH = 500;

/** The pass, with NaN as the accuracy of a loss that has none. */
function withAccuracy(pass: EpochPass, loss: Loss): EpochPass {
  if (loss === 'crossEntropy' || lossHasHits(loss)) return pass;
  const unmeasured = (means: Means): Means => ({ ...means, accuracy: Number.NaN });
  return {
    async run(order, { onStep, ...options } = {}) {
      const reported = onStep && ((rows: number, means?: Means) => onStep(rows, means && unmeasured(means)));
      return unmeasured(await pass.run(order, { ...options, ...(reported && { onStep: reported }) }));
    },
  };
}

/** Mean loss and accuracy of the model on a data set. The accuracy is NaN for a loss of numbers, such as `meanSquaredError`. */
export async function evaluate(
  context: Backend | Promise<Backend>,
  model: Model,
  data: DataSet,
  options: EvaluateOptions = {},
): Promise<{ loss: number; accuracy: number }> {
  expectEvaluateOptions(options);
  const { batchSize = EVALUATION_BATCH, signal, onProgress } = options;
  const loss = options.loss ?? (data.targets ? 'meanSquaredError' : 'crossEntropy');
  expectParameters(model);
  checkData(model, data, loss, 'evaluation');
  const open = await openTraining(await context, model, { loss });
  try {
    const pass = withAccuracy(await open.epochPass(data, { batchSize, update: false }), loss);
    const order = Uint32Array.from({ length: data.rows }, (_, i) => i);
    return await pass.run(order, { ...(signal && { signal }), ...(onProgress && { onStep: onProgress }) });
  } finally {
    open.dispose();
  }
}

function checkData(model: Model, data: DataSet, loss: Loss, what: string): void {
  expectLoss(what, loss);
  if (rowSize(data) !== inputSize(model)) {
    throw new ShapeError(
      `${what} data: expected rows of ${inputSize(model)} numbers (the model's input ${model.input.join(' x ')}), ` +
        `got ${rowSize(data)} (${data.shape.join(' x ')})`,
    );
  }
  const outputs = outputSize(model);
  if (loss === 'crossEntropy' && data.classes > outputs) {
    throw new DataError(
      `${what} data: expected at most ${outputs} classes (the model's last layer), got ${data.classes}`,
    );
  }
  if (loss === 'crossEntropy') return;
  if (data.targets?.length !== data.rows * outputs) {
    throw new DataError(
      `${what} data: expected ${outputs} targets a row, got ${(data.targets?.length ?? 0) / data.rows}`,
    );
  }
  const wrong = lossTargets(loss) === 'any' ? undefined : data.targets.find((target) => !(target >= 0 && target <= 1));
  if (wrong !== undefined) throw new DataError(`${what} data: expected targets from 0 to 1 for ${loss}, got ${wrong}`);
}

/** Fisher-Yates with the stream's hash: a permutation that depends only on the seed, the epoch and the length. */
export function shuffle(order: Uint32Array, seed: Seed, epoch: number): void {
  const { low, high } = splitSeed(seed);
  for (let i = 0; i < order.length; i++) order[i] = i;
  for (let i = order.length - 1; i > 0; i--) {
    const [word] = philox4x32([i, epoch, 1, 1], [low, high]);
    const j = Math.floor((word / 2 ** 32) * (i + 1));
    const moved = order[i]!;
    order[i] = order[j]!;
    order[j] = moved;
  }
}
