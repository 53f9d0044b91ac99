/** What both backends need to know of an evaluation before they run it. */
import type { Graph } from '../graph/graph.ts';
import { neededNodes } from '../graph/needed.ts';
import { inputsOf } from '../graph/ops.ts';
import type { Value } from '../graph/value.ts';

export interface Evaluation {
  /** Results of nodes that are given instead of computed. */
  readonly known: readonly Value[];
  /** The given values that are read. */
  readonly read: readonly (readonly [Value, Float32Array])[];
}

export function evaluationOf(
  graph: Graph,
  given: ReadonlyMap<Value, Float32Array>,
  outputs: readonly Value[],
): Evaluation {
  const known = [...given.keys()].filter(({ role }) => role === 'result');
  const nodes = neededNodes(graph, new Set(known), outputs, false);
  const reads = new Set([...outputs, ...nodes.flatMap((node) => inputsOf(node))]);
  return { known, read: [...given].filter(([value]) => reads.has(value)) };
}
