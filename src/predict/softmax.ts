/** From logits to probabilities. */
import { toFloat32Array } from '../core/arrays.ts';
import { DataError } from '../core/errors.ts';

/** Softmax of each row of logits: probabilities that add up to 1. Throws `DataError` unless they are whole rows of numbers. */
export function softmax(logits: ArrayLike<number>, classes: number): Float32Array<ArrayBuffer> {
  const out = toFloat32Array('softmax', logits).slice();
  if (!(Number.isSafeInteger(classes) && classes > 0 && out.length % classes === 0)) {
    throw new DataError(`softmax: expected rows of ${classes} classes, got ${out.length} logits`);
  }
  for (let start = 0; start < out.length; start += classes) {
    const row = out.subarray(start, start + classes);
    const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    row.set(row.map((value) => Math.exp(value - largest)));
    const sum = row.reduce((a, b) => a + b, 0);
    row.set(row.map((value) => value / sum));
  }
  return out;
}
