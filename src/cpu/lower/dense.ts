/** Lowerings of dense prediction, part of every program. */
import { activationCode } from '../../core/activations.ts';
import type { NodeOf } from '../../graph/ops.ts';
import { elements, size } from '../../graph/value.ts';
import { CachedWeights } from '../cached-weights.ts';
import { matmul } from '../matmul.ts';
import { randomMatmul } from '../random_matmul.ts';
import { bound, type LoweringSite, type LoweringTable, productOf } from './lowering.ts';

export const dense: LoweringTable<'dense'> = {
  randomMatmul(node, { machine, place, options, share }) {
    const { x, z } = node;
    const product = productOf(node);
    const { pool, caches, anyBatch = false, kernel } = options;
    const choice = { anyBatch, ...(kernel && { kernel }) };
    const { here, there } = caches?.get(node) ?? { here: false, there: false };
    const cache = here ? new CachedWeights(machine, product) : undefined;
    if (!pool?.unitsElsewhere(product, here)) {
      return bound(randomMatmul(machine, product, choice, cache), place(x), place(z));
    }
    const shared = pool.share(machine, product, choice, cache, there);
    share(shared);
    return bound(shared.call, place(x), place(z));
  },
  matmul({ a, b, c, transposeA = false, transposeB = false }, { machine, place }) {
    const k = size(a, transposeA ? 0 : 1);
    const product = matmul(machine, { m: size(c, 0), k, n: size(c, 1), transposeA, transposeB });
    return bound(product, place(a), place(b), place(c));
  },
  epilogue: (node, site) => bound(site.machine.kernels.epilogue, ...epilogueArgs(node, site), site.place(node.y)),
};

type EpilogueNode = NodeOf<'epilogue' | 'epilogueInputGradient' | 'epilogueParameterGradient'>;

/** Columns are units, or the channels of each position of an image. */
export const epilogueArgs = ({ z, u, b, activation }: EpilogueNode, { place }: Pick<LoweringSite, 'place'>) =>
  [place(z), u ? place(u) : 0, place(b), activationCode(activation), elements(z) / elements(b), elements(b)] as const;
