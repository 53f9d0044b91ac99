/** What the bench asks of an engine, ours and others'. */
import type { ForwardKernelName } from '../../src/gpu/choose/forward-kernels.ts';
import type { DistributionName } from '../../src/weights/distributions.ts';
import type { ForwardData, ForwardTask } from '../tasks/forward.ts';
import type { TrainingData, TrainingTask } from '../tasks/training.ts';

export type Task = ForwardTask | TrainingTask;
export type TaskData<T extends Task = Task> = T extends ForwardTask ? ForwardData : TrainingData;

/** One way in which an engine does a task. */
export interface Variant {
  /** What the weights are: a distribution, or how they are stored. Names the row, beside the engine. */
  readonly weights: string;
  /** Whose random weights they hold, or regenerate: what the result is verified against. */
  readonly distribution: DistributionName;
  /** Bytes that a call reads for the weights of its layer: stored weights, or keys. */
  readonly weightBytes: number;
  /** Of our engine: the kernel that it has to take. */
  readonly kernel?: ForwardKernelName;
}

/** A task with everything on the device, compiled. */
export interface Prepared {
  /** Starts one call. Engines that have to be waited for call by call answer a promise. */
  run(): void | Promise<void>;
  /** Resolves when everything started is done. */
  sync(): Promise<void>;
  /** Runs once and reads: y (m, n) of a forward task, the mean loss of a training step. */
  output(): Promise<Float32Array>;
  dispose(): void | Promise<void>;
  /** For the row: how many threads, say. */
  readonly note?: string;
}

export interface Engine {
  readonly name: string;
  /** Whether it is one of the engines that ours are compared with: others' engines on WebGPU. */
  readonly peer: boolean;
  /** Whether it computes on the GPU. */
  readonly gpu: boolean;
  /** None where it does not do the task. */
  variants(task: Task): readonly Variant[];
  prepare<T extends Task>(task: T, variant: Variant, data: TaskData<T>): Promise<Prepared>;
}

/** The variant of an engine that stores f32 weights: those of `normal`. */
export const storedVariant = (task: Task): Variant => ({
  weights: 'f32',
  distribution: 'normal',
  weightBytes: task.kind === 'forward' ? 4 * task.k * task.n : 0,
});
