/** Finds the part of a graph that has to be computed. */
import type { Graph } from './graph.ts';
import { inputsOf, type Node, outputsOf } from './ops.ts';
import type { Value } from './value.ts';

/**
 * The nodes that compute these outputs from the given values, in order; with `update` also those that update
 * parameters.
 */
export function neededNodes(
  graph: Graph,
  given: ReadonlySet<Value>,
  outputs: readonly Value[],
  update: boolean,
): Node[] {
  const needed = new Set<Value>(outputs);
  const nodes: Node[] = [];
  for (const node of graph.nodes.slice().reverse()) {
    const made = outputsOf(node);
    if (made.length ? made.every((value) => !needed.has(value) || given.has(value)) : !update) continue;
    nodes.push(node);
    for (const value of inputsOf(node)) needed.add(value);
  }
  return nodes.reverse();
}
