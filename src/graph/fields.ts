/** Nodes of random receptive fields: a product with a matrix that is 0 beyond the window of each unit. */

import type { FieldSpec } from '../weights/fields.ts';
import { expectShape, type Graph, matrix, type Node, result, type Value } from './graph.ts';

export function randomFields(graph: Graph, x: Value, weights: FieldSpec, units: number): Value {
  const [m] = matrix('randomFields', x);
  const { height, width, channels } = weights.image;
  expectShape('randomFields', x, [m, height * width * channels]);
  const z = result(graph, `${x.name} r`, [m, units]);
  graph.nodes.push({ op: 'randomFields', x, weights, z });
  return z;
}

/** The gradient of x, from that of z. */
export function fieldsInputGradient(
  graph: Graph,
  { x, weights }: Extract<Node, { op: 'randomFields' }>,
  dz: Value,
): Value {
  const dx = result(graph, `d${x.name}`, x.shape);
  graph.nodes.push({ op: 'randomFieldsTransposed', dz, weights, dx });
  return dx;
}
