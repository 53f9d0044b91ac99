/** Runs a graph on the float64 twins. Tests compare it with the same graph on the backends. */
import { ShapeError } from '../core/errors.ts';
import { everyOp } from '../graph/every-op.ts';
import type { Graph } from '../graph/graph.ts';
import type { MadeBy, NodeOf, Op } from '../graph/ops.ts';
import { elements, size, type Value } from '../graph/value.ts';
import { adam } from './adam.ts';
import { add } from './add.ts';
import { averagePool } from './average_pool.ts';
import { averagePoolGradient } from './average_pool_gradient.ts';
import { classWeights } from './class_weights.ts';
import { conv } from './conv.ts';
import { convInputGradient } from './conv_input_gradient.ts';
import { convWeightGradient } from './conv_weight_gradient.ts';
import { dropout } from './dropout.ts';
import { elementwiseLoss } from './elementwise_loss.ts';
import { epilogue } from './epilogue.ts';
import { epilogueInputGradient } from './epilogue_input_gradient.ts';
import { epilogueParameterGradient } from './epilogue_parameter_gradient.ts';
import { gram } from './gram.ts';
import { matmul } from './matmul.ts';
import { maxPool } from './max_pool.ts';
import { maxPoolGradient } from './max_pool_gradient.ts';
import { multiply } from './multiply.ts';
import { randomConv } from './random_conv.ts';
import { randomConvTransposed } from './random_conv_transposed.ts';
import { randomFields } from './random_fields.ts';
import { randomFieldsTransposed } from './random_fields_transposed.ts';
import { randomKernels } from './random_kernels.ts';
import { randomMatmul } from './random_matmul.ts';
import { randomMatmulTransposed } from './random_matmul_transposed.ts';
import { sgd } from './sgd.ts';
import { softmaxCrossEntropy } from './softmax_cross_entropy.ts';

/** What a twin works with. */
interface Site {
  /** The numbers of a value. Throws `ShapeError` for a value that has none yet. */
  of(value: Value): Float64Array;
  readonly learningRate: number;
  /** Counts from 1. */
  readonly step: number;
}

/** The numbers of what a node makes, by the names of its declaration; others are ignored. */
type Twin<O extends Op> = (node: NodeOf<O>, site: Site) => { readonly [N in keyof MadeBy<O>]: Float64Array };

/** Every operation by its twin. */
const twins: { readonly [O in Op]: Twin<O> } = {
  randomMatmul: ({ x, z, weights }, { of }) => ({
    z: randomMatmul({ m: size(x, 0), k: size(x, 1), n: size(z, 1), weights, x: of(x) }),
  }),
  randomMatmulTransposed: ({ dz, dx, weights }, { of }) => ({
    dx: randomMatmulTransposed({ m: size(dz, 0), k: size(dx, 1), n: size(dz, 1), weights, dz: of(dz) }),
  }),
  randomFields: ({ x, z, weights }, { of }) => ({
    z: randomFields({ m: size(x, 0), n: size(z, 1), weights, x: of(x) }),
  }),
  randomFieldsTransposed: ({ dz, weights }, { of }) => ({
    dx: randomFieldsTransposed({ m: size(dz, 0), n: size(dz, 1), weights, dz: of(dz) }),
  }),
  randomKernels: ({ x, b, weights, units, pools }, { of }) => ({
    y: randomKernels({ m: size(x, 0), n: units, weights, pools, x: of(x), b: of(b) }),
  }),
  matmul({ a, b, c, transposeA = false, transposeB = false }, { of }) {
    const sizes = { m: size(c, 0), k: size(a, transposeA ? 0 : 1), n: size(c, 1) };
    return { c: matmul({ ...sizes, transposeA, transposeB, a: of(a), b: of(b) }) };
  },
  epilogue: (node, { of }) => ({ y: epilogue(epilogueArgs(node, of)) }),
  epilogueInputGradient: (node, { of }) => ({
    dz: epilogueInputGradient({ ...epilogueArgs(node, of), dy: of(node.dy) }),
  }),
  epilogueParameterGradient: (node, { of }) =>
    epilogueParameterGradient({ ...epilogueArgs(node, of), dy: of(node.dy) }),
  softmaxCrossEntropy: ({ logits, labels }, { of }) =>
    softmaxCrossEntropy({ m: size(logits, 0), n: size(logits, 1), logits: of(logits), labels: of(labels) }),
  elementwiseLoss: ({ kind, y, targets }, { of }) =>
    elementwiseLoss({ kind, m: size(y, 0), n: size(y, 1), y: of(y), targets: of(targets) }),
  classWeights: ({ loss, gradient, labels, weights }, { of }) =>
    classWeights({
      ...{ m: size(gradient, 0), n: size(gradient, 1), labels: of(labels), weights: of(weights) },
      ...{ loss: of(loss), gradient: of(gradient) },
    }),
  randomConv: ({ x, window, filters, weights }, { of }) => ({
    z: randomConv({ rows: size(x, 0), window, filters, weights, x: of(x) }),
  }),
  randomConvTransposed: ({ dz, window, filters, weights }, { of }) => ({
    dx: randomConvTransposed({ rows: size(dz, 0), window, filters, weights, dz: of(dz) }),
  }),
  conv: ({ x, w, window, filters }, { of }) => ({
    z: conv({ rows: size(x, 0), window, filters, x: of(x), w: of(w) }),
  }),
  convInputGradient: ({ dz, w, window, filters }, { of }) => ({
    dx: convInputGradient({ rows: size(dz, 0), window, filters, dz: of(dz), w: of(w) }),
  }),
  convWeightGradient: ({ x, dz, window, filters }, { of }) => ({
    dw: convWeightGradient({ rows: size(x, 0), window, filters, x: of(x), dz: of(dz) }),
  }),
  maxPool: ({ x, window }, { of }) => maxPool({ rows: size(x, 0), window, x: of(x) }),
  maxPoolGradient: ({ x, dy, window }, { of }) => ({
    dx: maxPoolGradient({ rows: size(x, 0), window, x: of(x), dy: of(dy) }),
  }),
  averagePool: ({ x, window }, { of }) => ({ y: averagePool({ rows: size(x, 0), window, x: of(x) }) }),
  averagePoolGradient: ({ dy, window }, { of }) => ({
    dx: averagePoolGradient({ rows: size(dy, 0), window, dy: of(dy) }),
  }),
  dropout: ({ x, rate, mask }, { of, step }) => ({ y: dropout({ rate, mask, step: step - 1, x: of(x) }) }),
  add: ({ a, b }, { of }) => ({ c: add({ a: of(a), b: of(b) }) }),
  multiply: ({ a, b }, { of }) => ({ c: multiply({ a: of(a), b: of(b) }) }),
  gram: ({ x }, { of }) => ({ g: gram({ m: size(x, 0), n: size(x, 1), x: of(x) }) }),
  adam({ parameter, gradient, moment1, moment2, beta1, beta2, epsilon, weightDecay }, { of, learningRate, step }) {
    const states = { value: of(parameter), moment1: of(moment1), moment2: of(moment2) };
    adam({ beta1, beta2, epsilon, weightDecay, learningRate, step, gradient: of(gradient), ...states });
    return {};
  },
  sgd({ parameter, gradient, velocity, momentum }, { of, learningRate }) {
    sgd({ momentum, learningRate, value: of(parameter), gradient: of(gradient), velocity: of(velocity) });
    return {};
  },
};

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
    const of = (value: Value): Float64Array => {
      const found = value.role === 'zeros' ? new Float64Array(elements(value)) : values.get(value);
      if (!found) throw new ShapeError(`${node.op}: expected numbers for '${value.name}', got none`);
      return found;
    };
    for (const value of node.reads) of(value);
    const made = (twins[node.op] as Twin<Op>)(node, { of, learningRate, step }) as Record<string, Float64Array>;
    for (const name of Object.keys(everyOp[node.op].makes)) {
      const value = (node as unknown as Record<string, Value | undefined>)[name];
      if (!value) continue;
      const result = made[name]!;
      if (result.length !== elements(value)) {
        throw new ShapeError(
          `${node.op}: expected ${elements(value)} numbers of '${value.name}', got ${result.length}`,
        );
      }
      values.set(value, result);
    }
  }
}

type EpilogueNode = NodeOf<'epilogue' | 'epilogueInputGradient' | 'epilogueParameterGradient'>;

const epilogueArgs = ({ z, u, b, activation }: EpilogueNode, of: Site['of']) => ({
  m: elements(z) / elements(b),
  n: elements(b),
  z: of(z),
  u: u && of(u),
  b: of(b),
  activation,
});
