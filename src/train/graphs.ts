/** The graphs of a model for a batch: to train it, to evaluate it, and its frozen prefix. */

import type { PlanOptions } from '../gpu/plan.ts';
import { differentiate, frozenPrefix } from '../graph/differentiate.ts';
import type { Graph } from '../graph/graph.ts';
import { type Loss, losses } from '../graph/losses.ts';
import { type Optimizer, update } from '../graph/optimizers.ts';
import type { Value } from '../graph/value.ts';
import { forwardGraph, type Model } from '../model/model.ts';
import type { BatchGraph } from './sweep.ts';

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
  const answers = losses[kind].targets(graph, output);
  const { loss, gradient } = losses[kind].add(graph, output, answers);
  if (optimizer) {
    for (const [value, d] of differentiate(graph, output, gradient)) update(graph, optimizer, value, d);
  }
  const updates = optimizer !== undefined;
  // In order: rows of the frozen prefix are computed in other batches, and must be the same bits.
  const planned: PlanOptions = {
    given: [source],
    outputs: [loss],
    update: updates,
    inOrder: true,
  };
  return { graph, planned, source, answers, loss };
}
