/** One training run of the command line: the network, its checkpoint, its measurements. */

import { adapterName } from '../../src/backend/adapter.ts';
import type { Backend } from '../../src/backend/backend.ts';
import type { PrefixCache } from '../../src/backend/prefix-cache.ts';
import type { ActivationName } from '../../src/core/activations.ts';
import { ModelFileError, WriteError } from '../../src/core/errors.ts';
import { rescue, rescueText, writeResult } from '../../src/core/files.ts';
import type { DataSet } from '../../src/data/dataset.ts';
import { dense } from '../../src/layers/dense.ts';
import type { LayerSpec } from '../../src/layers/specs.ts';
import { layerName } from '../../src/model/layer-name.ts';
import { inputSize, type Model, modelSize, sequential } from '../../src/model/model.ts';
import { type SaveOptions, saveModel } from '../../src/model/save.ts';
import { saveCheckpoint } from '../../src/train/checkpoint.ts';
import { type Figures, measure } from '../../src/train/figures.ts';
import { cosine, type EpochReport, fit } from '../../src/train/fit.ts';
import type { SolverName } from '../../src/train/solver-names.ts';
import type { TrainingState } from '../../src/train/training.ts';
import type { DistributionName } from '../../src/weights/distributions.ts';
import type { FieldName } from '../../src/weights/fields.ts';
import { halfLayer, randomLayer } from '../common/architecture.ts';
import type { DataChoice } from '../common/data.ts';
import { predictMilliseconds } from '../common/latency.ts';
import { bytes, count, progress, seconds, sparkline, table } from '../common/output.ts';
import { scoreOf } from './figures.ts';
import { dataIdentity, resumed, type TrainingNote } from './resume.ts';
import { today } from './train-card.ts';

export const families = ['half', 'random', 'full'] as const;
export type Family = (typeof families)[number];

export interface TrainOptions extends DataChoice, SaveOptions {
  kind: Family;
  units: number[];
  weights: DistributionName | FieldName;
  activation: ActivationName;
  /** The model file from whose trained values training starts, instead of a new network. */
  from?: string;
  /** The whole network, instead of one of the family. */
  layers?: LayerSpec[];
  /** Also train on copies of the images, moved by this many pixels in each direction. */
  shift?: number;
  epochs: number;
  batch: number;
  rate: number;
  /** Default 0. */
  weightDecay?: number;
  schedule: 'constant' | 'cosine';
  /** Solves the output layer, in place of epochs. */
  solver?: SolverName;
  seed: number;
  runs: number;
  /** Which run's model is written to `out`; `best`: by the score on the validation rows. */
  keep?: 'first' | 'best';
  /** Training rows to hold out for validation, about; default one in ten. 0: none. */
  heldOut?: number;
  /** Epochs without a better one after which the training ends; default: all epochs are trained. */
  patience?: number;
  classWeights?: 'balanced';
  out?: string;
  /** Where an HTML report goes. */
  report?: string;
  checkpoint?: string;
  resume?: boolean;
  /** Whether the model file says where it comes from; default true. */
  card?: boolean;
  json?: boolean;
}

/** A trained network and its measurements. */
export interface TrainedRun {
  /** Absent with `layers` and `from`. */
  readonly kind?: Family;
  readonly weights?: DistributionName | FieldName;
  readonly units?: readonly number[];
  readonly layers: readonly LayerSpec[];
  readonly network: string;
  readonly seed: number;
  readonly epochs: number;
  /** With validation rows: the epoch whose parameters the model has. */
  readonly bestEpoch?: number;
  /** Absent for a regression. */
  readonly testAccuracy?: number;
  /** On the test rows, which had no part in the training or in choosing its best epoch. */
  readonly test: Figures;
  /** With `from`: on the test rows before training. */
  readonly before?: Figures;
  /** On the validation rows, if there are any. */
  readonly validation?: Figures;
  readonly trainedParameters: number;
  readonly modelBytes: number;
  /** Bytes that the random matrices would take if they were stored as f32. */
  readonly storedWeightBytes: number;
  readonly trainSeconds: number;
  readonly predictMs: number;
  readonly adapter: string;
  readonly history: readonly EpochReport[];
}

/** Outputs of a model for this data. */
const outputsFor = ({ targets, rows, classes }: DataSet): number => (targets ? targets.length / rows : classes);

/** The hidden layers of a family and a dense output layer. */
export function network(
  { kind, units, weights, activation }: Pick<TrainOptions, 'kind' | 'units' | 'weights' | 'activation'>,
  outputs: number,
): LayerSpec[] {
  const hidden = units.map((size): LayerSpec => {
    if (kind === 'full') return dense({ units: size, activation });
    return (kind === 'half' ? halfLayer : randomLayer)({ units: size, weights, activation } as never);
  });
  return [...hidden, dense({ units: outputs })];
}

/** The rows of a run. */
export interface RunData {
  readonly train: DataSet;
  readonly test: DataSet;
  /** Chooses the epoch that is kept. */
  readonly validation?: DataSet;
  /** Without validation rows: reported after each epoch, and no more. */
  readonly watched?: DataSet;
}

/**
 * Trains one network and measures it. With validation rows, the model has the parameters of the best epoch. The test rows
 * are used once, when the training is over. `began`: the day on which it began, which a resumed training remembers.
 * `start` is trained further, in place, without another calibration; the test rows measure it before, too.
 */
export async function trainOne(
  context: Backend,
  options: TrainOptions,
  seed: number,
  { train, test, validation, watched }: RunData,
  onEpoch?: (report: EpochReport) => void,
  prefixes?: PrefixCache,
  start?: Model,
): Promise<{ model: Model; run: TrainedRun; began: string }> {
  const { checkpoint } = options;
  const { kind, units, weights, batch, rate, schedule, solver } = options;
  const epochs = solver ? 1 : options.epochs;
  const layers = start?.layers ?? options.layers ?? network(options, outputsFor(train));
  const { shift, patience, classWeights, weightDecay } = options;
  const how = {
    ...{ seed, epochs, batch, rate, schedule, ...(shift && { shift }) },
    ...{ ...(validation && { heldOut: options.heldOut ?? 'a tenth' }), ...(patience && { patience }) },
    ...(classWeights && { classWeights }),
    ...(weightDecay && { weightDecay }),
  };
  const training = { data: await dataIdentity(options), layers, input: train.shape, ...how };
  const found = checkpoint && (await resumed(checkpoint, options.resume, training));
  const model = found ? found.model : (start ?? sequential(layers, { input: train.shape, seed }));
  const before = start && (await measure(context, model, test));
  const sizes = [inputSize(model), ...units, outputsFor(train)].join('-');
  const ofFamily = !options.layers && !start;
  const name = !ofFamily ? layers.map(layerName).join(', ') : `${sizes} ${kind}${kind === 'full' ? '' : ` ${weights}`}`;
  const bar = progress(options.json);
  const started = performance.now();
  const history: EpochReport[] = found ? [...(found.note as TrainingNote).history] : [];
  const began = (found && (found.note as TrainingNote).began) ?? today();
  const state: TrainingState = found ? found.state : { epoch: 0, optimizer: new Map() };
  try {
    const curve = () => sparkline(history.map(({ loss, validation }) => validation?.loss ?? loss));
    const learningRate = schedule === 'cosine' ? cosine(rate) : rate;
    const onProgress = ({ phase, epoch, done, total }: { phase: string; epoch: number; done: number; total: number }) =>
      bar.update(
        phase === 'prefix'
          ? `${name}: frozen prefix`
          : `${name}: ${solver ? `pass ${epoch}` : `epoch ${epoch}/${epochs}`} ${phase} ${curve()}`,
        done,
        total,
      );
    const fitOptions = {
      ...(solver
        ? { solver, seed }
        : {
            ...{ epochs, batchSize: batch, learningRate },
            ...(validation && { patience: patience ?? epochs }),
            ...(weightDecay && { optimizer: { kind: 'adam', weightDecay } as const }),
          }),
      ...((validation ?? watched) && { validation: validation ?? watched }),
      ...(classWeights && { classWeights }),
      onProgress,
      ...(checkpoint && { state }),
      ...(prefixes && { prefixes }),
      ...(start && { seed, calibrate: false }),
    };
    for await (const report of fit(context, model, train, fitOptions)) {
      history.push(report);
      if (checkpoint) {
        const note: TrainingNote = { training, history, began };
        await writeResult(checkpoint, saveCheckpoint({ model, state, note }));
      }
      bar.stop();
      onEpoch?.(report);
    }
  } finally {
    bar.stop();
  }
  const trainSeconds = (performance.now() - started) / 1000;
  const size = modelSize(model);
  const figures = await measure(context, model, test);
  const run: TrainedRun = {
    ...(ofFamily && { kind, weights, units }),
    layers,
    network: name,
    seed,
    epochs,
    ...(history.at(-1)!.best && { bestEpoch: history.at(-1)!.best! }),
    ...(figures.task !== 'regression' && { testAccuracy: figures.accuracy }),
    test: figures,
    ...(before && { before }),
    ...(validation && { validation: await measure(context, model, validation) }),
    trainedParameters: size.trainedParameters,
    modelBytes: modelFile(model, options).length,
    storedWeightBytes: 4 * size.regeneratedWeights,
    trainSeconds,
    predictMs: await predictMilliseconds(context, model),
    adapter: adapterName(context.adapter),
    history,
  };
  return { model, run, began };
}

/**
 * The model as a file. Only after training does it show that numbers are too large for the file's type: the model is
 * then saved as F32 in a temporary folder, which the error names.
 */
export function modelFile(
  model: Model,
  { dtype = 'F32', out }: SaveOptions & { readonly out?: string },
): Uint8Array<ArrayBuffer> {
  try {
    return saveModel(model, { dtype });
  } catch (error) {
    if (!(error instanceof ModelFileError) || dtype === 'F32') throw error;
    throw new WriteError(`${error.message} ${rescueText(rescue(out ?? 'model.safetensors', saveModel(model)))}`);
  }
}

export function runsTable(runs: readonly TrainedRun[]): string {
  const score = `test ${scoreOf(runs[0]!.test).name}`;
  return table(
    ['network', 'seed', score, 'trained', 'model', 'stored weights would take', 'training', 'predict'],
    runs.map((run) => [
      run.network,
      run.seed,
      scoreOf(run.test).text,
      count(run.trainedParameters),
      bytes(run.modelBytes),
      bytes(run.storedWeightBytes),
      seconds(run.trainSeconds),
      `${run.predictMs.toFixed(2)} ms`,
    ]),
  );
}
