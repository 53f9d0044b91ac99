/** The weight stream as a function of the address. */
import { type Seed, streamWord, unitKey } from '../src/weights/stream.ts';
import type { WordFunction } from './wrong-mixes.ts';

/** Caches the key of the last requested unit. */
export function streamWords(): WordFunction {
  let owner: { seed: Seed; tensor: number; unit: number } | undefined;
  let key: [number, number] = [0, 0];
  return (seed: Seed, tensor, unit, index) => {
    if (owner?.seed !== seed || owner.tensor !== tensor || owner.unit !== unit) {
      owner = { seed, tensor, unit };
      key = unitKey(seed, tensor, unit);
    }
    return streamWord(key[0], key[1], index);
  };
}
