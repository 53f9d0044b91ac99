import { type ElementwiseLoss, lossTwins } from '../core/losses.ts';

/** loss (m, 2): the means of the row's losses and hits; dy (m, n): gradient of the mean over the rows. */
export function elementwiseLoss(args: {
  kind: ElementwiseLoss;
  m: number;
  n: number;
  y: ArrayLike<number>;
  targets: ArrayLike<number>;
}): { loss: Float64Array; dy: Float64Array } {
  const { kind, m, n, y, targets } = args;
  const loss = new Float64Array(2 * m);
  const dy = new Float64Array(m * n);
  for (let i = 0; i < m * n; i++) {
    const made = lossTwins[kind](y[i]!, targets[i]!);
    loss[2 * Math.floor(i / n)]! += made.loss / n;
    loss[2 * Math.floor(i / n) + 1]! += made.hit / n;
    dy[i] = made.gradient / (m * n);
  }
  return { loss, dy };
}
