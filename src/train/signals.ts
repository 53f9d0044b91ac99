/**
 * Classifies signals by random kernels and one linear layer, without a learning rate: biases are quantiles of the
 * kernels' results on training signals, the linear layer is a ridge regression whose penalty leave-one-out errors
 * choose.
 */
import type { Backend } from '../backend/backend.ts';
import { DataError } from '../core/errors.ts';
import { expectOptions } from '../core/options.ts';
import type { SignalPool } from '../core/signal-pools.ts';
import { type DataSet, featuresAsFloats } from '../data/dataset.ts';
import { dense } from '../layers/dense.ts';
import { bankOf, randomKernels1d } from '../layers/signals.ts';
import type { RandomKernelsSpec } from '../layers/specs.ts';
import { inputSize, type Model, sequential } from '../model/model.ts';
import { setPreparation } from '../model/preparation-metadata.ts';
import type { StoredType } from '../model/safetensors.ts';
import { quantised } from '../model/save.ts';
import { logOdds } from '../solve/log-odds.ts';
import { classTargets, type LinearOutput, leftOutRows, type RidgeSolution, ridge } from '../solve/ridge.ts';
import { standardiser } from '../solve/standard.ts';
import type { ElementwiseName } from '../weights/distributions.ts';
import type { Seed } from '../weights/stream.ts';
import { kernelBiases } from './kernel-biases.ts';

export interface FitSignalsOptions {
  /** Features at most: random kernels times pools. Default 2500. */
  features?: number;
  /** Default: `binary` with the pools ppv and stretch, or `normal` with ppv and max, by their leave-one-out errors. */
  weights?: ElementwiseName;
  /** Default as for `weights`; with `weights` alone only `ppv`. */
  pools?: readonly SignalPool[];
  /** Default 0. */
  seed?: Seed;
  /**
   * The type in which `saveModel` will hold the numbers; default F32. With I8 the linear layer is rounded at once, and its
   * bias makes up for what that adds to the scores of training signals on average.
   */
  dtype?: StoredType;
}

/** Features that are computed at a time take at most this many numbers. */
const TILE_NUMBERS = 2 ** 20;

interface Arm {
  readonly weights: ElementwiseName;
  readonly pools: readonly SignalPool[];
}

/**
 * What is tried where the caller does not choose. `ppv` and `stretch` depend neither on the scale of a signal nor on a
 * single sample; `max` is better where heights tell classes apart.
 */
const arms: readonly Arm[] = [
  { weights: 'binary', pools: ['ppv', 'stretch'] },
  { weights: 'normal', pools: ['ppv', 'max'] },
];

/** A later arm is taken where its leave-one-out error is at most this share of the best one before. */
const CLEARLY_LESS = 0.95;

/**
 * A model that classifies signals, from labelled ones: shape [length] or [length, channels]. The class with the highest
 * output is the answer. Takes seconds where training takes minutes. Throws `DataError`, `OptionError`, `ShapeError`.
 */
export async function fitSignals(backend: Backend, data: DataSet, options: FitSignalsOptions = {}): Promise<Model> {
  expectOptions('fitSignals', options, {
    features: 'number',
    weights: 'string',
    pools: 'array',
    seed: 'any',
    dtype: ['F32', 'F16', 'I8'],
  });
  const { features = 2500, seed = 0, dtype = 'F32' } = options;
  if (data.targets || data.classes < 2) {
    throw new DataError(
      `fitSignals: expected signals of 2 classes or more, got ${data.targets ? 'targets' : data.classes}`,
    );
  }
  const { weights = 'binary', pools = ['ppv'] } = options;
  const tried = options.weights || options.pools ? [{ weights, pools }] : arms;
  let best: Fitted | undefined;
  for (const arm of tried) {
    const fitted = await fitArm(backend, data, arm, { features, seed });
    if (!best || fitted.solution.error < CLEARLY_LESS * best.solution.error) best = fitted;
  }
  const { model, solution } = best!;
  const rows = leftOutRows(data.rows, solution.weights.length / data.classes);
  const targets = classTargets(
    rows.map((row) => data.labels[row]!),
    data.classes,
  );
  const predictions = solution.errors.map((error, i) => targets[i]! - error);
  const layer = logOdds(solution, data.labels, { rows, predictions });
  const { weights: weight, bias } = dtype === 'I8' ? roundedToI8(layer, best!.means) : layer;
  model.parameters.set('layers.1.weight', weight).set('layers.1.b', bias);
  if (data.preparation) setPreparation(model, data.preparation);
  return model;
}

interface Fitted {
  /** Without its linear layer. */
  readonly model: Model;
  readonly solution: RidgeSolution;
  /** Of the features over the training signals. */
  readonly means: Float64Array;
}

/** The layer as an I8 file holds it. Rounding moves mean scores, so the bias moves them back. */
function roundedToI8({ weights, bias }: LinearOutput, means: Float64Array): LinearOutput {
  const outputs = bias.length;
  const { integers, scale } = quantised(weights, outputs);
  const rounded = integers.map((integer, i) => integer * scale[i % outputs]! + 0); // no -0
  const moved = Float64Array.from(bias);
  for (const [i, weight] of weights.entries()) {
    moved[i % outputs]! += means[Math.floor(i / outputs)]! * (weight - rounded[i]!);
  }
  return { weights: rounded, bias: Float32Array.from(moved) };
}

async function fitArm(
  backend: Backend,
  data: DataSet,
  { weights, pools }: Arm,
  { features, seed }: Required<Pick<FitSignalsOptions, 'features' | 'seed'>>,
): Promise<Fitted> {
  const kernels = randomKernels1d({ units: Math.floor(features / pools.length), weights, pools });
  const model = sequential([kernels, dense({ units: data.classes })], { input: data.shape, seed });
  const x = featuresAsFloats(data);
  const bank = bankOf(kernels, { input: data.shape, seed, index: 0 });
  model.parameters.set('layers.0.b', kernelBiases(bank, kernels.units, x));
  const made = await kernelFeatures(backend, model, x);
  const targets = classTargets(data.labels, data.classes);
  const solution = await ridge({ rows: data.rows, features: made, targets });
  return { model, solution, means: standardiser(made, made.length / data.rows).mean };
}

/** What the first layer makes of signals x (rows, length, channels): (rows, features), computed in tiles of rows. */
async function kernelFeatures(backend: Backend, model: Model, x: Float32Array): Promise<Float32Array<ArrayBuffer>> {
  const { units, pools } = model.layers[0] as RandomKernelsSpec;
  const [size, columns] = [inputSize(model), units * pools.length];
  const rows = x.length / size;
  const features = new Float32Array(rows * columns);
  const forward = await backend.forward({ ...model, layers: model.layers.slice(0, 1) });
  const tile = Math.max(1, Math.min(256, Math.floor(TILE_NUMBERS / Math.max(columns, size))));
  try {
    for (let row = 0; row < rows; row += tile) {
      const block = x.slice(row * size, Math.min(rows, row + tile) * size);
      features.set(await forward.compute(block), row * columns);
    }
  } finally {
    await forward.dispose();
  }
  return features;
}
