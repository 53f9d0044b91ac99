import { philox4x32, type Seed, splitSeed } from '../weights/stream.ts';

/** Fisher-Yates with the stream's hash: a permutation that depends only on the seed, the epoch and the length. */
export function shuffle(order: Uint32Array, seed: Seed, epoch: number): void {
  const { low, high } = splitSeed(seed);
  for (let i = 0; i < order.length; i++) order[i] = i;
  for (let i = order.length - 1; i > 0; i--) {
    const [word] = philox4x32([i, epoch, 1, 1], [low, high]);
    const j = Math.floor((word / 2 ** 32) * (i + 1));
    const moved = order[i]!;
    order[i] = order[j]!;
    order[j] = moved;
  }
}
