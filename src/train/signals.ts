/**
 * Classifies signals by random kernels and one linear layer, without a learning rate: biases are quantiles of the
 * kernels' results on training signals, the linear layer is a ridge regression whose penalty leave-one-out errors
 * choose.
 */
import type { Backend } from '../backend/backend.ts';
import { opened } from '../backend/opened.ts';
import { DataError, OptionError, ShapeError } from '../core/errors.ts';
import { expectOptions } from '../core/options.ts';
import type { SignalPool } from '../core/signal-pools.ts';
import { type DataSet, expectDataSet, featuresAsFloats } from '../data/dataset.ts';
import { picked } from '../data/split.ts';
import { dense } from '../layers/dense.ts';
import { bankOf, randomKernels1d } from '../layers/signals.ts';
import type { RandomKernelsSpec } from '../layers/specs.ts';
import { inputSize, type Model, sequential } from '../model/model.ts';
import { setPreparation } from '../model/preparation-metadata.ts';
import type { StoredType } from '../model/safetensors.ts';
import { quantised } from '../model/save.ts';
import { logOdds } from '../solve/log-odds.ts';
import { lowRank, product } from '../solve/low-rank.ts';
import { classTargets, type LinearOutput, leftOutRows, type RidgeSolution, ridge } from '../solve/ridge.ts';
import { standardiser } from '../solve/standard.ts';
import type { ElementwiseName } from '../weights/distributions.ts';
import type { Seed } from '../weights/stream.ts';
import { kernelBiases } from './kernel-biases.ts';

export interface FitSignalsOptions {
  /** Features at most: random kernels times pools, up to 65,536. Default 2500. */
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
  /**
   * With fewer than there are classes: the linear layer becomes two, with so many numbers between them, which keep the
   * scores of training signals as well as so many can. Many classes then take less memory.
   */
  rank?: number;
}

/** Ridge regression takes time in proportion to the square of the features, or of the rows. */
const MOST_FEATURES = 2 ** 16;

/** Features that are computed at a time take at most this many numbers. */
const TILE_NUMBERS = 2 ** 20;

/** Rows over which a linear layer of lower rank is chosen. */
const RANKED = 2048;

/** Arms are compared on this many signals where there are more than twice as many. */
const COMPARED = 1024;

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
export async function fitSignals(
  backend: Backend | Promise<Backend>,
  data: DataSet,
  options: FitSignalsOptions = {},
): Promise<Model> {
  expectOptions('fitSignals', options, {
    features: 'number',
    weights: 'string',
    pools: 'array',
    seed: 'any',
    dtype: ['F32', 'F16', 'I8'],
    rank: 'number',
  });
  expectDataSet('fitSignals', data);
  const { features = 2500, seed = 0, dtype = 'F32', rank = data.classes } = options;
  if (!(Number.isSafeInteger(rank) && rank > 0)) {
    throw new OptionError(`fitSignals: expected a rank of 1 or more, got ${rank}`);
  }
  const most = options.pools?.length || 2;
  if (!(Number.isSafeInteger(features) && features >= most && features <= MOST_FEATURES)) {
    throw new ShapeError(
      `fitSignals: expected features of ${most} (one for each pool) to ${MOST_FEATURES}, got ${features}`,
    );
  }
  if (data.targets || data.classes < 2) {
    throw new DataError(
      `fitSignals: expected signals of 2 classes or more, got ${data.targets ? 'targets' : data.classes}`,
    );
  }
  const { weights = 'binary', pools = ['ppv'] } = options;
  const tried = options.weights || options.pools ? [{ weights, pools }] : arms;
  // Many signals are compared by some of them.
  const some = tried.length > 1 && data.rows > 2 * COMPARED;
  const compared = some ? picked(data, spaced(data.rows, COMPARED)) : data;
  let best: Fitted | undefined;
  for (const arm of tried) {
    const fitted = await fitArm(backend, compared, arm, { features, seed });
    if (!best || fitted.solution.error < CLEARLY_LESS * best.solution.error) best = fitted;
  }
  if (some) best = await fitArm(backend, data, best!.arm, { features, seed });
  const { solution } = best!;
  const rows = leftOutRows(data.rows, solution.weights.length / data.classes);
  const targets = classTargets(
    rows.map((row) => data.labels[row]!),
    data.classes,
  );
  const predictions = solution.errors.map((error, i) => targets[i]! - error);
  const layer = logOdds(solution, data.labels, { rows, predictions });
  const model = withOutput(best!, layer, { dtype, rank, seed });
  if (data.preparation) setPreparation(model, data.preparation);
  return model;
}

/** Evenly spaced rows, `most` at most: they hold every class in proportion whether rows are sorted or not. */
const spaced = (rows: number, most: number): number[] => {
  const count = Math.min(rows, most);
  return Array.from({ length: count }, (_, i) => Math.floor((i * rows) / count));
};

/** The leave-one-out error of a fit with the first of the arms. */
export async function signalError(backend: Backend, data: DataSet, features: number): Promise<number> {
  return (await fitArm(backend, data, arms[0]!, { features, seed: 0 })).solution.error;
}

interface Fitted {
  readonly arm: Arm;
  /** Without its linear layer. */
  readonly model: Model;
  readonly solution: RidgeSolution;
  /** Features of the training signals, (rows, columns). */
  readonly made: Float32Array;
  /** Their means. */
  readonly means: Float64Array;
}

/** The model with this linear layer, as its file will hold it. Rounding moves mean scores; the bias moves them back. */
function withOutput(
  { model, made, means }: Fitted,
  { weights, bias }: LinearOutput,
  { dtype, rank, seed }: { dtype: StoredType; rank: number; seed: Seed },
): Model {
  const outputs = bias.length;
  const stored = (matrix: Float32Array<ArrayBuffer>, columns: number) =>
    dtype === 'I8' ? roundedToI8(matrix, columns) : matrix;
  if (rank >= outputs) {
    const kept = stored(weights, outputs);
    model.parameters.set('layers.1.weight', kept);
    model.parameters.set('layers.1.b', dtype === 'I8' ? movedBias(bias, means, weights, kept) : bias);
    return model;
  }
  const columns = weights.length / outputs;
  const rows = spaced(made.length / columns, RANKED);
  const sample = new Float32Array(rows.length * columns);
  for (const [i, row] of rows.entries()) sample.set(made.subarray(row * columns, (row + 1) * columns), i * columns);
  const { first, second } = lowRank({ weights, bias }, sample, rank);
  const [narrow, wide] = [stored(first, rank), stored(second, outputs)];
  const { input, layers, parameters } = model;
  const ranked = sequential([layers[0]!, dense({ units: rank }), dense({ units: outputs })], { input, seed });
  ranked.parameters
    .set('layers.0.b', parameters.get('layers.0.b')!)
    .set('layers.1.weight', narrow)
    .set('layers.1.b', new Float32Array(rank))
    .set('layers.2.weight', wide)
    .set('layers.2.b', movedBias(bias, means, weights, product(narrow, wide, rank, outputs)));
  return ranked;
}

/** The bias with which the stored weights give the mean scores of the exact ones. */
function movedBias(bias: Float32Array, means: Float64Array, exact: Float32Array, kept: Float32Array) {
  const outputs = bias.length;
  const moved = Float64Array.from(bias);
  for (const [i, weight] of exact.entries()) {
    moved[i % outputs]! += means[Math.floor(i / outputs)]! * (weight - kept[i]!);
  }
  return Float32Array.from(moved);
}

/** A matrix as an I8 file holds it. */
function roundedToI8(weights: Float32Array, columns: number): Float32Array<ArrayBuffer> {
  const { integers, scale } = quantised(weights, columns);
  return Float32Array.from(integers, (integer, i) => integer * scale[i % columns]! + 0); // no -0
}

async function fitArm(
  backend: Backend | Promise<Backend>,
  data: DataSet,
  arm: Arm,
  { features, seed }: Required<Pick<FitSignalsOptions, 'features' | 'seed'>>,
): Promise<Fitted> {
  const { weights, pools } = arm;
  const kernels = randomKernels1d({ units: Math.floor(features / pools.length), weights, pools });
  const model = sequential([kernels, dense({ units: data.classes })], { input: data.shape, seed });
  const x = featuresAsFloats(data);
  const bank = bankOf(kernels, { input: data.shape, seed, index: 0 });
  model.parameters.set('layers.0.b', kernelBiases(bank, kernels.units, x));
  const made = await kernelFeatures(backend, model, x);
  const targets = classTargets(data.labels, data.classes);
  const solution = await ridge({ rows: data.rows, features: made, targets });
  return { arm, model, solution, made, means: standardiser(made, made.length / data.rows).mean };
}

/** What the first layer makes of signals x (rows, length, channels): (rows, features), computed in tiles of rows. */
async function kernelFeatures(
  backend: Backend | Promise<Backend>,
  model: Model,
  x: Float32Array,
): Promise<Float32Array<ArrayBuffer>> {
  const { units, pools } = model.layers[0] as RandomKernelsSpec;
  const [size, columns] = [inputSize(model), units * pools.length];
  const rows = x.length / size;
  const features = new Float32Array(rows * columns);
  const forward = await (await opened(backend)).forward({ ...model, layers: model.layers.slice(0, 1) });
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
