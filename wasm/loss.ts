/** Losses of rows, their gradients, and the running sum of the losses. */
import { exp } from './exp';

// @ts-ignore: decorator
@inline
function exp1(x: f32): f32 {
  return f32x4.extract_lane(exp(f32x4.splat(x)), 0);
}

/** loss (m, 2): cross-entropy in nats, and 1 for a hit; dlogits (m, n): gradient of the mean over the rows. */
export function softmaxCrossEntropy(logits: usize, labels: usize, m: i32, n: i32, loss: usize, dlogits: usize): void {
  const row = <usize>n << 2;
  for (let i = 0; i < m; i++, logits += row, dlogits += row, labels += 4, loss += 8) {
    const label = min(load<u32>(labels), <u32>n - 1);
    let best: u32 = 0;
    let largest = load<f32>(logits);
    for (let c: u32 = 1; c < <u32>n; c++) {
      const value = load<f32>(logits + (<usize>c << 2));
      if (value > largest) {
        largest = value;
        best = c;
      }
    }
    let sum: f32 = 0;
    for (let c: usize = 0; c < row; c += 4) {
      const power = exp1(load<f32>(logits + c) - largest);
      sum += power;
      store<f32>(dlogits + c, power);
    }
    store<f32>(loss, Mathf.log(sum) - (load<f32>(logits + (<usize>label << 2)) - largest));
    store<f32>(loss, best == label ? 1 : 0, 4);
    for (let c: usize = 0; c < row; c += 4) {
      const hit: f32 = c == <usize>label << 2 ? 1 : 0;
      store<f32>(dlogits + c, (load<f32>(dlogits + c) / sum - hit) / <f32>m);
    }
  }
}

/** The loss (m, 2) and the gradient (m, n) of each row times the weight of its class; hits stay as they are. */
export function classWeights(
  loss: usize,
  gradient: usize,
  labels: usize,
  weights: usize,
  m: i32,
  n: i32,
  weightedLoss: usize,
  weightedGradient: usize,
): void {
  const row = <usize>n << 2;
  for (let i = 0; i < m; i++, labels += 4, loss += 8, weightedLoss += 8) {
    const weight = load<f32>(weights + (<usize>min(load<u32>(labels), <u32>n - 1) << 2));
    store<f32>(weightedLoss, weight * load<f32>(loss));
    store<f32>(weightedLoss, load<f32>(loss, 4), 4);
    for (let c: usize = 0; c < row; c += 4, gradient += 4, weightedGradient += 4) {
      store<f32>(weightedGradient, weight * load<f32>(gradient));
    }
  }
}

const HUBER: i32 = 1;
const BINARY_CROSS_ENTROPY: i32 = 2;

/** log(1 + e) for e from 0 to 1, relative error 2e-8 before rounding: 2 atanh(s), s = e / (2 + e), as a series. */
function log1p(e: f32): f32 {
  const s = e / (2 + e);
  const q = s * s;
  const rest: f32 = <f32>(1.0 / 7) + q * (<f32>(1.0 / 9) + q * (<f32>(1.0 / 11) + q * <f32>(1.0 / 13)));
  return 2 * s * (1 + q * (<f32>(1.0 / 3) + q * (<f32>(1.0 / 5) + q * rest)));
}

/** The derivative of the loss last computed, and 1 for a hit. */
let slope: f32 = 0;
let hit: f32 = 0;

/** The loss of an output and its target, by the numbers of src/core/losses.ts; leaves `slope` and `hit`. */
// @ts-ignore: decorator
@inline
function lossOf(code: i32, y: f32, t: f32): f32 {
  hit = 0;
  const d = y - t;
  if (code == HUBER) {
    slope = min<f32>(max<f32>(d, -1), 1);
    return slope * (d - <f32>0.5 * slope);
  }
  if (code == BINARY_CROSS_ENTROPY) {
    const e = exp1(-abs(y)); // at most 1: nothing overflows
    slope = (y > 0 ? <f32>1 : e) / (1 + e) - t;
    hit = y > 0 == t > <f32>0.5 ? 1 : 0;
    return max<f32>(y, 0) - y * t + log1p(e);
  }
  slope = 2 * d;
  return d * d;
}

/** loss (m, 2): means over the columns of the loss and of the hits; dy (m, n): gradient of the mean over the rows. */
export function elementwiseLoss(
  y: usize,
  targets: usize,
  code: i32,
  m: i32,
  n: i32,
  loss: usize,
  dy: usize,
): void {
  const row = <usize>n << 2;
  const factor = <f32>1 / (<f32>m * <f32>n);
  for (let i = 0; i < m; i++, loss += 8) {
    let sum: f32 = 0;
    let hits: f32 = 0;
    for (let c: usize = 0; c < row; c += 4, y += 4, targets += 4, dy += 4) {
      sum += lossOf(code, load<f32>(y), load<f32>(targets));
      hits += hit;
      store<f32>(dy, factor * slope);
    }
    store<f32>(loss, sum / <f32>n);
    store<f32>(loss, hits / <f32>n, 4);
  }
}
