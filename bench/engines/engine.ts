/** The interface of an engine in the bench, ours or a peer's. */
import type { ForwardKernelName } from '../../src/gpu/choose/forward-kernels.ts';
import type { DistributionName } from '../../src/weights/distributions.ts';
import type { ForwardData, ForwardTask } from '../tasks/forward.ts';
import type { TrainingData, TrainingTask } from '../tasks/training.ts';

export type Task = ForwardTask | TrainingTask;
export type TaskData<T extends Task = Task> = T extends ForwardTask ? ForwardData : TrainingData;

/** One way in which an engine can do a task. */
export interface Variant {
  /** A distribution, or the format of stored weights. Together with the engine it names the row. */
  readonly weights: string;
  /** Distribution of the stored or regenerated weights. The result is verified against it. */
  readonly distribution: DistributionName;
  /** Bytes that a call reads for the layer's weights: stored weights, or keys. */
  readonly weightBytes: number;
  /** Forces this kernel in our engine. */
  readonly kernel?: ForwardKernelName;
}

/** A compiled task with all its data on the device. */
export interface Prepared {
  /** Starts one call. Engines that must finish each call before the next return a promise. */
  run(): void | Promise<void>;
  /** Resolves when all started calls are done. */
  sync(): Promise<void>;
  /** Runs once and reads the result: y (m, n) of a forward task, or the mean loss of a training step. */
  output(): Promise<Float32Array>;
  dispose(): void | Promise<void>;
  /** A note for the row, such as the number of threads. */
  readonly note?: string;
}

export interface Engine {
  readonly name: string;
  /** Whether it is a peer, that is, another project's engine on WebGPU, with which ours is compared. */
  readonly peer: boolean;
  /** Whether it computes on the GPU. */
  readonly gpu: boolean;
  /** Empty if the engine does not support the task. */
  variants(task: Task): readonly Variant[];
  prepare<T extends Task>(task: T, variant: Variant, data: TaskData<T>): Promise<Prepared>;
}

/** The variant of an engine that stores f32 weights, drawn from `normal`. */
export const storedVariant = (task: Task): Variant => ({
  weights: 'f32',
  distribution: 'normal',
  weightBytes: task.kind === 'forward' ? 4 * task.k * task.n : 0,
});
