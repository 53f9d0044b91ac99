/** Random kernels along signals on the CPU: sizes, memory and calls. */
import { type SignalPool, signalPools } from '../core/signal-pools.ts';
import type { KernelSpec } from '../weights/kernel-spec.ts';
import { KERNEL_WORDS, kernelWords } from '../weights/random-kernels.ts';
import type { Machine } from './machine.ts';
import { kindOf } from './random_matmul.ts';

/** y (m, pools, n) of n random kernels. With `from`, the units are a slice of a larger bank that starts there. */
export interface KernelPools {
  readonly m: number;
  readonly n: number;
  readonly weights: KernelSpec;
  readonly pools: readonly SignalPool[];
  readonly from?: number;
}

/** Signals that share the weights of a unit take at most this much memory at a time, to stay in a cache. */
const TILE_BYTES = 2 ** 17;

/** Kernels compute blocks of this many positions, the last of which may exceed the signal. */
const BLOCK = 16;

/** Prepares the features of m signals. The returned function takes the addresses of x, b and y. */
export function randomKernels(machine: Machine, { m, n, weights, pools, from }: KernelPools) {
  const { distribution, taps, length, channels } = weights;
  const words = kernelWords(weights, n, from);
  const table = machine.place(words);
  // The widest kernel decides how many zeros a signal gets on either side.
  const spans = Array.from({ length: n }, (_, i) => (taps - 1) * words[KERNEL_WORDS * i + 2]!);
  const half = Math.ceil(spans.reduce((most, span) => Math.max(most, span), 0) / 2);
  const pad = Math.ceil(half / 4) * 4;
  const width = Math.ceil((length + 2 * pad) / 4) * 4 + BLOCK;
  const tile = Math.max(1, Math.min(m, Math.floor(TILE_BYTES / (4 * channels * width))));
  const scratch = machine.allocate(4 * (tile * channels * width + length + BLOCK));
  // A pool's bit is its place in `signalPools`; the kernel writes pools in that order.
  const bits = pools.reduce((sum, pool) => sum + 2 ** signalPools.indexOf(pool), 0);
  const kind = kindOf(distribution);
  return (x: number, b: number, y: number): void => {
    machine.decodeAs(distribution);
    const signals = [x, m, length, channels, taps] as const;
    machine.kernels.randomKernels(...signals, table, n, kind, b, bits, tile, pad, width, scratch, y);
  };
}
