/**
 * Losses of every output by itself: each row's loss is the mean over its columns. One is added here, in kernels/elementwise_loss.wgsl
 * and in wasm/loss.ts. Two tables, so that a page loads the first alone.
 */
import { ShapeError } from './errors.ts';

/**
 * Each loss with what its targets have to be. `huber` is d^2 / 2 where the difference |d| is at most 1, else |d| - 1/2 (Huber 1964).
 * `binaryCrossEntropy`, in nats, is that of sigmoid(y): outputs are logits, and a row may have many labels. A hit is a label, above
 * or below 1/2, that the sign of its logit tells. The position in this list is the number that kernels know a loss by.
 */
const facts = {
  meanSquaredError: { targets: 'any', hits: false },
  huber: { targets: 'any', hits: false },
  binaryCrossEntropy: { targets: 'from 0 to 1', hits: true },
} as const satisfies Readonly<Record<string, { targets: 'any' | 'from 0 to 1'; hits: boolean }>>;

export type ElementwiseLoss = keyof typeof facts;

export const elementwiseLosses = Object.keys(facts) as readonly ElementwiseLoss[];

/** What the targets of this loss have to be. */
export const lossTargets = (name: ElementwiseLoss): 'any' | 'from 0 to 1' => facts[name].targets;

/** Whether an output can be a hit, so that there is an accuracy. */
export const lossHasHits = (name: ElementwiseLoss): boolean => facts[name].hits;

/** What the kernels call the loss. Throws `ShapeError` for an unknown name. */
export function lossCode(name: ElementwiseLoss): number {
  const code = elementwiseLosses.indexOf(name);
  if (code < 0) throw new ShapeError(`expected a loss (${elementwiseLosses.join(', ')}), got '${name}'`);
  return code;
}

/** The loss of an output y and its target t, its derivative by y, and 1 for a hit where the loss knows hits; float64. */
export const lossTwins: {
  readonly [L in ElementwiseLoss]: (y: number, t: number) => { loss: number; gradient: number; hit: number };
} = {
  meanSquaredError: (y, t) => ({ loss: (y - t) ** 2, gradient: 2 * (y - t), hit: 0 }),
  huber(y, t) {
    const d = y - t;
    const c = Math.max(-1, Math.min(1, d));
    return { loss: c * (d - c / 2), gradient: c, hit: 0 };
  },
  // Without an overflow: e^-|y| is at most 1.
  binaryCrossEntropy(y, t) {
    const e = Math.exp(-Math.abs(y));
    const probability = y > 0 ? 1 / (1 + e) : e / (1 + e);
    return {
      loss: Math.max(y, 0) - y * t + Math.log1p(e),
      gradient: probability - t,
      hit: Number(y > 0 === t > 0.5),
    };
  },
};
