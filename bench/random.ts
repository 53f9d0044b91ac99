/** Random inputs of the bench: the same in every run, never all zeros or ones. */
import { streamWord, unitKey } from '../src/weights/stream.ts';

/** Uniform numbers from `low` to `high`. */
export function uniform(
  length: number,
  seed: number,
  [low, high]: readonly [number, number],
): Float32Array<ArrayBuffer> {
  const [key0, key1] = unitKey(seed, 0, 0);
  return Float32Array.from({ length }, (_, i) => low + ((high - low) * (streamWord(key0, key1, i) + 0.5)) / 2 ** 32);
}
