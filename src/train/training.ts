/** What `fit` and `evaluate` ask of a device, and how WebGPU answers. */

import type { CpuContext } from '../cpu/cpu.ts';
import type { DataSet } from '../data/dataset.ts';
import type { Context } from '../gpu/context.ts';
import type { Loss } from '../graph/losses.ts';
import type { Optimizer } from '../graph/optimizers.ts';
import { forwardGraph, type Model } from '../model/model.ts';
import { batchGraph, prefixValue } from './graphs.ts';
import { downloadParameters, uploadParameters } from './parameters.ts';
import { computePrefix, type PrefixCache } from './prefix.ts';
import { type DeviceRows, disposeRows, uploadAnswers, uploadFeatures } from './rows.ts';
import { type Means, Sweep, type SweepRun } from './sweep.ts';

/** What it takes beside a model to go on with its training. */
export interface TrainingState {
  /** Epochs that are done; 0 at the start. */
  epoch: number;
  /** What the optimizer keeps, by name. */
  readonly optimizer: Map<string, Float32Array<ArrayBuffer>>;
}

export interface TrainingOptions {
  readonly loss: Loss;
  /** None: nothing is updated. */
  readonly optimizer?: Optimizer;
  /** Whether the rows of the frozen prefix are computed once for a data set. */
  readonly cached: boolean;
  readonly prefixes: PrefixCache;
  readonly signal?: AbortSignal;
  /** What the optimizer starts from; zeros where there is none. */
  readonly states?: ReadonlyMap<string, Float32Array>;
}

/** A pass over one data set, as often as is wanted. */
export interface DataSweep {
  run(order: Uint32Array, options?: SweepRun): Promise<Means>;
}

/** A model in training: owns what it needs of the device until it is disposed. */
export interface Training {
  sweep(
    data: DataSet,
    options: { batchSize: number; update: boolean; onRows?: (rows: number) => unknown },
  ): Promise<DataSweep>;
  /** Copies the parameters back into the model, and what the optimizer keeps into `states`: all of it, or nothing where reading fails. */
  download(states?: Map<string, Float32Array<ArrayBuffer>>): Promise<void>;
  dispose(): void;
}

export function openTraining(context: Context | CpuContext, model: Model, options: TrainingOptions): Promise<Training> {
  const { loss, optimizer, cached, prefixes, signal, states } = options;
  const build = (rows: number, update: boolean) =>
    batchGraph(model, rows, { loss, cached, ...(update && optimizer && { optimizer }) });
  if (context.backend === 'webgpu') return openOnGpu(context, model, options, build);
  const prefix = (rows: number) => {
    const { graph, x } = forwardGraph(model, rows, 'evaluate');
    return { graph, x, value: prefixValue(graph, x) };
  };
  return context.training(model, {
    build,
    prefix,
    cached,
    prefixes,
    ...(signal && { signal }),
    ...(states && { states }),
  });
}

async function openOnGpu(
  context: Context,
  model: Model,
  { cached, prefixes, signal, states }: TrainingOptions,
  build: (rows: number, update: boolean) => ReturnType<typeof batchGraph>,
): Promise<Training> {
  const { graph } = build(1, true);
  const parameters = await uploadParameters(context, model, graph, states);
  const rows: DeviceRows[] = [];
  const sweeps: Sweep[] = [];
  const keep = (made: DeviceRows) => {
    rows.push(made);
    return made;
  };
  return {
    async sweep(data, { batchSize, update, onRows }) {
      const computed = () =>
        computePrefix(context, model, data, parameters, { ...(onRows && { onRows }), ...(signal && { signal }) });
      const source = cached
        ? await prefixes.get(model, data, computed, (made) => disposeRows(context, made))
        : keep(uploadFeatures(context, data));
      const sweep = await Sweep.create(context, {
        batchSize,
        source,
        answers: keep(uploadAnswers(context, data)),
        parameters,
        build: (count) => build(count, update),
      });
      sweeps.push(sweep);
      return sweep;
    },
    download: (kept) => downloadParameters(context, model, parameters, graph, kept),
    dispose() {
      for (const sweep of sweeps) sweep.dispose();
      for (const made of rows) disposeRows(context, made);
      context.destroyBuffers(parameters.values());
    },
  };
}
