/** Reverse-mode differentiation, and what stays constant while parameters train. */
import { ShapeError } from '../core/errors.ts';
import { apply } from './every-op.ts';
import { gradients as rules } from './gradients.ts';
import type { Graph } from './graph.ts';
import type { Node, Op } from './ops.ts';
import type { Value } from './value.ts';

/** Values that depend on trained parameters, through which gradients have to flow. */
export const trainedValues = (graph: Graph): Set<Value> => valuesBehind(graph, () => false);

/** Values that depend, directly or indirectly, on a trained parameter. */
function valuesBehind(graph: Graph, starts: (node: Node) => boolean): Set<Value> {
  const moving = new Set(graph.values.filter((value) => value.trained));
  for (const node of graph.nodes) {
    const moves = starts(node) || node.reads.some((value) => moving.has(value));
    if (moves) for (const value of node.makes) moving.add(value);
  }
  return moving;
}

/**
 * Adds the nodes that carry `gradient` (of the loss with respect to `output`) back to every trained parameter, and
 * returns their gradients. Constants are not differentiated: nothing passes below the lowest trained layer. Throws
 * `ShapeError` for an operation without a gradient.
 */
export function differentiate(graph: Graph, output: Value, gradient: Value): Map<Value, Value> {
  const moving = trainedValues(graph);
  const gradients = new Map<Value, Value>([[output, gradient]]);
  for (const node of graph.nodes.slice().reverse()) {
    const [made] = node.makes;
    const d = made && gradients.get(made);
    if (!d) continue;
    for (const [name, make] of Object.entries(gradientOf(graph, node, d))) {
      const value = (node as unknown as Record<string, Value | undefined>)[name];
      if (!value || !moving.has(value)) continue;
      const other = gradients.get(value); // from another reader: gradients of several readers add up
      gradients.set(value, other ? apply(graph, 'add', { a: other, b: make() }).c : make());
    }
  }
  return new Map([...gradients].filter(([value]) => value.trained));
}

function gradientOf(graph: Graph, node: Node, d: Value): Record<string, () => Value> {
  const rule = rules[node.op] as ((graph: Graph, node: Node, d: Value) => Record<string, () => Value>) | null;
  if (!rule) throw new ShapeError(`differentiate: '${node.op satisfies Op}' has no gradient`);
  return rule(graph, node, d);
}

/**
 * The frozen prefix: values that changing nodes read and that depend only on the input x. They stay constant during
 * training, so one pass over the data set computes them once and for all. x itself is one of them if a changing node
 * reads it. Dropout counts as a change.
 */
export function frozenPrefix(graph: Graph, x: Value): Value[] {
  const moving = valuesBehind(graph, ({ op }) => op === 'dropout');
  const made = new Set([x]);
  const read = new Set<Value>();
  for (const node of graph.nodes) {
    const outputs = node.makes;
    const constant = outputs.length > 0 && outputs.every((value) => !moving.has(value));
    for (const value of node.reads) {
      if (!made.has(value)) continue;
      if (constant) for (const output of outputs) made.add(output);
      else read.add(value);
    }
  }
  return [...read];
}
