/** Lowerings of training: gradients of dense layers, losses, dropout, optimizers. */
import { adam } from '../../../kernels/adam.ts';
import { biasGradient } from '../../../kernels/bias_gradient.ts';
import { classWeights } from '../../../kernels/class_weights.ts';
import { dropout } from '../../../kernels/dropout.ts';
import { elementwiseLoss } from '../../../kernels/elementwise_loss.ts';
import { epilogueInputGradient } from '../../../kernels/epilogue_input_gradient.ts';
import { epilogueParameterGradient, parameterGradientParts } from '../../../kernels/epilogue_parameter_gradient.ts';
import { orthogonalTransposed } from '../../../kernels/orthogonal_transposed.ts';
import { randomMatmulTransposed } from '../../../kernels/random_matmul_transposed.ts';
import { sgd } from '../../../kernels/sgd.ts';
import { softmaxCrossEntropy } from '../../../kernels/softmax_cross_entropy.ts';
import type { NodeOf } from '../../graph/ops.ts';
import { elements } from '../../graph/value.ts';
import { keyedUnits, orthogonalScratch, type Problem } from '../choose/forward-kernels.ts';
import { bind, epilogueSizes, type LoweringTable, sizesOf } from './lowering.ts';

const schedule = { kind: 'schedule' } as const;

/** Sizes of the product whose gradient this is. */
const problemOf = ({ dz, dx, weights }: NodeOf<'randomMatmulTransposed'>): Problem => ({
  ...sizesOf(dz),
  k: sizesOf(dx).n,
  weights: weights.distribution,
});

/** From this many invocations on, a GPU counts as busy and larger tiles are faster. */
const BUSY = 4096;

/** Rows and quads per invocation of the transposed product. Software adapters use the maximum. */
export function transposedTile({ m, k, weights }: Problem, software: boolean): [rows: 8 | 16, quads: 1 | 2] {
  const quads = software || weights === 'binary' ? 2 : 1; // two quads share a word of signs
  const large = m > 8 && (software || (m * k) / (16 * 4 * quads) >= BUSY);
  return [large ? 16 : 8, quads];
}

export const training: LoweringTable<'training'> = {
  randomMatmulTransposed: {
    scratchBytes: (node) => (node.weights.distribution === 'orthogonal' ? orthogonalScratch(problemOf(node)) : []),
    lower(node, { operand, keysOf, choice, scratch: [a, b] }) {
      const problem = problemOf(node);
      const { weights, ...sizes } = problem;
      const keys = keysOf(node.weights, keyedUnits(problem));
      const args = { ...sizes, dz: operand(node.dz), keys, dx: operand(node.dx) };
      if (weights === 'orthogonal') return orthogonalTransposed(args, [a!, b!]);
      return [randomMatmulTransposed({ ...args, weights }, ...transposedTile(problem, choice.software ?? false))];
    },
  },
  epilogueInputGradient: {
    lower: (node, { operand }) => [epilogueInputGradient({ ...bind(node, operand), ...epilogueSizes(node) })],
  },
  epilogueParameterGradient: {
    scratchBytes(node) {
      const { m, n } = epilogueSizes(node);
      const parts = parameterGradientParts(m, n);
      return parts > 1 ? Array(node.du ? 2 : 1).fill(4 * parts * n) : [];
    },
    lower(node, { operand, scratch }) {
      const { u, du, ...bound } = { ...bind(node, operand), ...epilogueSizes(node) };
      return u && du ? epilogueParameterGradient({ ...bound, u, du }, scratch) : biasGradient(bound, scratch);
    },
  },
  softmaxCrossEntropy: {
    lower: (node, { operand }) => [softmaxCrossEntropy({ ...bind(node, operand), ...sizesOf(node.logits) })],
  },
  elementwiseLoss: {
    lower: (node, { operand }) => [elementwiseLoss({ ...bind(node, operand), ...sizesOf(node.y) })],
  },
  classWeights: {
    lower: (node, { operand }) => [classWeights({ ...bind(node, operand), ...sizesOf(node.gradient) })],
  },
  dropout: {
    lower(node, { operand, keysOf }) {
      const { mask, ...bound } = bind(node, operand);
      const keys = keysOf(mask, 1);
      return [dropout({ ...bound, keys, count: elements(node.x), schedule })];
    },
  },
  adam: {
    lower(node, { operand }) {
      const { parameter: value, ...bound } = bind(node, operand);
      return [adam({ ...bound, value, count: elements(node.parameter), schedule })];
    },
  },
  sgd: {
    lower(node, { operand }) {
      const { parameter: value, ...bound } = bind(node, operand);
      return [sgd({ ...bound, value, count: elements(node.parameter), schedule })];
    },
  },
};
