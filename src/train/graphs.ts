/** The graphs of a model for a batch: to train it, to evaluate it, and its frozen prefix. */

import { trainingLaunchers } from '../gpu/lower/training.ts';
import type { PlanOptions } from '../gpu/plan.ts';
import {
  differentiate,
  frozenPrefix,
  meanSquaredError,
  type Optimizer,
  softmaxCrossEntropy,
  update,
} from '../graph/differentiate.ts';
import { type Graph, input, type Value } from '../graph/graph.ts';
import { forwardGraph, type Model } from '../model/model.ts';
import type { BatchGraph } from './sweep.ts';

export type Loss = 'crossEntropy' | 'meanSquaredError';

/**
 * The value below which nothing changes in training: the last random product of the frozen layers, or the input itself, also
 * where changing layers read several constants. A frozen epilogue behind that product is cheap, and without it a half and a
 * random network have the same prefix. The graph is one of training or evaluation: dropout counts as change.
 */
export function prefixValue(graph: Graph, x: Value): Value {
  const [value = x, ...others] = frozenPrefix(graph, x);
  if (others.length) return x;
  const maker = graph.nodes.find((node) => node.op === 'epilogue' && node.y === value);
  return maker?.op === 'epilogue' ? maker.z : value;
}

export interface BatchGraphOptions {
  readonly loss: Loss;
  readonly optimizer?: Optimizer;
  readonly cached: boolean;
}

/**
 * Loss, gradients and optimizer step (none without an optimizer) of a batch of `rows`. With `cached`, the batch holds rows
 * of the frozen prefix instead of the input.
 */
export function batchGraph(
  model: Model,
  rows: number,
  { loss: kind, optimizer, cached }: BatchGraphOptions,
): BatchGraph {
  const { graph, x, output } = forwardGraph(model, rows, optimizer ? 'train' : 'evaluate');
  const source = cached ? prefixValue(graph, x) : x;
  const regression = kind === 'meanSquaredError';
  const answers = regression ? input(graph, 'targets', output.shape) : input(graph, 'labels', [rows], 'u32');
  const { loss, gradient } = (regression ? meanSquaredError : softmaxCrossEntropy)(graph, output, answers);
  if (optimizer) {
    for (const [value, d] of differentiate(graph, output, gradient)) update(graph, optimizer, value, d);
  }
  const updates = optimizer !== undefined;
  // In order: rows of the frozen prefix are computed in other batches, and must be the same bits.
  const planned: PlanOptions = {
    given: [source],
    outputs: [loss],
    update: updates,
    launchers: trainingLaunchers,
    inOrder: true,
  };
  return { graph, planned, source, answers, loss };
}
