/** The losses that training minimizes. */
import { apply, type Graph, input } from './graph.ts';
import { size, type Value } from './value.ts';

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

/** Every loss by its name. */
export const losses = {
  /** Softmax and cross-entropy: outputs are logits, targets the numbers of classes (u32). */
  crossEntropy: {
    targets: (graph, outputs) => input(graph, 'labels', [size(outputs, 0)], 'u32'),
    add(graph, logits, labels) {
      const { loss, dlogits } = apply(graph, 'softmaxCrossEntropy', { logits, labels });
      return { loss, gradient: dlogits };
    },
  },
  /** The mean squared difference over the columns. */
  meanSquaredError: {
    targets: (graph, { shape }) => input(graph, 'targets', shape),
    add(graph, y, targets) {
      const { loss, dy } = apply(graph, 'meanSquaredError', { y, targets });
      return { loss, gradient: dy };
    },
  },
} as const satisfies Readonly<Record<string, LossRule>>;

export type Loss = keyof typeof losses;
