/** The interface that every backend implements. Only src/open.ts knows which backends there are. */
import type { DeviceLostError } from '../core/errors.ts';
import type { Graph } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import type { Model } from '../model/model.ts';
import type { AdapterDescription } from './adapter.ts';
import type { Training, TrainingOptions } from './training.ts';

export type BackendName = 'webgpu' | 'cpu';

/** A model on a backend, ready to predict. It owns the memory that it computes in. */
export interface Forward {
  /**
   * Outputs of the last layer, (rows, outputs) row-major f32, for `rows` whole rows of finite inputs. Calls run one after another.
   * Throws `DeviceLostError`, `OutOfMemoryError`.
   */
  compute(data: Float32Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>>;
  /** Compiles and allocates for a batch of `rows` rows, so that its first `compute` is quick. */
  prepare(rows: number): Promise<unknown>;
  /** Frees the memory, once running computations are done. */
  dispose(): Promise<void>;
}

/** A graph that is computed over and over. It owns the memory of its values until it is disposed of. */
export interface Evaluator {
  /**
   * Computes the outputs from the given values, of which `changed` replaces some; the others are those of the last run.
   * Wait for a run before you start the next one.
   */
  run(changed?: ReadonlyMap<Value, Float32Array | Uint32Array>): Promise<ReadonlyMap<Value, Float32Array<ArrayBuffer>>>;
  dispose(): void;
}

/**
 * Runs graphs and trains models. Callers pass plain data, which a backend copies on the way in and out; device memory stays behind
 * this interface. Work that is under way when the device is lost, and every later call, rejects with `DeviceLostError`.
 */
export interface Backend {
  /** Its name, for messages. Code asks the backend to do something, never what it is called. */
  readonly backend: BackendName;
  /** What runs, and why it was chosen. */
  readonly info: string;
  readonly adapter: AdapterDescription;
  /** Bytes that models and trainings hold now, and the most they ever held at once. */
  readonly memory: { readonly bytes: number; readonly peak: number };
  /** Resolves when the device is lost, and never rejects. A backend without a device to lose never resolves it. */
  readonly lost: Promise<DeviceLostError>;
  /** Throws `DeviceLostError` once the device is lost. */
  checkAlive(): void;
  /** Compiles what a prediction of one row needs. It reads no parameters, so the header of a model file is enough. */
  compile(model: Model): Promise<void>;
  /** Puts a model on the backend. */
  forward(model: Model): Promise<Forward>;
  /**
   * Prepares a graph that computes `outputs` from `given`: inputs, parameters, and results that are not to be computed
   * again, the values of the first run. Values that the outputs do not depend on may be given too; they are ignored. All
   * values are row-major. Throws `ShapeError` where one is missing.
   */
  evaluator(
    graph: Graph,
    given: ReadonlyMap<Value, Float32Array | Uint32Array>,
    outputs: readonly Value[],
  ): Promise<Evaluator>;
  /** Puts a model and the state of its optimizer on the backend, to be trained or evaluated there. */
  training(model: Model, options: TrainingOptions): Promise<Training>;
  /** Frees everything that was made with this backend. */
  dispose(): void;
}
