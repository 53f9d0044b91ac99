/** The WebGPU backend. */
import type { Backend } from '../backend/backend.ts';
import { evaluationOf } from '../backend/evaluation.ts';
import type { Training, TrainingOptions } from '../backend/training.ts';
import { onDemand } from '../core/on-demand.ts';
import type { Graph } from '../graph/graph.ts';
import { elements, type Value } from '../graph/value.ts';
import type { Model } from '../model/model.ts';
import { readFloats, uploadBuffer } from './buffers.ts';
import { DeviceContext, guarded } from './device.ts';
import { compileForward, GpuForward } from './forward.ts';
import { loweringsFor } from './lower/families.ts';
import { createPlan } from './plan.ts';
import { Run } from './run.ts';

/** Runs and trains models on a GPUDevice, which it owns or borrows. */
export class Context extends DeviceContext implements Backend {
  readonly backend = 'webgpu';

  compile(model: Model): Promise<void> {
    return compileForward(this, model);
  }

  forward(model: Model): Promise<GpuForward> {
    return GpuForward.create(this, model);
  }

  async evaluate(
    graph: Graph,
    given: ReadonlyMap<Value, Float32Array>,
    outputs: readonly Value[],
  ): Promise<Map<Value, Float32Array>> {
    const { known, read } = evaluationOf(graph, given, outputs);
    const buffers = await guarded(
      this,
      'uploading values',
      () => new Map(read.map(([value, numbers]) => [value, uploadBuffer(this, numbers, value.name)])),
    );
    let run: Run | undefined;
    try {
      // Not tuned: a graph is evaluated once.
      const plan = createPlan(graph, await loweringsFor(graph.nodes), { given: known, outputs, ...this.choice });
      const made = await Run.create(this, plan, { buffers });
      run = made;
      await guarded(this, 'evaluating a graph', () => made.submit());
      const read = (value: Value) => readFloats(this, made.buffer(value) as GPUBuffer, elements(value));
      const results = await Promise.all(outputs.map(read));
      return new Map(outputs.map((value, i) => [value, results[i]!]));
    } finally {
      run?.dispose();
      this.destroyBuffers(buffers.values());
    }
  }

  async training(model: Model, options: TrainingOptions): Promise<Training> {
    return (await onDemand(import('./training.ts'))).GpuTraining.create(this, model, options);
  }
}
