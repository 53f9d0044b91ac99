/** From logits to probabilities. */
import { DataError } from '../core/errors.ts';

/** Softmax of each row of logits: probabilities that add up to 1. Throws `DataError` unless they are whole rows. */
export function softmax(logits: Float32Array, classes: number): Float32Array<ArrayBuffer> {
  if (!(Number.isSafeInteger(classes) && classes > 0 && logits.length % classes === 0)) {
    throw new DataError(`softmax: expected rows of ${classes} classes, got ${logits.length} logits`);
  }
  const out = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    const row = logits.subarray(start, start + classes);
    const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const powers = row.map((value) => Math.exp(value - largest));
    const sum = powers.reduce((a, b) => a + b, 0);
    out.set(
      powers.map((value) => value / sum),
      start,
    );
  }
  return out;
}
