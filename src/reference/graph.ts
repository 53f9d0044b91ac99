/** Runs a graph on the float64 twins. Tests compare it with the same graph on the backends. */
import { ShapeError } from '../core/errors.ts';
import { elements, type Graph, inputsOf, type Node, outputsOf, type Value } from '../graph/graph.ts';
import { adam } from './adam.ts';
import { add } from './add.ts';
import { averagePool } from './average_pool.ts';
import { averagePoolGradient } from './average_pool_gradient.ts';
import { conv } from './conv.ts';
import { convInputGradient } from './conv_input_gradient.ts';
import { convWeightGradient } from './conv_weight_gradient.ts';
import { dropout } from './dropout.ts';
import { epilogue } from './epilogue.ts';
import { epilogueInputGradient } from './epilogue_input_gradient.ts';
import { epilogueParameterGradient } from './epilogue_parameter_gradient.ts';
import { matmul } from './matmul.ts';
import { maxPool } from './max_pool.ts';
import { maxPoolGradient } from './max_pool_gradient.ts';
import { meanSquaredError } from './mean_squared_error.ts';
import { randomConv } from './random_conv.ts';
import { randomConvTransposed } from './random_conv_transposed.ts';
import { randomFields } from './random_fields.ts';
import { randomFieldsTransposed } from './random_fields_transposed.ts';
import { randomMatmul } from './random_matmul.ts';
import { randomMatmulTransposed } from './random_matmul_transposed.ts';
import { sgd } from './sgd.ts';
import { softmaxCrossEntropy } from './softmax_cross_entropy.ts';

/**
 * Evaluates every node in order. `values` maps inputs, parameters and states to their data and receives the results.
 * Updates change parameters and states in place. `step` counts from 1.
 */
export function evaluateGraph(
  graph: Graph,
  values: Map<Value, Float64Array>,
  { learningRate = 0, step = 1 }: { learningRate?: number; step?: number } = {},
): void {
  for (const node of graph.nodes) {
    const results = evaluateNode(node, values, learningRate, step);
    outputsOf(node).forEach((value, i) => {
      const result = results[i]!;
      if (result.length !== elements(value)) {
        throw new ShapeError(
          `${node.op}: expected ${elements(value)} numbers of '${value.name}', got ${result.length}`,
        );
      }
      values.set(value, result);
    });
  }
}

function evaluateNode(
  node: Node,
  values: ReadonlyMap<Value, Float64Array>,
  learningRate: number,
  step: number,
): Float64Array[] {
  const of = (value: Value): Float64Array => {
    const found = values.get(value);
    if (!found) throw new ShapeError(`${node.op}: expected numbers for '${value.name}', got none`);
    return found;
  };
  const size = (value: Value, axis: number) => value.shape[axis] ?? 1;
  for (const value of inputsOf(node)) of(value);
  switch (node.op) {
    case 'randomMatmul': {
      const { x, z, weights } = node;
      return [randomMatmul({ m: size(x, 0), k: size(x, 1), n: size(z, 1), weights, x: of(x) })];
    }
    case 'randomMatmulTransposed': {
      const { dz, dx, weights } = node;
      return [randomMatmulTransposed({ m: size(dz, 0), k: size(dx, 1), n: size(dz, 1), weights, dz: of(dz) })];
    }
    case 'randomFields': {
      const { x, z, weights } = node;
      return [randomFields({ m: size(x, 0), n: size(z, 1), weights, x: of(x) })];
    }
    case 'randomFieldsTransposed': {
      const { dz, weights } = node;
      return [randomFieldsTransposed({ m: size(dz, 0), n: size(dz, 1), weights, dz: of(dz) })];
    }
    case 'matmul': {
      const { a, b, c, transposeA, transposeB } = node;
      const k = size(a, transposeA ? 0 : 1);
      return [matmul({ m: size(c, 0), k, n: size(c, 1), transposeA, transposeB, a: of(a), b: of(b) })];
    }
    case 'epilogue':
      return [epilogue(epilogueArgs(node, of))];
    case 'epilogueInputGradient':
      return [epilogueInputGradient({ ...epilogueArgs(node, of), dy: of(node.dy) })];
    case 'epilogueParameterGradient': {
      const { du, db } = epilogueParameterGradient({ ...epilogueArgs(node, of), dy: of(node.dy) });
      return node.du ? [du, db] : [db];
    }
    case 'softmaxCrossEntropy': {
      const { logits, labels } = node;
      const made = softmaxCrossEntropy({
        m: size(logits, 0),
        n: size(logits, 1),
        logits: of(logits),
        labels: of(labels),
      });
      return [made.loss, made.dlogits];
    }
    case 'meanSquaredError': {
      const { y, targets } = node;
      const made = meanSquaredError({ m: size(y, 0), n: size(y, 1), y: of(y), targets: of(targets) });
      return [made.loss, made.dy];
    }
    case 'randomConv': {
      const { x, window, filters, weights } = node;
      return [randomConv({ rows: size(x, 0), window, filters, weights, x: of(x) })];
    }
    case 'randomConvTransposed': {
      const { dz, window, filters, weights } = node;
      return [randomConvTransposed({ rows: size(dz, 0), window, filters, weights, dz: of(dz) })];
    }
    case 'conv': {
      const { x, w, window, filters } = node;
      return [conv({ rows: size(x, 0), window, filters, x: of(x), w: of(w) })];
    }
    case 'convInputGradient': {
      const { dz, w, window, filters } = node;
      return [convInputGradient({ rows: size(dz, 0), window, filters, dz: of(dz), w: of(w) })];
    }
    case 'convWeightGradient': {
      const { x, dz, window, filters } = node;
      return [convWeightGradient({ rows: size(x, 0), window, filters, x: of(x), dz: of(dz) })];
    }
    case 'maxPool':
      return [maxPool({ rows: size(node.x, 0), window: node.window, x: of(node.x) }).y];
    case 'maxPoolGradient':
      return [maxPoolGradient({ rows: size(node.x, 0), window: node.window, x: of(node.x), dy: of(node.dy) })];
    case 'averagePool':
      return [averagePool({ rows: size(node.x, 0), window: node.window, x: of(node.x) })];
    case 'averagePoolGradient':
      return [averagePoolGradient({ rows: size(node.dy, 0), window: node.window, dy: of(node.dy) })];
    case 'dropout':
      return [dropout({ rate: node.rate, mask: node.mask, step: step - 1, x: of(node.x) })];
    case 'add':
      return [add({ a: of(node.a), b: of(node.b) })];
    case 'adam': {
      const { beta1, beta2, epsilon } = node;
      const [value, gradient, moment1, moment2] = [node.parameter, node.gradient, node.moment1, node.moment2].map(of);
      adam({
        beta1,
        beta2,
        epsilon,
        learningRate,
        step,
        value: value!,
        gradient: gradient!,
        moment1: moment1!,
        moment2: moment2!,
      });
      return [];
    }
    case 'sgd': {
      const { parameter, gradient, velocity, momentum } = node;
      sgd({ momentum, learningRate, value: of(parameter), gradient: of(gradient), velocity: of(velocity) });
      return [];
    }
  }
}

type EpilogueNode = Extract<Node, { op: 'epilogue' | 'epilogueInputGradient' | 'epilogueParameterGradient' }>;

const epilogueArgs = ({ z, u, b, activation }: EpilogueNode, of: (value: Value) => Float64Array) => ({
  m: elements(z) / elements(b),
  n: elements(b),
  z: of(z),
  u: u && of(u),
  b: of(b),
  activation,
});
