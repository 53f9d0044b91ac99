/** Steps of training: gradients of dense layers, losses, dropout, optimizers. */
import { elements } from '../graph/graph.ts';
import type { WeightSpec } from '../weights/distributions.ts';
import { streamWord, unitKey } from '../weights/stream.ts';
import { epilogueArgs } from './forward-steps.ts';
import { randomMatmulTransposed } from './random_matmul.ts';
import { bound, type StepMaker, size } from './step.ts';

export const trainingStep: StepMaker = (machine, node, place) => {
  const { kernels } = machine;
  switch (node.op) {
    case 'randomMatmulTransposed': {
      const { dz, dx, weights } = node;
      const product = { m: size(dz, 0), k: size(dx, 1), n: size(dz, 1), weights };
      return bound(randomMatmulTransposed(machine, product), place(dz), place(dx));
    }
    case 'epilogueInputGradient':
      return bound(kernels.epilogueInputGradient, ...epilogueArgs(node, place), place(node.dy), place(node.dz));
    case 'epilogueParameterGradient': {
      const du = node.du ? place(node.du) : 0;
      return bound(kernels.epilogueParameterGradient, ...epilogueArgs(node, place), place(node.dy), du, place(node.db));
    }
    case 'softmaxCrossEntropy': {
      const { logits, labels, loss, dlogits } = node;
      const sizes = [size(logits, 0), size(logits, 1)] as const;
      return bound(kernels.softmaxCrossEntropy, place(logits), place(labels), ...sizes, place(loss), place(dlogits));
    }
    case 'meanSquaredError': {
      const { y, targets, loss, dy } = node;
      const sizes = [size(y, 0), size(y, 1)] as const;
      return bound(kernels.meanSquaredError, place(y), place(targets), ...sizes, place(loss), place(dy));
    }
    case 'dropout': {
      const { x, y, mask, rate } = node;
      const [from, to] = [place(x), place(y)];
      const numbers = [Math.round(rate * 2 ** 32), 1 / (1 - rate)] as const;
      return ({ step }) => kernels.dropout(from, elements(x), ...dropoutKey(mask, step), ...numbers, to);
    }
    case 'adam': {
      const { parameter, gradient, moment1, moment2, beta1, beta2, epsilon } = node;
      const arrays = [place(parameter), place(gradient), place(moment1), place(moment2)] as const;
      return ({ learningRate, correction1, correction2 }) => {
        const numbers = [beta1, beta2, epsilon, learningRate, correction1, correction2] as const;
        kernels.adam(...arrays, elements(parameter), ...numbers);
      };
    }
    case 'sgd': {
      const { parameter, gradient, velocity, momentum } = node;
      const arrays = [place(parameter), place(gradient), place(velocity)] as const;
      return ({ learningRate }) => kernels.sgd(...arrays, elements(parameter), momentum, learningRate);
    }
    default:
      return undefined;
  }
};

/** Words 2 step and 2 step + 1 of the layer's key: the key of a step's mask. */
function dropoutKey({ seed, tensor }: Pick<WeightSpec, 'seed' | 'tensor'>, step: number): [number, number] {
  const [key0, key1] = unitKey(seed, tensor, 0);
  return [streamWord(key0, key1, 2 * step), streamWord(key0, key1, 2 * step + 1)];
}
