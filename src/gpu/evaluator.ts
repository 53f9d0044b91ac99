/** Graphs that are computed once or over and over, outside of models: for calibration and the solvers. */
import type { Evaluator } from '../backend/backend.ts';
import { evaluationOf } from '../backend/evaluation.ts';
import type { Graph } from '../graph/graph.ts';
import { elements, type Value } from '../graph/value.ts';
import { readFloats, uploadBuffer, writeBuffer } from './buffers.ts';
import { type DeviceContext, guarded } from './device.ts';
import { loweringsFor } from './lower/families.ts';
import { createPlan } from './plan.ts';
import { Run } from './run.ts';

export async function createEvaluator(
  context: DeviceContext,
  graph: Graph,
  given: ReadonlyMap<Value, Float32Array | Uint32Array>,
  outputs: readonly Value[],
): Promise<Evaluator> {
  const { known, read } = evaluationOf(graph, given, outputs);
  const buffers = await guarded(
    context,
    'uploading values',
    () => new Map(read.map(([value, numbers]) => [value, uploadBuffer(context, numbers, value.name)])),
  );
  const free = () => context.destroyBuffers(buffers.values());
  let run: Run;
  try {
    // Not tuned: most graphs are evaluated once.
    const plan = createPlan(graph, await loweringsFor(graph.nodes), { given: known, outputs, ...context.choice });
    run = await Run.create(context, plan, { buffers });
  } catch (error) {
    free();
    throw error;
  }
  return {
    async run(changed = new Map()) {
      await guarded(context, 'evaluating a graph', () => {
        for (const [value, numbers] of changed) {
          const buffer = buffers.get(value);
          if (buffer) writeBuffer(context, buffer, 0, numbers);
        }
        run.submit();
      });
      const read = (value: Value) => readFloats(context, run.buffer(value) as GPUBuffer, elements(value));
      const results = await Promise.all(outputs.map(read));
      return new Map(outputs.map((value, i) => [value, results[i]!]));
    },
    dispose() {
      run.dispose();
      free();
    },
  };
}
