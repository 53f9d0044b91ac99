import { type Seed, streamWord, unitKey } from '../weights/stream.ts';

/** y = x / (1 - rate), or 0 where the word of the element at this step is below rate * 2^32. `step` counts from 0. */
export function dropout(args: {
  rate: number;
  mask: { seed: Seed; tensor: number };
  step: number;
  x: ArrayLike<number>;
}): Float64Array {
  const { rate, mask, step, x } = args;
  const [key0, key1] = unitKey(mask.seed, mask.tensor, 0);
  const [word0, word1] = [0, 1].map((i) => streamWord(key0, key1, 2 * step + i));
  return Float64Array.from(x, (value, i) =>
    streamWord(word0!, word1!, i) < Math.round(rate * 2 ** 32) ? 0 : value / (1 - rate),
  );
}
