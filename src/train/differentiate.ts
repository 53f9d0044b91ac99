/** Training as graph: losses, reverse-mode differentiation, optimizer steps, and what stays constant meanwhile. */
import { ShapeError } from '../errors.ts';
import {
  addValue,
  expectShape,
  type Graph,
  inputsOf,
  matmul,
  matrix,
  outputsOf,
  randomMatmulTransposed,
  result,
  type Value,
} from '../graph.ts';

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
export function trainedValues(graph: Graph): Set<Value> {
  const moving = new Set(graph.values.filter((value) => value.trained));
  for (const node of graph.nodes) {
    if (inputsOf(node).some((value) => moving.has(value))) for (const value of outputsOf(node)) moving.add(value);
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
    if (gradients.has(value)) {
      throw new ShapeError(`differentiate: '${value.name}' is used twice; a graph with branches is not supported`);
    }
    gradients.set(value, make());
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
      default:
        throw new ShapeError(`differentiate: no gradient of '${node.op}'`);
    }
  }
  return new Map([...gradients].filter(([value]) => value.trained));
}

/**
 * The frozen prefix: constants of the data that trained nodes read, computed from the input alone. While the parameters
 * train they do not change, so they can be computed once for a data set. Empty where the input itself is all there is.
 */
export function frozenPrefix(graph: Graph): Value[] {
  const moving = trainedValues(graph);
  const reading = graph.nodes.filter(
    (node) => outputsOf(node).length === 0 || outputsOf(node).some((v) => moving.has(v)),
  );
  const read = new Set(reading.flatMap(inputsOf));
  return [...read].filter((value) => value.role === 'result' && !moving.has(value) && dependsOnInput(graph, value));
}

function dependsOnInput(graph: Graph, value: Value): boolean {
  const node = graph.nodes.find((candidate) => outputsOf(candidate).includes(value));
  if (!node) return value.role === 'input';
  return inputsOf(node).some((read) => dependsOnInput(graph, read));
}
