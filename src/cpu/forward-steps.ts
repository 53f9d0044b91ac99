/** Steps of prediction by dense networks. */
import { activationCode } from '../core/activations.ts';
import { elements, type Node, type Value } from '../graph/graph.ts';
import { KeptWeights } from './kept-weights.ts';
import { matmul } from './matmul.ts';
import { randomMatmul } from './random_matmul.ts';
import { bound, productOf, type StepMaker, size } from './step.ts';

export const forwardStep: StepMaker = (machine, node, place, options, shared) => {
  const { kernels } = machine;
  switch (node.op) {
    case 'randomMatmul': {
      const { x, z } = node;
      const product = productOf(node);
      const { pool, keeping, anyBatch = false, kernel } = options;
      const choice = { anyBatch, ...(kernel && { kernel }) };
      const { here, there } = keeping?.get(node) ?? { here: false, there: false };
      const kept = here ? new KeptWeights(machine, product) : undefined;
      if (!pool?.unitsElsewhere(product, here)) {
        return bound(randomMatmul(machine, product, choice, kept), place(x), place(z));
      }
      const made = pool.share(machine, product, choice, kept, there);
      shared.push(made);
      return bound(made.call, place(x), place(z));
    }
    case 'matmul': {
      const { a, b, c, transposeA, transposeB } = node;
      const k = size(a, transposeA ? 0 : 1);
      return bound(
        matmul(machine, { m: size(c, 0), k, n: size(c, 1), transposeA, transposeB }),
        place(a),
        place(b),
        place(c),
      );
    }
    case 'epilogue':
      return bound(kernels.epilogue, ...epilogueArgs(node, place), place(node.y));
    default:
      return undefined;
  }
};

type EpilogueNode = Extract<Node, { op: 'epilogue' | 'epilogueInputGradient' | 'epilogueParameterGradient' }>;

/** Columns are units, or the channels of each position of an image. */
export const epilogueArgs = ({ z, u, b, activation }: EpilogueNode, place: (value: Value) => number) =>
  [place(z), u ? place(u) : 0, place(b), activationCode(activation), elements(z) / elements(b), elements(b)] as const;
