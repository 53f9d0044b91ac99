/** Finds the part of a graph that has to be computed. */
import type { Graph } from './graph.ts';
import type { Node } from './ops.ts';
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
    const made = node.makes;
    if (made.length ? made.every((value) => !needed.has(value) || given.has(value)) : !update) continue;
    nodes.push(node);
    for (const value of node.reads) needed.add(value);
  }
  return nodes.reverse();
}
