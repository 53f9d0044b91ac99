/** Training as graph: losses, reverse-mode differentiation, optimizer steps, and what stays constant meanwhile. */
import { ShapeError } from '../core/errors.ts';
import { fieldsInputGradient } from './fields.ts';
import {
  addValue,
  expectShape,
  type Graph,
  inputsOf,
  matmul,
  matrix,
  type Node,
  outputsOf,
  randomMatmulTransposed,
  result,
  type Value,
} from './graph.ts';
import { add, inputGradients, weightGradient } from './images.ts';

function state(graph: Graph, name: string, like: Value): Value {
  return addValue(graph, { name, shape: like.shape, dtype: 'f32', role: 'state', trained: false });
}

/** The loss of each row and, beside it, its gradient with respect to the logits (made in the same pass). */
export function softmaxCrossEntropy(graph: Graph, logits: Value, labels: Value): { loss: Value; gradient: Value } {
  const [m, n] = matrix('softmaxCrossEntropy', logits);
  expectShape('softmaxCrossEntropy', labels, [m]);
  if (labels.dtype !== 'u32') throw new ShapeError(`softmaxCrossEntropy: expected u32 labels, got ${labels.dtype}`);
  const loss = result(graph, 'loss', [m, 2]);
  const dlogits = result(graph, 'dlogits', [m, n]);
  graph.nodes.push({ op: 'softmaxCrossEntropy', logits, labels, loss, dlogits });
  return { loss, gradient: dlogits };
}

export function meanSquaredError(graph: Graph, y: Value, targets: Value): { loss: Value; gradient: Value } {
  const [m, n] = matrix('meanSquaredError', y);
  expectShape('meanSquaredError', targets, [m, n]);
  const loss = result(graph, 'loss', [m, 2]);
  const dy = result(graph, 'dy', [m, n]);
  graph.nodes.push({ op: 'meanSquaredError', y, targets, loss, dy });
  return { loss, gradient: dy };
}

/** How parameters follow their gradients. The learning rate is given at each step. */
export type Optimizer =
  | { readonly kind: 'adam'; readonly beta1: number; readonly beta2: number; readonly epsilon: number }
  | { readonly kind: 'sgd'; readonly momentum: number };

/** Adds the step of one parameter and the states that it needs. */
export function update(graph: Graph, optimizer: Optimizer, parameter: Value, gradient: Value): void {
  expectShape(optimizer.kind, gradient, parameter.shape);
  if (optimizer.kind === 'adam') {
    const { beta1, beta2, epsilon } = optimizer;
    const moment1 = state(graph, `${parameter.name}.moment1`, parameter);
    const moment2 = state(graph, `${parameter.name}.moment2`, parameter);
    graph.nodes.push({ op: 'adam', parameter, gradient, moment1, moment2, beta1, beta2, epsilon });
  } else {
    const velocity = state(graph, `${parameter.name}.velocity`, parameter);
    graph.nodes.push({ op: 'sgd', parameter, gradient, velocity, momentum: optimizer.momentum });
  }
}

/** Values that change when the trained parameters do: what a gradient has to pass through. */
export const trainedValues = (graph: Graph): Set<Value> => valuesBehind(graph, () => false);

/** Values that depend on a trained parameter or on what such a node makes. */
function valuesBehind(graph: Graph, starts: (node: Node) => boolean): Set<Value> {
  const moving = new Set(graph.values.filter((value) => value.trained));
  for (const node of graph.nodes) {
    const moves = starts(node) || inputsOf(node).some((value) => moving.has(value));
    if (moves) for (const value of outputsOf(node)) moving.add(value);
  }
  return moving;
}

/**
 * Reverse-mode differentiation: adds the nodes that carry `gradient` (of the loss with respect to `output`) back to every
 * trained parameter, and returns their gradients. Constants are not differentiated: nothing passes below the lowest
 * trained layer.
 */
export function differentiate(graph: Graph, output: Value, gradient: Value): Map<Value, Value> {
  const moving = trainedValues(graph);
  const gradients = new Map<Value, Value>([[output, gradient]]);
  const pass = (value: Value, make: () => Value) => {
    if (!moving.has(value)) return;
    const other = gradients.get(value); // of another reader: where paths part, their gradients add up
    gradients.set(value, other ? add(graph, other, make()) : make());
  };
  for (const node of graph.nodes.slice().reverse()) {
    const [made] = outputsOf(node);
    const d = made && gradients.get(made);
    if (!d) continue;
    switch (node.op) {
      case 'epilogue': {
        const { z, u, b, activation } = node;
        if (b.trained || u?.trained) {
          const du = u && result(graph, `d${u.name}`, u.shape);
          const db = result(graph, `d${b.name}`, b.shape);
          graph.nodes.push({ op: 'epilogueParameterGradient', z, u, b, activation, dy: d, du, db });
          if (u && du) pass(u, () => du);
          pass(b, () => db);
        }
        pass(z, () => {
          const dz = result(graph, `d${z.name}`, z.shape);
          graph.nodes.push({ op: 'epilogueInputGradient', z, u, b, activation, dy: d, dz });
          return dz;
        });
        break;
      }
      case 'randomMatmul':
        pass(node.x, () => randomMatmulTransposed(graph, d, node.weights, matrix('randomMatmul', node.x)[1]));
        break;
      case 'matmul': {
        const { a, b, transposeA, transposeB } = node;
        if (transposeA) throw new ShapeError('differentiate: matmul with a transposed left side is not supported');
        pass(a, () => matmul(graph, d, b, false, !transposeB));
        pass(b, () => (transposeB ? matmul(graph, d, a, true) : matmul(graph, a, d, true)));
        break;
      }
      case 'randomFields':
        pass(node.x, () => fieldsInputGradient(graph, node, d));
        break;
      case 'randomConv':
        pass(node.x, () => inputGradients.randomConv(graph, node, d));
        break;
      case 'conv':
        pass(node.x, () => inputGradients.conv(graph, node, d));
        pass(node.w, () => weightGradient(graph, node, d));
        break;
      case 'maxPool':
        pass(node.x, () => inputGradients.maxPool(graph, node, d));
        break;
      case 'averagePool':
        pass(node.x, () => inputGradients.averagePool(graph, node, d));
        break;
      case 'dropout':
        pass(node.x, () => inputGradients.dropout(graph, node, d));
        break;
      case 'add':
        pass(node.a, () => d);
        pass(node.b, () => d);
        break;
      default:
        throw new ShapeError(`differentiate: no gradient of '${node.op}'`);
    }
  }
  return new Map([...gradients].filter(([value]) => value.trained));
}

/**
 * The frozen prefix: constants of the data that changing nodes read, computed from the input x alone. While the parameters
 * train they do not change, so they can be computed once for a data set. x itself is among them where a changing node reads it.
 * What a dropout makes changes too.
 */
export function frozenPrefix(graph: Graph, x: Value): Value[] {
  const moving = valuesBehind(graph, ({ op }) => op === 'dropout');
  const made = new Set([x]);
  const read = new Set<Value>();
  for (const node of graph.nodes) {
    const outputs = outputsOf(node);
    const constant = outputs.length > 0 && outputs.every((value) => !moving.has(value));
    for (const value of inputsOf(node)) {
      if (!made.has(value)) continue;
      if (constant) for (const output of outputs) made.add(output);
      else read.add(value);
    }
  }
  return [...read];
}
