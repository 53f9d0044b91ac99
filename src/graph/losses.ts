/** The losses that training minimizes. */
import { ShapeError } from '../core/errors.ts';
import { type ElementwiseLoss, elementwiseLosses } from '../core/losses.ts';
import { apply } from './every-op.ts';
import { type Graph, input, parameter } from './graph.ts';
import { size, type Value } from './value.ts';

/** The name of the value that holds the weight of each class. */
export const CLASS_WEIGHTS = 'class weights';

/** The loss of each row (rows, 2), and its gradient with respect to the outputs, made in the same pass. */
interface Made {
  readonly loss: Value;
  readonly gradient: Value;
}

interface LossRule {
  /** The input with the targets for the outputs (rows, columns). */
  targets(graph: Graph, outputs: Value): Value;
  /** Adds the loss. Throws `ShapeError` for targets of another shape or type. */
  add(graph: Graph, outputs: Value, targets: Value): Made;
}

/** Softmax and cross-entropy: outputs are logits, targets the numbers of classes (u32). */
const crossEntropy: LossRule = {
  targets: (graph, outputs) => input(graph, 'labels', [size(outputs, 0)], 'u32'),
  add(graph, logits, labels) {
    const { loss, dlogits } = apply(graph, 'softmaxCrossEntropy', { logits, labels });
    return { loss, gradient: dlogits };
  },
};

/** Cross-entropy with each row multiplied by the weight of its class. */
export function weightedCrossEntropy(graph: Graph, logits: Value, labels: Value): Made {
  const weights = parameter(graph, CLASS_WEIGHTS, [size(logits, 1)], false);
  const { weightedLoss, weightedGradient } = apply(graph, 'classWeights', {
    ...crossEntropy.add(graph, logits, labels),
    labels,
    weights,
  });
  return { loss: weightedLoss, gradient: weightedGradient };
}

/** A loss of every output by itself; targets have the shape of the outputs. */
const elementwise = (kind: ElementwiseLoss): LossRule => ({
  targets: (graph, { shape }) => input(graph, 'targets', shape),
  add(graph, y, targets) {
    const { loss, dy } = apply(graph, 'elementwiseLoss', { kind, y, targets });
    return { loss, gradient: dy };
  },
});

export type Loss = 'crossEntropy' | ElementwiseLoss;

/** Every loss by its name. */
export const losses = Object.fromEntries([
  ['crossEntropy', crossEntropy],
  ...elementwiseLosses.map((kind) => [kind, elementwise(kind)]),
]) as { readonly [L in Loss]: LossRule };

/** Throws `ShapeError` where this is the name of no loss. */
export function expectLoss(what: string, name: unknown): void {
  if (Object.hasOwn(losses, String(name))) return;
  throw new ShapeError(`${what}: expected loss to be one of ${Object.keys(losses).join(', ')}; got '${name}'`);
}
