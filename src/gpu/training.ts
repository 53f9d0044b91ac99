/** Training on the GPU: parameters, optimizer states and data sets on the device. */
import { type EpochPassOptions, startingStates, type Training, type TrainingOptions } from '../backend/training.ts';
import type { DataSet } from '../data/dataset.ts';
import type { Model } from '../model/model.ts';
import type { DeviceContext } from './device.ts';
import { GpuEpochPass } from './epoch-pass.ts';
import { downloadParameters, uploadParameters } from './parameters.ts';
import { computePrefix } from './prefix.ts';
import { type DeviceRows, disposeRows, uploadFeatures, uploadTargets } from './rows.ts';

export class GpuTraining implements Training {
  readonly #context: DeviceContext;
  readonly #model: Model;
  readonly #options: TrainingOptions;
  /** Parameters and optimizer states by name. */
  readonly #buffers: ReadonlyMap<string, GPUBuffer>;
  /** Numbers of each optimizer state. */
  readonly #states: readonly (readonly [name: string, length: number])[];
  readonly #rows: DeviceRows[] = [];
  readonly #passes: GpuEpochPass[] = [];

  private constructor(
    context: DeviceContext,
    model: Model,
    options: TrainingOptions,
    buffers: ReadonlyMap<string, GPUBuffer>,
    states: readonly (readonly [name: string, length: number])[],
  ) {
    this.#context = context;
    this.#model = model;
    this.#options = options;
    this.#buffers = buffers;
    this.#states = states;
  }

  static async create(context: DeviceContext, model: Model, options: TrainingOptions): Promise<GpuTraining> {
    const states = startingStates(options.batch(1, true).graph, options.states);
    const buffers = await uploadParameters(context, [...model.parameters, ...states, ...(options.constants ?? [])]);
    const lengths = states.map(([name, { length }]) => [name, length] as const);
    return new GpuTraining(context, model, options, buffers, lengths);
  }

  async epochPass(data: DataSet, { batchSize, update, onRows }: EpochPassOptions): Promise<GpuEpochPass> {
    const { batch, prefix, signal } = this.#options;
    const context = this.#context;
    const parameters = this.#buffers;
    const source = prefix
      ? await prefix.cache.get(
          data,
          prefix.key,
          () => computePrefix(context, prefix, data, parameters, { onRows, signal }),
          (made) => disposeRows(context, made),
        )
      : this.#keep(uploadFeatures(context, data));
    const pass = await GpuEpochPass.create(context, {
      batchSize,
      source,
      targets: this.#keep(uploadTargets(context, data)),
      parameters,
      batch: (rows) => batch(rows, update),
    });
    this.#passes.push(pass);
    return pass;
  }

  #keep(rows: DeviceRows): DeviceRows {
    this.#rows.push(rows);
    return rows;
  }

  async download(states?: Map<string, Float32Array<ArrayBuffer>>): Promise<void> {
    const { parameters } = this.#model;
    const lengths = [...parameters].map(([name, { length }]) => [name, length] as const);
    const read = await downloadParameters(this.#context, this.#buffers, [...lengths, ...(states ? this.#states : [])]);
    for (const [name, numbers] of read) (parameters.has(name) ? parameters : states!).set(name, numbers);
  }

  dispose(): void {
    for (const pass of this.#passes) pass.dispose();
    for (const rows of this.#rows) disposeRows(this.#context, rows);
    this.#context.destroyBuffers(this.#buffers.values());
  }
}
