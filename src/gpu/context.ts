/** The WebGPU backend. */
import type { Backend, Evaluator } from '../backend/backend.ts';
import type { Training, TrainingOptions } from '../backend/training.ts';
import { onDemand } from '../core/on-demand.ts';
import type { Graph } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import type { Model } from '../model/model.ts';
import { DeviceContext } from './device.ts';
import { compileForward, GpuForward } from './forward.ts';

/** Runs and trains models on a GPUDevice, which it owns or borrows. */
export class Context extends DeviceContext implements Backend {
  readonly backend = 'webgpu';

  compile(model: Model): Promise<void> {
    return compileForward(this, model);
  }

  forward(model: Model): Promise<GpuForward> {
    return GpuForward.create(this, model);
  }

  async evaluator(
    graph: Graph,
    given: ReadonlyMap<Value, Float32Array | Uint32Array>,
    outputs: readonly Value[],
  ): Promise<Evaluator> {
    return (await onDemand(import('./evaluator.ts'))).createEvaluator(this, graph, given, outputs);
  }

  async training(model: Model, options: TrainingOptions): Promise<Training> {
    return (await onDemand(import('./training.ts'))).GpuTraining.create(this, model, options);
  }
}
