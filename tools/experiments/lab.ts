/** Where a run is made: a device, the data sets in use, and the training and measuring of one network. */

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

const ADAM: Optimizer = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

export class Lab {
  readonly main: Backend;
  /** Hears how much of a run is done, 0 to 1. */
  onProgress: (share: number) => void = () => {};
  #data: { name: string; parts: Promise<{ train: DataSet; test: DataSet }> } | undefined;

  private constructor(main: Backend) {
    this.main = main;
  }

  /** `auto`: a real GPU, or else one thread of the CPU, which keeps no weights: layers are compared. Throws `NoAdapterError`. */
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

  /** The data of a run; the set of the last one is kept. */
  async data(spec: RunSpec): Promise<Parts> {
    if (this.#data?.name !== spec.data) this.#data = { name: spec.data, parts: loadParts(spec.data) };
    return partsOf(await this.#data.parts, spec);
  }

  /** The network of a run as it starts. Throws `ArchitectureError`. */
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

  /** Trains and measures one network. `onModel` sees the trained model; `change` makes other data of the run's. */
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
      calibrate: (spec.start ?? 'calibrated') === 'calibrated',
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

/** The model as an F16 file; nothing where a number is too large for that. */
function halfFile(model: Model): Uint8Array | undefined {
  try {
    return saveModel(model, { dtype: 'F16' });
  } catch (error) {
    if (error instanceof ModelFileError) return undefined;
    throw error;
  }
}

/** The share on the diagonal. */
export function accuracyOf(confusion: readonly (readonly number[])[]): number {
  const hits = confusion.reduce((sum, row, i) => sum + row[i]!, 0);
  return hits / confusion.flat().reduce((a, b) => a + b, 0);
}
