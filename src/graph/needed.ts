/** What of a graph has to be computed. */
import { type Graph, inputsOf, type Node, outputsOf, type Value } from './graph.ts';

/** The nodes that make these outputs out of what is given, in order; updates too where they are wanted. */
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
