/** Training as `fit` and `evaluate` ask for it, whatever the backend. */
import { ShapeError } from '../core/errors.ts';
import type { DataSet } from '../data/dataset.ts';
import type { Graph } from '../graph/graph.ts';
import type { StepNumbers } from '../graph/optimizers.ts';
import { elements, type Value } from '../graph/value.ts';

/** The graph of a batch: it reads `source` and `targets`, and leaves the loss of each row. */
export interface BatchGraph {
  readonly graph: Graph;
  /** (rows, columns) f32: the inputs of the batch, or its rows of the frozen prefix. */
  readonly source: Value;
  /** (rows) u32 labels, or (rows, outputs) f32. */
  readonly targets: Value;
  /** (rows, 2) f32: the loss of each row, and 1 where the prediction is right. */
  readonly loss: Value;
  /** Whether parameters are updated. */
  readonly update: boolean;
}

/** The graph of the frozen prefix of a batch. */
export interface PrefixGraph {
  readonly graph: Graph;
  readonly x: Value;
  /** (rows, columns) f32: what the layers that do not change make of `x`. */
  readonly value: Value;
}

/** Frozen prefixes by data set and key; prefix-cache.ts implements it. */
export interface Prefixes {
  /** The prefix of a data set under its key, computed if it is not cached. Without a key it is held but never found again. */
  get<T>(data: DataSet, key: string | undefined, compute: () => Promise<T>, dispose: (prefix: T) => void): Promise<T>;
}

/** The frozen prefix of a training whose rows are computed once. */
export interface Prefix {
  readonly cache: Prefixes;
  /** Everything that the prefix depends on beside the data; undefined where that is too much to share it between models. */
  readonly key: string | undefined;
  graph(rows: number): PrefixGraph;
}

export interface TrainingOptions {
  /** The graph of a batch, with or without updates of the parameters. */
  batch(rows: number, update: boolean): BatchGraph;
  /** Default: batches start from the inputs. */
  readonly prefix?: Prefix;
  /** Stops the computation of a prefix. */
  readonly signal?: AbortSignal;
  /** What the optimizer starts from, by name; default zeros. */
  readonly states?: ReadonlyMap<string, Float32Array>;
  /** Untrained parameters that graphs of batches read and that are not part of the model, by name. */
  readonly constants?: ReadonlyMap<string, Float32Array>;
}

/** The numbers of a step that updates nothing. */
export const NO_STEP: StepNumbers = { learningRate: 0, correction1: 1, correction2: 1, step: 0 };

/** Means over rows: of the loss, and of the right predictions. */
export interface Means {
  readonly loss: number;
  readonly accuracy: number;
}

/** Milliseconds between two reports of the means in a pass that is under way: on a GPU each costs a round trip. */
export const MEANS_EVERY_MS = 100;

export interface PassOptions {
  /** The numbers of step `index` of this pass; default `NO_STEP`. */
  readonly step?: (index: number) => StepNumbers;
  /** Reports how many rows are done, now and then with the means over them. A promise that it returns is waited for. */
  readonly onStep?: (rows: number, means?: Means) => unknown;
  readonly signal?: AbortSignal;
}

/** A pass over one data set in batches, as often as it is run. Training and evaluation are such passes. */
export interface EpochPass {
  /** Runs over the rows that `order` lists, and returns the means over them. Throws the signal's reason when it is aborted. */
  run(order: Uint32Array<ArrayBuffer>, options?: PassOptions): Promise<Means>;
}

export interface EpochPassOptions {
  readonly batchSize: number;
  readonly update: boolean;
  /** Reports how many rows of the prefix are computed. A promise that it returns is waited for. */
  readonly onRows?: (rows: number) => unknown;
}

/** A model in training. It owns its memory on the backend until it is disposed. */
export interface Training {
  epochPass(data: DataSet, options: EpochPassOptions): Promise<EpochPass>;
  /** Copies the parameters back into the model, and the optimizer's state into `states`: all of it or, where reading fails, nothing. */
  download(states?: Map<string, Float32Array<ArrayBuffer>>): Promise<void>;
  dispose(): void;
}

/** Sizes of the batches of a pass over `rows` rows: full ones, and the last one where it is smaller. */
export const batchSizes = (rows: number, batchSize: number): Set<number> =>
  new Set([Math.min(batchSize, rows), rows % batchSize].filter((size) => size > 0));

/** The optimizer's state of a graph: as `states` holds it, or zeros without it. Throws `ShapeError` where it does not fit. */
export function startingStates(
  { values }: Graph,
  states?: ReadonlyMap<string, Float32Array>,
): [name: string, numbers: Float32Array<ArrayBuffer>][] {
  return values
    .filter(({ role }) => role === 'state')
    .map((value) => {
      const given = states?.get(value.name);
      if (states && given?.length !== elements(value)) {
        throw new ShapeError(
          `fit: expected ${elements(value)} numbers of '${value.name}' in the state of the training, ` +
            `got ${given?.length ?? 'none'}. Continue with the model and the optimizer that the state was saved for.`,
        );
      }
      return [value.name, Float32Array.from(given ?? new Float32Array(elements(value)))];
    });
}
