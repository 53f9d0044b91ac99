/** Makes runs on one device: loads the data, trains a network and measures it. */

import { adapterName } from '../../src/backend/adapter.ts';
import type { Backend } from '../../src/backend/backend.ts';
import { ModelFileError, NoAdapterError } from '../../src/core/errors.ts';
import type { DataSet } from '../../src/data/dataset.ts';
import type { Optimizer } from '../../src/graph/optimizers.ts';
import { kindOf } from '../../src/layers/kinds.ts';
import { type Model, modelSize, placeLayers, sequential } from '../../src/model/model.ts';
import { readModel } from '../../src/model/safetensors.ts';
import { saveModel } from '../../src/model/save.ts';
import { nodeGpu } from '../../src/node.ts';
import { createContext } from '../../src/open.ts';
import { confusionMatrix } from '../../src/train/confusion.ts';
import { cosine, fit } from '../../src/train/fit.ts';
import { parseLayers } from '../common/architecture.ts';
import { predictMilliseconds } from '../common/latency.ts';
import { loadParts, type Parts, partsOf } from './data.ts';
import { peakBytes, resetPeak } from './memory.ts';
import type { Epoch, Measured, RunSpec } from './spec.ts';

export type BackendChoice = 'auto' | 'cpu' | 'webgpu';

const calibrations = { calibrated: true, auto: 'auto', scaled: false, raw: false } as const;
const ADAM: Optimizer = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };

export class Lab {
  readonly main: Backend;
  /** Called with the progress of a run, from 0 to 1. */
  onProgress: (share: number) => void = () => {};
  #data: { name: string; parts: Promise<{ train: DataSet; test: DataSet }> } | undefined;

  private constructor(main: Backend) {
    this.main = main;
  }

  /**
   * `auto`: a real GPU, else one CPU thread that caches no weights, so that layers compare fairly. Throws
   * `NoAdapterError`.
   */
  static async open(backend: BackendChoice): Promise<Lab> {
    if (backend !== 'cpu') {
      try {
        const context = await createContext({ gpu: await nodeGpu() });
        if (backend === 'webgpu' || !context.adapter.software) return new Lab(context);
        context.dispose();
      } catch (error) {
        if (backend === 'webgpu' || !(error instanceof NoAdapterError)) throw error;
      }
    }
    return new Lab(await createContext({ backend: 'cpu', threads: 1, keepWeights: 0 }));
  }

  /** The data of a run. Caches the last data set. */
  async data(spec: RunSpec): Promise<Parts> {
    if (this.#data?.name !== spec.data) this.#data = { name: spec.data, parts: loadParts(spec.data) };
    return partsOf(await this.#data.parts, spec);
  }

  /** The untrained network of a run. Throws `ArchitectureError`. */
  model(spec: RunSpec, data: DataSet): Model {
    const model = sequential(parseLayers(networkText(spec, data)), { input: data.shape, seed: spec.seed });
    if (spec.start === 'raw') {
      for (const { spec: layer, index, input } of placeLayers(model)) {
        const { calibrated, regenerated } = kindOf(layer);
        if (!calibrated) continue;
        const u = model.parameters.get(`layers.${index}.u`)!;
        u.fill(Math.sqrt(regenerated!(layer, input) / u.length)); // the fan-in: undoes the scale of the weights
      }
    }
    return model;
  }

  /** Trains and measures one network. `onModel` gets the trained model; `change` alters the data of the run first. */
  async train(
    spec: RunSpec,
    onModel?: (model: Model, parts: Parts) => void,
    change: (parts: Parts) => Parts = (parts) => parts,
  ): Promise<Measured> {
    resetPeak();
    const parts = change(await this.data(spec));
    const { train, test, validation } = parts;
    const model = this.model(spec, train);
    const context = this.main;
    const history: Epoch[] = [];
    const started = performance.now();
    const before = process.cpuUsage();
    const reports = fit(context, model, train, {
      epochs: spec.epochs,
      batchSize: spec.batch,
      optimizer: ADAM,
      learningRate: cosine(spec.rate),
      calibrate: calibrations[spec.start ?? 'calibrated'],
      validation: validation ?? test,
      onProgress: ({ epoch, done, total }) =>
        this.onProgress(epoch ? Math.min(0.99, (epoch - 1 + done / total) / spec.epochs) : 0),
    });
    for await (const { epoch, loss, accuracy, validation: held, seconds } of reports) {
      history.push({ epoch, loss, accuracy, heldOutLoss: held!.loss, heldOutAccuracy: held!.accuracy, seconds });
    }
    const trainSeconds = (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(before); // microseconds
    const confusion = await confusionMatrix(context, model, test);
    const file = saveModel(model);
    const half = halfFile(model);
    const size = modelSize(model);
    onModel?.(model, parts);
    return {
      network: networkText(spec, train),
      testAccuracy: accuracyOf(confusion),
      ...(validation && { validationAccuracy: history.at(-1)!.heldOutAccuracy }),
      ...(half && {
        modelBytesF16: half.length,
        testAccuracyF16: accuracyOf(await confusionMatrix(context, readModel(half), test)),
      }),
      trainedParameters: size.trainedParameters,
      regeneratedWeights: size.regeneratedWeights,
      modelBytes: file.length,
      predictMs: await predictMilliseconds(context, model),
      trainSeconds,
      trainCpuSeconds: (user + system) / 1e6,
      peakRssBytes: peakBytes(),
      history,
      confusion,
      backend: context.backend,
      adapter: adapterName(context.adapter),
    };
  }
}

export const networkText = ({ network }: RunSpec, { classes }: DataSet): string =>
  network.replace(/\bclasses\b/g, String(classes));

/** The model as an F16 file; undefined if a number is too large for F16. */
function halfFile(model: Model): Uint8Array | undefined {
  try {
    return saveModel(model, { dtype: 'F16' });
  } catch (error) {
    if (error instanceof ModelFileError) return undefined;
    throw error;
  }
}

/** The sum of the diagonal over the sum of all. */
export function accuracyOf(confusion: readonly (readonly number[])[]): number {
  const hits = confusion.reduce((sum, row, i) => sum + row[i]!, 0);
  return hits / confusion.flat().reduce((a, b) => a + b, 0);
}
