/** Steps of prediction by dense networks. */
import { activationCode } from '../activations.ts';
import { elements, type Node, type Value } from '../graph.ts';
import { matmul } from './matmul.ts';
import { keptBytes, randomMatmul } from './random_matmul.ts';
import { bound, type StepMaker, size } from './step.ts';

export const forwardStep: StepMaker = (machine, node, place, options, shared) => {
  const { kernels } = machine;
  switch (node.op) {
    case 'randomMatmul': {
      const { x, z, weights } = node;
      const product = { m: size(z, 0), k: size(x, 1), n: size(z, 1), weights };
      const { pool, keepable, anyBatch = false, kernel } = options;
      const bytes = anyBatch ? undefined : keptBytes(product);
      const left = keepable?.bytes ?? 0;
      const keep = bytes !== undefined && bytes <= left;
      const choice = { anyBatch, keep, ...(kernel && { kernel }) };
      // Threads that share it keep their slices beside the whole: where that is too much, this one reads it alone.
      const sharing = pool?.shares(product, keep) && (!keep || 2 * bytes <= left) ? pool : undefined;
      if (keep) keepable!.bytes -= sharing ? 2 * bytes : bytes;
      if (!sharing) return bound(randomMatmul(machine, product, choice), place(x), place(z));
      const made = sharing.share(machine, product, choice);
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
