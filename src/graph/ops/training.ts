/** Operations of training: gradients of dense layers, losses, and updates of parameters. */
import { ShapeError } from '../../core/errors.ts';
import type { ElementwiseLoss } from '../../core/losses.ts';
import type { WeightSpec } from '../../weights/distributions.ts';
import { type Activated, op } from '../declare.ts';
import { expectShape, matrix } from '../value.ts';

export const trainingOps = {
  /** dx (M, fanIn) = dz (M, N) times the random (N, fanIn) matrix. */
  randomMatmulTransposed: op<{ readonly weights: WeightSpec; readonly fanIn: number }>()('training', ['dz'], {
    dx: ({ dz, fanIn }) => [matrix(dz)[0], fanIn],
  }),
  epilogueInputGradient: op<Activated>()('training', ['z', 'u?', 'b', 'dy'], {
    dz: ({ z, dy }) => expectShape(dy, z.shape),
  }),
  epilogueParameterGradient: op<Activated>()('training', ['z', 'u?', 'b', 'dy'], {
    du: ({ u }) => u?.shape,
    db: ({ z, b, dy }) => {
      expectShape(dy, z.shape);
      return b.shape;
    },
  }),
  /**
   * loss (M, 2): cross-entropy in nats, 1 where the largest logit is the label's; dlogits is the gradient of the mean.
   */
  softmaxCrossEntropy: op()('training', ['logits', 'labels'], {
    loss: ({ logits, labels }) => {
      const [m] = matrix(logits);
      expectShape(labels, [m]);
      if (labels.dtype === 'u32') return [m, 2];
      throw new ShapeError(`expected u32 labels, got ${labels.dtype}`);
    },
    dlogits: ({ logits }) => logits.shape,
  }),
  /** loss (M, 2): means over the columns of the loss and of the hits; dy is the gradient of the mean over the rows. */
  elementwiseLoss: op<{ readonly kind: ElementwiseLoss }>()('training', ['y', 'targets'], {
    loss: ({ y, targets }) => {
      const [m] = matrix(y);
      expectShape(targets, y.shape);
      return [m, 2];
    },
    dy: ({ y }) => y.shape,
  }),
  /** The loss and the gradient of each row, times the weight of its class; hits stay as they are. */
  classWeights: op()('training', ['loss', 'gradient', 'labels', 'weights'], {
    weightedLoss: ({ loss, gradient, labels, weights }) => {
      const [m, n] = matrix(gradient);
      expectShape(labels, [m]);
      expectShape(weights, [n]);
      return expectShape(loss, [m, 2]);
    },
    weightedGradient: ({ gradient }) => gradient.shape,
  }),
  /** Changes `parameter` and both moments in place. */
  adam: op<{
    readonly beta1: number;
    readonly beta2: number;
    readonly epsilon: number;
    /** The share of the parameter that a step of learning rate 1 takes away (AdamW). */
    readonly weightDecay: number;
  }>()('training', ['parameter', 'gradient', 'moment1', 'moment2'], {}),
  /** Changes `parameter` and `velocity` in place. */
  sgd: op<{ readonly momentum: number }>()('training', ['parameter', 'gradient', 'velocity'], {}),
} as const;
