/** The gradient of every operation, in terms of other operations. */
import { ShapeError } from '../core/errors.ts';
import { apply } from './every-op.ts';
import type { Graph } from './graph.ts';
import type { NodeOf, Op, ReadBy } from './ops.ts';
import { size, type Value } from './value.ts';

/**
 * For the gradient `d` of a node's result: functions that add the gradient of each value that the node reads. Only
 * those needed for a trained parameter are called, in this order.
 */
type GradientRule<O extends Op> = (
  graph: Graph,
  node: NodeOf<O>,
  d: Value,
) => { readonly [N in ReadBy<O>]?: () => Value };

/** `null`: not differentiable. Losses make their gradient themselves. */
export const gradients: { readonly [O in Op]: GradientRule<O> | null } = {
  randomMatmul: (graph, { x, weights }, dz) => ({
    x: () => apply(graph, 'randomMatmulTransposed', { dz, weights, fanIn: size(x, 1) }).dx,
  }),
  randomMatmulTransposed: null,
  matmul: (graph, { a, b, transposeA, transposeB = false }, d) => {
    if (transposeA) throw new ShapeError('differentiate: matmul with a transposed left side is not supported');
    return {
      a: () => apply(graph, 'matmul', { a: d, b, transposeB: !transposeB }).c,
      b: () => apply(graph, 'matmul', { ...(transposeB ? { a: d, b: a } : { a, b: d }), transposeA: true }).c,
    };
  },
  epilogue: (graph, { z, u, b, activation }, dy) => {
    const args = { z, u, b, activation, dy };
    let made: NodeOf<'epilogueParameterGradient'> | undefined;
    const parameters = () => {
      made ??= apply(graph, 'epilogueParameterGradient', args);
      return made;
    };
    return {
      u: () => parameters().du!,
      b: () => parameters().db,
      z: () => apply(graph, 'epilogueInputGradient', args).dz,
    };
  },
  epilogueInputGradient: null,
  epilogueParameterGradient: null,
  softmaxCrossEntropy: null,
  elementwiseLoss: null,
  classWeights: null,
  randomConv: (graph, { weights, window, filters }, dz) => ({
    x: () => apply(graph, 'randomConvTransposed', { dz, weights, window, filters }).dx,
  }),
  randomConvTransposed: null,
  conv: (graph, { x, w, window, filters }, dz) => ({
    x: () => apply(graph, 'convInputGradient', { dz, w, window, filters }).dx,
    w: () => apply(graph, 'convWeightGradient', { x, dz, window, filters }).dw,
  }),
  convInputGradient: null,
  convWeightGradient: null,
  maxPool: (graph, { x, window }, dy) => ({ x: () => apply(graph, 'maxPoolGradient', { x, dy, window }).dx }),
  maxPoolGradient: null,
  averagePool: (graph, { window }, dy) => ({ x: () => apply(graph, 'averagePoolGradient', { dy, window }).dx }),
  averagePoolGradient: null,
  dropout: (graph, { mask, rate }, dy) => ({ x: () => apply(graph, 'dropout', { x: dy, mask, rate }).y }),
  add: (_, __, d) => ({ a: () => d, b: () => d }),
  multiply: (graph, { a, b }, d) => ({
    a: () => apply(graph, 'multiply', { a: d, b }).c,
    b: () => apply(graph, 'multiply', { a: d, b: a }).c,
  }),
  randomFields: (graph, { weights }, dz) => ({ x: () => apply(graph, 'randomFieldsTransposed', { dz, weights }).dx }),
  randomFieldsTransposed: null,
  gram: null,
  randomKernels: null,
  adam: null,
  sgd: null,
};
