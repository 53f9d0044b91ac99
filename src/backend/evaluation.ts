/** Evaluations of a graph: what both backends need to know before they run one, and one that is run once. */
import type { Graph } from '../graph/graph.ts';
import { neededNodes } from '../graph/needed.ts';
import type { Value } from '../graph/value.ts';
import type { Backend } from './backend.ts';

export interface Evaluation {
  /** Results of nodes that are given instead of computed. */
  readonly known: readonly Value[];
  /** The given values that are read. */
  readonly read: readonly (readonly [Value, Float32Array | Uint32Array])[];
}

export function evaluationOf(
  graph: Graph,
  given: ReadonlyMap<Value, Float32Array | Uint32Array>,
  outputs: readonly Value[],
): Evaluation {
  const known = [...given.keys()].filter(({ role }) => role === 'result');
  const nodes = neededNodes(graph, new Set(known), outputs, false);
  const reads = new Set([...outputs, ...nodes.flatMap((node) => node.reads)]);
  return { known, read: [...given].filter(([value]) => reads.has(value)) };
}

/** Computes the outputs once (`Backend.evaluator`). */
export async function evaluateOnce(
  backend: Pick<Backend, 'evaluator'>,
  graph: Graph,
  given: ReadonlyMap<Value, Float32Array | Uint32Array>,
  outputs: readonly Value[],
): Promise<ReadonlyMap<Value, Float32Array<ArrayBuffer>>> {
  const evaluator = await backend.evaluator(graph, given, outputs);
  try {
    return await evaluator.run();
  } finally {
    evaluator.dispose();
  }
}
