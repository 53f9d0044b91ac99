/** Lowerings of training: gradients of dense layers, losses, dropout, optimizers. */
import { lossCode } from '../../core/losses.ts';
import { elements, size } from '../../graph/value.ts';
import type { WeightSpec } from '../../weights/distributions.ts';
import { streamWord, unitKey } from '../../weights/stream.ts';
import { randomMatmulTransposed } from '../random_matmul.ts';
import { epilogueArgs } from './dense.ts';
import { bound, type LoweringTable } from './lowering.ts';

export const training: LoweringTable<'training'> = {
  randomMatmulTransposed({ dz, dx, weights }, { machine, place }) {
    const product = { m: size(dz, 0), k: size(dx, 1), n: size(dz, 1), weights };
    return bound(randomMatmulTransposed(machine, product), place(dz), place(dx));
  },
  epilogueInputGradient(node, site) {
    const { machine, place } = site;
    return bound(machine.kernels.epilogueInputGradient, ...epilogueArgs(node, site), place(node.dy), place(node.dz));
  },
  epilogueParameterGradient(node, site) {
    const { machine, place } = site;
    const made = [node.du ? place(node.du) : 0, place(node.db)] as const;
    return bound(machine.kernels.epilogueParameterGradient, ...epilogueArgs(node, site), place(node.dy), ...made);
  },
  softmaxCrossEntropy({ logits, labels, loss, dlogits }, { machine, place }) {
    const sizes = [size(logits, 0), size(logits, 1)] as const;
    const made = [place(loss), place(dlogits)] as const;
    return bound(machine.kernels.softmaxCrossEntropy, place(logits), place(labels), ...sizes, ...made);
  },
  elementwiseLoss({ kind, y, targets, loss, dy }, { machine, place }) {
    const shape = [lossCode(kind), size(y, 0), size(y, 1)] as const;
    return bound(machine.kernels.elementwiseLoss, place(y), place(targets), ...shape, place(loss), place(dy));
  },
  classWeights({ loss, gradient, labels, weights, weightedLoss, weightedGradient }, { machine, place }) {
    const sizes = [size(gradient, 0), size(gradient, 1)] as const;
    const read = [place(loss), place(gradient), place(labels), place(weights)] as const;
    return bound(machine.kernels.classWeights, ...read, ...sizes, place(weightedLoss), place(weightedGradient));
  },
  dropout({ x, y, mask, rate }, { machine, place }) {
    const [from, to] = [place(x), place(y)];
    const numbers = [Math.round(rate * 2 ** 32), 1 / (1 - rate)] as const;
    return ({ step }) => machine.kernels.dropout(from, elements(x), ...dropoutKey(mask, step), ...numbers, to);
  },
  adam({ parameter, gradient, moment1, moment2, beta1, beta2, epsilon, weightDecay }, { machine, place }) {
    const arrays = [place(parameter), place(gradient), place(moment1), place(moment2)] as const;
    return ({ learningRate, correction1, correction2 }) => {
      const numbers = [beta1, beta2, epsilon, weightDecay, learningRate, correction1, correction2] as const;
      machine.kernels.adam(...arrays, elements(parameter), ...numbers);
    };
  },
  sgd({ parameter, gradient, velocity, momentum }, { machine, place }) {
    const arrays = [place(parameter), place(gradient), place(velocity)] as const;
    return ({ learningRate }) => machine.kernels.sgd(...arrays, elements(parameter), momentum, learningRate);
  },
};

/** Words 2 step and 2 step + 1 of the layer's key: the key of a step's mask. */
function dropoutKey({ seed, tensor }: Pick<WeightSpec, 'seed' | 'tensor'>, step: number): [number, number] {
  const [key0, key1] = unitKey(seed, tensor, 0);
  return [streamWord(key0, key1, 2 * step), streamWord(key0, key1, 2 * step + 1)];
}
