/** Training as an async iterator: one report per epoch. Leaving the loop or a signal stops it. */

import type { Backend } from '../backend/backend.ts';
import { opened } from '../backend/opened.ts';
import { PrefixCache } from '../backend/prefix-cache.ts';
import type { Training } from '../backend/training.ts';
import { DivergedError, OptionError, ShapeError } from '../core/errors.ts';
import { type DataSet, expectDataSet } from '../data/dataset.ts';
import { expectModel } from '../model/expect-model.ts';
import { type Model, outputSize } from '../model/model.ts';
import { setPreparation } from '../model/preparation-metadata.ts';
import { type BestEpoch, betterEpoch, restore } from './best-epoch.ts';
import { calibrate } from './calibrate.ts';
import { classWeightsOf } from './class-weights.ts';
import { checkData, EVALUATION_BATCH, evaluate, lossOf, withAccuracy, withoutHits } from './evaluate.ts';
import { prefixBytes } from './graphs.ts';
import { expectFitOptions, expectRate, type FitOptions, wholeOptimizer } from './options.ts';
import { shuffle } from './shuffle.ts';
import { expectSolvable, solveOutput } from './solver.ts';
import { openTraining } from './training.ts';

export interface EpochReport {
  /** From 1. */
  readonly epoch: number;
  /** Mean over the rows of the epoch, each at the parameters of its step. */
  readonly loss: number;
  /** Share of the rows, or of the labels, that are right; NaN for a loss of numbers, such as `meanSquaredError`. */
  readonly accuracy: number;
  readonly validation: { readonly loss: number; readonly accuracy: number } | undefined;
  /** With `patience`: the epoch with the smallest validation loss so far. */
  readonly best?: number;
  /** 0 with a solver, which has none. */
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
 * Trains the model in place: after each report its parameters are those of that epoch. The end of the loop, leaving it,
 * or an abort frees its memory on the backend and leaves the parameters of the last whole epoch; with `patience`, those
 * of the best epoch. The preparation of the data becomes that of the model. With a `solver` there is one report.
 * The same model, data, seed and device give the same parameters, bit for bit.
 * Throws `OptionError`, `ShapeError`, `DataError`, `DivergedError`, `DeviceLostError`, `OutOfMemoryError`, or the signal's reason.
 */
export async function* fit(
  opening: Backend | Promise<Backend>,
  model: Model,
  data: DataSet,
  options: FitOptions = {},
): AsyncGenerator<EpochReport, void, void> {
  expectFitOptions(options);
  const { epochs = 10, batchSize = 128, validation, patience, signal, onProgress } = options;
  const optimizer = wholeOptimizer(options.optimizer);
  const { state } = options;
  const done = state?.epoch ?? 0;
  const { learningRate = 0.001, prefixBudget = 2 ** 30 } = options;
  expectDataSet('fit', data);
  if (validation) expectDataSet('fit: validation', validation);
  expectModel(model);
  const loss = lossOf(data, options.loss);
  for (const [name, value] of Object.entries({ epochs, batchSize })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new ShapeError(`fit: expected ${name} of 1 or more, got ${value}`);
  }
  const { seed = model.seed } = options;
  checkData(model, data, loss, 'training');
  if (validation) checkData(model, validation, loss, 'validation');
  if (patience !== undefined && !validation) {
    throw new OptionError('fit: expected a validation data set beside patience, got none');
  }
  const { classWeights: asked } = options;
  const classWeights =
    asked === undefined ? undefined : classWeightsOf(asked, { data, outputs: outputSize(model), loss });
  const { solver } = options;
  if (solver) expectSolvable(model, solver, loss);
  if (data.preparation) setPreparation(model, data.preparation);
  signal?.throwIfAborted();
  const context = await opened(opening);
  const { calibrate: calibration = 'auto' } = options;
  if (!done && calibration) await calibrate(context, model, data, calibration);
  if (solver) {
    const started = performance.now();
    const how = { solver, loss, seed, prefixBudget, ...(signal && { signal }), ...(onProgress && { onProgress }) };
    const solved = withoutHits(await solveOutput(context, model, data, how), loss);
    const validated = validation && (await evaluate(context, model, validation, { loss, ...(signal && { signal }) }));
    const spent = (performance.now() - started) / 1000;
    yield { epoch: 1, ...solved, validation: validated, learningRate: 0, seconds: spent };
    return;
  }
  const total = data.rows + (validation?.rows ?? 0);
  const needed = prefixBytes(model, total);
  const prefixes = options.prefixes ?? new PrefixCache(context);
  const open = await openTraining(context, model, {
    loss,
    optimizer,
    ...(needed > 0 && needed <= prefixBudget && { prefixes }),
    ...(signal && { signal }),
    ...(classWeights && { classWeights }),
    ...(state && done > 0 && { states: state.optimizer }),
  });
  let best: BestEpoch | undefined = patience === undefined ? undefined : state?.best;
  try {
    const passOver = (set: DataSet, offset: number, size: number, update: boolean) => {
      const onRows = (done: number) => onProgress?.({ phase: 'prefix', epoch: 0, done: offset + done, total });
      return open.epochPass(set, { batchSize: size, update, onRows }).then((pass) => withAccuracy(pass, loss));
    };
    const training = await passOver(data, 0, batchSize, true);
    const validating = validation && (await passOver(validation, data.rows, EVALUATION_BATCH, false));
    const steps = Math.ceil(data.rows / batchSize);
    const rate = typeof learningRate === 'function' ? (at: number) => expectRate(learningRate(at)) : () => learningRate;
    const beta = optimizer.kind === 'adam' ? [optimizer.beta1, optimizer.beta2] : [0, 0];
    const order = Uint32Array.from({ length: data.rows }, (_, i) => i);
    const plainOrder = validation && Uint32Array.from({ length: validation.rows }, (_, i) => i);
    for (let epoch = done + 1; epoch <= epochs; epoch++) {
      if (best && epoch > best.epoch + patience!) break;
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
      if (patience !== undefined) best = betterEpoch(best, epoch, validated!.loss, model);
      if (state) Object.assign(state, { epoch, ...(best && { best }) });
      yield {
        epoch,
        ...trained,
        validation: validated,
        ...(best && { best: best.epoch }),
        learningRate: rate(((epoch - 1) * steps) / (epochs * steps)),
        seconds: (performance.now() - started) / 1000,
      };
    }
  } finally {
    if (best) restore(best, model);
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
