/** `weightless train`: one or more runs on a data set, a table, a model file. */

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { adapterName } from '../../src/backend/adapter.ts';
import type { Backend } from '../../src/backend/backend.ts';
import type { PrefixCache } from '../../src/backend/prefix-cache.ts';
import { type ActivationName, activationNames } from '../../src/core/activations.ts';
import { DataError } from '../../src/core/errors.ts';
import { readInput, removeUnfinished, writeWhole } from '../../src/core/files.ts';
import type { DataSet } from '../../src/data/dataset.ts';
import { shifted } from '../../src/data/shifted.ts';
import { dense } from '../../src/layers/dense.ts';
import type { LayerSpec } from '../../src/layers/specs.ts';
import { layerName } from '../../src/model/layer-name.ts';
import { inputSize, type Model, modelSize, sequential } from '../../src/model/model.ts';
import { type SaveOptions, saveModel } from '../../src/model/save.ts';
import { createPredictor } from '../../src/predict/predictor.ts';
import { type Checkpoint, readCheckpoint, saveCheckpoint } from '../../src/train/checkpoint.ts';
import { cosine, type EpochReport, evaluate, fit } from '../../src/train/fit.ts';
import type { TrainingState } from '../../src/train/training.ts';
import type { DistributionName } from '../../src/weights/distributions.ts';
import type { FieldName } from '../../src/weights/fields.ts';
import { halfLayer, randomLayer } from '../common/architecture.ts';
import { type DataChoice, dataTitle, openData } from '../common/data.ts';
import { bytes, count, deviation, mean, percent, print, progress, seconds, table } from '../common/output.ts';
import { choiceOf, choiceText, heldOut, isBetter } from './choice.ts';
import { nameClasses } from './class-names.ts';

export type Family = 'half' | 'random' | 'full';
export const families: readonly Family[] = ['half', 'random', 'full'];
export { activationNames };

export interface TrainOptions extends DataChoice, SaveOptions {
  kind: Family;
  units: number[];
  weights: DistributionName | FieldName;
  activation: ActivationName;
  /** The whole network; else it is one of the family. */
  layers?: LayerSpec[];
  /** Copies of the training images, moved by so many pixels in each direction, are trained on too. */
  shift?: number;
  epochs: number;
  batch: number;
  rate: number;
  schedule: 'constant' | 'cosine';
  seed: number;
  runs: number;
  /** Whose model goes to `out`; `best`: by rows held out of the training data. */
  keep?: 'first' | 'best';
  /** How many those are; default one in twelve. */
  heldOut?: number;
  out?: string;
  checkpoint?: string;
  resume?: boolean;
  json?: boolean;
}

/** One trained network, measured. */
export interface TrainedRun {
  /** What was asked for, where --layers did not say it. */
  readonly kind?: Family;
  readonly weights?: DistributionName | FieldName;
  readonly units?: readonly number[];
  readonly layers: readonly LayerSpec[];
  readonly network: string;
  readonly seed: number;
  readonly epochs: number;
  readonly testAccuracy: number;
  /** Over the rows that were held out, where some were. */
  readonly validationAccuracy?: number;
  readonly trainedParameters: number;
  readonly modelBytes: number;
  /** What the regenerated matrices would take as stored f32. */
  readonly storedWeightBytes: number;
  readonly trainSeconds: number;
  readonly predictMs: number;
  readonly adapter: string;
  readonly history: readonly EpochReport[];
}

/** Hidden layers of a family, and a dense output layer. */
export function network(
  { kind, units, weights, activation }: Pick<TrainOptions, 'kind' | 'units' | 'weights' | 'activation'>,
  classes: number,
): LayerSpec[] {
  const hidden = units.map((size): LayerSpec => {
    if (kind === 'full') return dense({ units: size, activation });
    return (kind === 'half' ? halfLayer : randomLayer)({ units: size, weights, activation } as never);
  });
  return [...hidden, dense({ units: classes })];
}

/** What stands in a checkpoint of the command line. */
interface TrainingNote {
  /** A training goes on only with the same. */
  readonly training: unknown;
  readonly history: readonly EpochReport[];
}

/** The checkpoint to go on from. Throws where it is one of another training, or is there and was not asked for. */
async function resumed(file: string, resume: boolean | undefined, training: unknown): Promise<Checkpoint | undefined> {
  if (resume && existsSync(dirname(file))) await removeUnfinished(file);
  if (!existsSync(file)) return undefined;
  if (!resume) {
    throw new DataError(`${file}: expected no checkpoint there yet. Add --resume to go on from it, or remove it.`);
  }
  const checkpoint = readCheckpoint(await readInput(file));
  const found = (checkpoint.note as Partial<TrainingNote> | null)?.training;
  if (JSON.stringify(found) !== JSON.stringify(training)) {
    throw new DataError(
      `${file}: expected a checkpoint of the training ${JSON.stringify(training)}, got one of ${JSON.stringify(found)}. ` +
        'Ask for the same training, or for another file.',
    );
  }
  return checkpoint;
}

/** Trains one network and measures it. */
export async function trainOne(
  context: Backend,
  options: TrainOptions,
  seed: number,
  { train, test, validation }: { train: DataSet; test: DataSet; validation?: DataSet },
  onEpoch?: (report: EpochReport) => void,
  prefixes?: PrefixCache,
): Promise<{ model: Model; run: TrainedRun }> {
  const { checkpoint } = options;
  const { kind, units, weights, epochs, batch, rate, schedule } = options;
  const layers = options.layers ?? network(options, train.classes);
  const { shift } = options;
  const how = { seed, epochs, batch, rate, schedule, ...(shift && { shift }) };
  const training = { data: dataTitle(options), layers, input: train.shape, ...how };
  const begun = checkpoint && (await resumed(checkpoint, options.resume, training));
  const model = begun ? begun.model : sequential(layers, { input: train.shape, seed });
  const sizes = [inputSize(model), ...units, train.classes].join('-');
  const name = options.layers
    ? layers.map(layerName).join(', ')
    : `${sizes} ${kind}${kind === 'full' ? '' : ` ${weights}`}`;
  const bar = progress(options.json);
  const started = performance.now();
  const history: EpochReport[] = begun ? [...(begun.note as TrainingNote).history] : [];
  const state: TrainingState = begun ? begun.state : { epoch: 0, optimizer: new Map() };
  try {
    const learningRate = schedule === 'cosine' ? cosine(rate) : rate;
    const onProgress = ({ phase, epoch, done, total }: { phase: string; epoch: number; done: number; total: number }) =>
      bar.update(
        phase === 'prefix' ? `${name}: frozen prefix` : `${name}: epoch ${epoch}/${epochs} ${phase}`,
        done,
        total,
      );
    const fitOptions = {
      epochs,
      batchSize: batch,
      learningRate,
      validation: validation ?? test,
      onProgress,
      ...(checkpoint && { state }),
      ...(prefixes && { prefixes }),
    };
    for await (const report of fit(context, model, train, fitOptions)) {
      history.push(report);
      if (checkpoint) {
        const note: TrainingNote = { training, history };
        await writeWhole(checkpoint, saveCheckpoint({ model, state, note }));
      }
      bar.stop();
      onEpoch?.(report);
    }
  } finally {
    bar.stop();
  }
  const trainSeconds = (performance.now() - started) / 1000;
  const size = modelSize(model);
  const held = history.at(-1)!.validation!.accuracy;
  const run: TrainedRun = {
    ...(!options.layers && { kind, weights, units }),
    layers,
    network: name,
    seed,
    epochs,
    testAccuracy: validation ? (await evaluate(context, model, test)).accuracy : held,
    ...(validation && { validationAccuracy: held }),
    trainedParameters: size.trainedParameters,
    modelBytes: nameClasses(saveModel(model, options), train.classNames).length,
    storedWeightBytes: 4 * size.regeneratedWeights,
    trainSeconds,
    predictMs: await predictMilliseconds(context, model),
    adapter: adapterName(context.adapter),
    history,
  };
  return { model, run };
}

/** Median wall-clock time of one prediction for one image, after warm-up, reading the scores included. */
async function predictMilliseconds(context: Backend, model: Model): Promise<number> {
  const predictor = await createPredictor(context, model);
  const image = Float32Array.from({ length: inputSize(model) }, (_, i) => (i % 7) / 7);
  const times: number[] = [];
  for (let i = 0; i < 25; i++) {
    const started = performance.now();
    await predictor.predict(image);
    if (i >= 5) times.push(performance.now() - started);
  }
  await predictor.dispose();
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}

export function runsTable(runs: readonly TrainedRun[]): string {
  return table(
    ['network', 'seed', 'test accuracy', 'trained', 'model', 'stored weights would take', 'training', 'predict'],
    runs.map((run) => [
      run.network,
      run.seed,
      percent(run.testAccuracy),
      count(run.trainedParameters),
      bytes(run.modelBytes),
      bytes(run.storedWeightBytes),
      seconds(run.trainSeconds),
      `${run.predictMs.toFixed(2)} ms`,
    ]),
  );
}

export async function trainCommand(context: Backend, options: TrainOptions): Promise<void> {
  if (options.resume && !options.checkpoint) throw new DataError('train: expected --checkpoint FILE beside --resume');
  if (options.checkpoint && options.runs > 1) {
    throw new DataError(
      `train: expected one run with --checkpoint, got --runs ${options.runs}. Train seed after seed.`,
    );
  }
  if (options.keep === 'best' && options.runs < 2) {
    throw new DataError(`train: expected several seeds to keep the best of, got ${options.runs}. Add --seeds 16, say.`);
  }
  const { notes, load } = await openData(options);
  const say = options.json ? () => {} : (line: string) => console.error(line);
  for (const note of notes) say(`${dataTitle(options)}: ${note}`);
  const whole = { train: await load('train'), test: await load('test') };
  const parts = options.keep === 'best' ? { ...whole, ...heldOut(whole.train, options.heldOut) } : whole;
  const data = options.shift ? { ...parts, train: shifted(parts.train, options.shift) } : parts;
  const runs: TrainedRun[] = [];
  let kept: { model: Model; run: TrainedRun } | undefined;
  for (let i = 0; i < options.runs; i++) {
    const seed = options.seed + i;
    const { model, run } = await trainOne(context, options, seed, data, (report) =>
      say(
        `seed ${seed} epoch ${report.epoch}/${options.epochs}: loss ${report.loss.toFixed(4)}, train ${percent(report.accuracy)}, ` +
          `${options.keep === 'best' ? 'held out' : 'test'} ${percent(report.validation!.accuracy)}, ${seconds(report.seconds)}`,
      ),
    );
    if (!kept || (options.keep === 'best' && isBetter(run, kept.run))) kept = { model, run };
    runs.push(run);
  }
  if (options.out) {
    if (options.resume) await removeUnfinished(options.out);
    await writeWhole(options.out, nameClasses(saveModel(kept!.model, options), data.train.classNames));
  }
  const accuracies = runs.map((run) => run.testAccuracy);
  const choice = options.keep === 'best' ? { choice: choiceOf(runs, kept!.run) } : {};
  const summary = {
    runs,
    meanAccuracy: mean(accuracies),
    deviation: deviation(accuracies),
    file: options.out,
    ...choice,
    ...(notes.length && { notes }),
  };
  print(options.json, summary, () => {
    const lines = [runsTable(runs), `adapter: ${runs[0]!.adapter}`];
    if (runs.length > 1) {
      lines.push(
        `test accuracy over ${runs.length} runs: ${percent(summary.meanAccuracy)} +- ${percent(summary.deviation)}`,
      );
    }
    if (choice.choice) lines.push(choiceText(choice.choice));
    if (options.out) lines.push(`model of seed ${kept!.run.seed}: ${options.out}`);
    return lines.join('\n');
  });
}
