/** The graphs of a model for a batch: to train it, to evaluate it, and its frozen prefix. */

import type { BatchGraph, PrefixGraph } from '../backend/training.ts';
import { differentiate, frozenPrefix } from '../graph/differentiate.ts';
import type { Graph } from '../graph/graph.ts';
import { type Loss, losses, weightedCrossEntropy } from '../graph/losses.ts';
import { type Optimizer, update } from '../graph/optimizers.ts';
import { elements, type Value } from '../graph/value.ts';
import { forwardGraph, type Model } from '../model/model.ts';

/**
 * The value below which nothing changes in training: the last random product of the frozen layers, or the input itself, also
 * where changing layers read several constants. A frozen epilogue behind that product is cheap, and without it a half and a
 * random network have the same prefix. The graph is one of training or evaluation: dropout counts as a change.
 */
export function prefixValue(graph: Graph, x: Value): Value {
  const [value = x, ...others] = frozenPrefix(graph, x);
  if (others.length) return x;
  const maker = graph.nodes.find((node) => node.op === 'epilogue' && node.y === value);
  return maker?.op === 'epilogue' ? maker.z : value;
}

/** The graph of the frozen prefix of `rows` rows. */
export function prefixGraph(model: Model, rows: number): PrefixGraph {
  const { graph, x } = forwardGraph(model, rows, 'evaluate');
  return { graph, x, value: prefixValue(graph, x) };
}

/** Bytes of the cached prefix of `rows` rows; 0 where the model has none. */
export function prefixBytes(model: Model, rows: number): number {
  const { x, value } = prefixGraph(model, 1);
  return value === x ? 0 : 4 * rows * elements(value);
}

/**
 * Everything that a prefix of one random product depends on beside the data. Undefined for a deeper prefix, which depends on scales and
 * biases too: models do not share it.
 */
export function prefixKey(model: Model): string | undefined {
  const { graph, x, layers } = forwardGraph(model, 1, 'evaluate');
  const [first] = layers;
  if (first?.z === undefined || prefixValue(graph, x) !== first.z) return undefined;
  const { activation: _, trained: __, ...product } = first.spec as { activation?: unknown; trained?: unknown };
  return JSON.stringify([String(model.seed), model.input, product]);
}

export interface BatchGraphOptions {
  readonly loss: Loss;
  readonly optimizer?: Optimizer;
  readonly cached: boolean;
  /** Whether each row counts by the weight of its class; for cross-entropy. */
  readonly weighted?: boolean;
}

/**
 * Loss, gradients and optimizer step (none without an optimizer) of a batch of `rows`. With `cached`, the batch holds rows
 * of the frozen prefix instead of the input.
 */
export function batchGraph(
  model: Model,
  rows: number,
  { loss: kind, optimizer, cached, weighted }: BatchGraphOptions,
): BatchGraph {
  const { graph, x, output } = forwardGraph(model, rows, optimizer ? 'train' : 'evaluate');
  const source = cached ? prefixValue(graph, x) : x;
  const targets = losses[kind].targets(graph, output);
  const { loss, gradient } = (weighted ? weightedCrossEntropy : losses[kind].add)(graph, output, targets);
  if (optimizer) {
    for (const [value, d] of differentiate(graph, output, gradient)) update(graph, optimizer, value, d);
  }
  return { graph, source, targets, loss, update: optimizer !== undefined };
}
