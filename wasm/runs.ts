/**
 * Runs of weights from a unit's stream (src/weights/SPEC.md, section 4), from any input on. `unit`: where its key lies,
 * two u32.
 */
import { WEIGHTS } from './memory';
import { signWord } from './signs';
import { word } from './stream';

/** Writes `depth` contiguous weights from input `k` on, for distributions drawn from bytes. */
export function byteRun(unit: usize, k: u32, depth: i32, to: usize): void {
  const key0 = load<u32>(unit);
  const key1 = load<u32>(unit, 4);
  let h = word(key0, key1, k >> 2) >> ((k & 3) << 3);
  for (const end = to + (<usize>depth << 2); to < end; to += 4) {
    store<f32>(to, load<f32>((<usize>(h & 255) << 2) + (<usize>(k & 1) << 10), WEIGHTS));
    h >>= 8;
    k++;
    if ((k & 3) == 0) h = word(key0, key1, k >> 2);
  }
}

/** The same for signs. kind: as in signs.ts. */
export function signRun(unit: usize, k: u32, depth: i32, to: usize, kind: i32): void {
  const key0 = load<u32>(unit);
  const key1 = load<u32>(unit, 4);
  let h = signWord(key0, key1, k >> 5, kind) >> (k & 31);
  for (const end = to + (<usize>depth << 2); to < end; to += 4) {
    store<u32>(to, 0x3f800000 | (h << 31));
    h >>= 1;
    k++;
    if ((k & 31) == 0) h = signWord(key0, key1, k >> 5, kind);
  }
}
