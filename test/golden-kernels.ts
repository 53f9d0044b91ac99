/** Generates the golden vectors of random kernels along signals (SPEC.md, 4.7 and 6). */
import { elementwiseNames } from '../src/weights/distributions.ts';
import type { KernelSpec } from '../src/weights/kernel-spec.ts';
import { kernelIntegers, kernelOf } from '../src/weights/random-kernels.ts';
import type { Seed } from '../src/weights/stream.ts';

const TOP = 2 ** 32 - 1;
const OWNERS: [seed: Seed, tensor: number, unit: number][] = [
  [0, 0, 0],
  [0, 0, 1],
  [1, 0, 1],
  [7, 3, 12],
  [Number.MAX_SAFE_INTEGER, 1, 1023],
  [2n ** 64n - 1n, TOP, TOP],
];

/** One sample, signals shorter than a kernel, usual ones, more channels than a kernel sees, the largest. */
const SIGNALS: Pick<KernelSpec, 'taps' | 'length' | 'channels'>[] = [
  { taps: 9, length: 1, channels: 1 },
  { taps: 9, length: 8, channels: 2 },
  { taps: 2, length: 2, channels: 1 },
  { taps: 9, length: 128, channels: 1 },
  { taps: 7, length: 150, channels: 6 },
  { taps: 15, length: 1460, channels: 40 },
  { taps: 3, length: 2 ** 20, channels: 2 ** 20 },
];

const hex = (f32: number) => new Uint32Array(Float32Array.of(f32).buffer)[0]!.toString(16).padStart(8, '0');

/** The text of the file. */
export function goldenKernels(): string {
  const lines = [
    '# Golden vectors of random kernels along signals: src/weights/SPEC.md, sections 4.7 and 6. Written by: npm run golden',
    '#',
    '# place  TAPS LENGTH CHANNELS SEED TENSOR UNIT = DILATION LEFT POSITIONS C0 C1 ...',
    '# kernel DISTRIBUTION TAPS LENGTH CHANNELS SEED TENSOR UNIT = BITS V0 V1 ...   bits of the scale, then integers',
  ];
  for (const signal of SIGNALS) {
    for (const [seed, tensor, unit] of OWNERS) {
      const what = [signal.taps, signal.length, signal.channels, seed, tensor, unit].join(' ');
      for (const distribution of elementwiseNames) {
        const spec = { ...signal, seed, tensor, distribution };
        const { dilation, left, positions, channels, scale } = kernelOf(spec, unit);
        if (distribution === elementwiseNames[0]) {
          lines.push(`place ${what} = ${[dilation, left, positions, ...channels].join(' ')}`);
        }
        lines.push(`kernel ${distribution} ${what} = ${hex(scale)} ${kernelIntegers(spec, unit).join(' ')}`);
      }
    }
  }
  return `${lines.join('\n')}\n`;
}
