/** A model put in training on a backend. */
import type { Backend } from '../backend/backend.ts';
import type { PrefixCache } from '../backend/prefix-cache.ts';
import type { Training } from '../backend/training.ts';
import { CLASS_WEIGHTS, type Loss } from '../graph/losses.ts';
import type { Optimizer } from '../graph/optimizers.ts';
import type { Model } from '../model/model.ts';
import type { BestEpoch } from './best-epoch.ts';
import { batchGraph, prefixGraph, prefixKey } from './graphs.ts';

/** What it takes beside a model to continue its training. */
export interface TrainingState {
  /** Epochs that are done; 0 at the start. */
  epoch: number;
  /** The state of the optimizer, by name. */
  readonly optimizer: Map<string, Float32Array<ArrayBuffer>>;
  /** With `patience`: the best epoch so far. */
  readonly best?: BestEpoch;
}

export interface OpenTrainingOptions {
  readonly loss: Loss;
  /** None: nothing is updated. */
  readonly optimizer?: Optimizer;
  /** Caches the rows of the frozen prefix; without it each step computes them anew. */
  readonly prefixes?: PrefixCache;
  readonly signal?: AbortSignal;
  /** The weight of each output's class, for cross-entropy; default 1 each. */
  readonly classWeights?: Float32Array;
  /** What the optimizer starts from; default zeros. */
  readonly states?: ReadonlyMap<string, Float32Array>;
}

export function openTraining(backend: Backend, model: Model, options: OpenTrainingOptions): Promise<Training> {
  const { loss, optimizer, prefixes, signal, states, classWeights } = options;
  const cached = prefixes !== undefined;
  const batch = (rows: number, update: boolean) =>
    batchGraph(model, rows, {
      ...{ loss, cached, weighted: classWeights !== undefined },
      ...(update && optimizer && { optimizer }),
    });
  const graph = (rows: number) => prefixGraph(model, rows);
  return backend.training(model, {
    batch,
    ...(prefixes && { prefix: { cache: prefixes, key: prefixKey(model), graph } }),
    ...(signal && { signal }),
    ...(states && { states }),
    ...(classWeights && { constants: new Map([[CLASS_WEIGHTS, classWeights]]) }),
  });
}
