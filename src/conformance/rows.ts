/** Inputs converted on the device, row by row, to f16 or int8 with a scale, and the product in f16. */
import { halfRows, halfRowWords } from '../../kernels/half_rows.ts';
import { quantiseRows } from '../../kernels/quantise_rows.ts';
import { randomMatmulF16 } from '../../kernels/random_matmul_f16.ts';
import type { BufferSlice } from '../gpu/kernel.ts';
import { halfRows as halfRowsTwin } from '../reference/half_rows.ts';
import { quantiseRows as quantiseRowsTwin } from '../reference/quantise_rows.ts';
import { randomMatmul as randomMatmulTwin } from '../reference/random_matmul.ts';
import { elementwiseNames } from '../weights/distributions.ts';
import { unitKeys } from '../weights/stream.ts';
import { type Case, type Group, integers, numbers, sumError } from './case.ts';
import { shapes } from './exact.ts';

type Buffers = Record<string, BufferSlice>;

/** The f16 bits of a number that is normal in f16, or 0. */
function halfBits(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | (1024 * (Math.abs(value) / 2 ** exponent - 1));
}

const shortened: Group = {
  name: 'inputs as f16 and int8',
  cases: () =>
    shapes.flatMap(([m, k]): Case[] => {
      // Integers of ten bits are exact in f16, with any power of two as scale.
      const x = integers(m * k, k, 1000);
      const half = halfRowsTwin({ m, k, x });
      const words = halfRowWords(k);
      const h = new Uint16Array(2 * m * words);
      half.h.forEach((value, i) => {
        h[Math.floor(i / k) * 2 * words + (i % k)] = halfBits(value);
      });
      // Whole steps, the largest first: no ties, which would depend on the device's division.
      const steps = integers(m * k, k, 126).map((value, i) => (i % k ? value : 127) / 8);
      const { q, scales } = quantiseRowsTwin({ m, k, x: steps });
      const stride = 4 * Math.ceil(k / 4);
      const bytes = new Int8Array(m * stride);
      q.forEach((value, i) => {
        bytes[Math.floor(i / k) * stride + (i % k)] = value;
      });
      const tolerance = { absolute: 0, relative: 2 ** -21, reason: 'a division of WGSL: 2.5 ulp' };
      return [
        {
          what: `f16 ${m}x${k}`,
          inputs: { x },
          outputs: {
            h: { want: new Uint32Array(h.buffer), type: 'u32' },
            scales: { want: Float32Array.from(half.scales) },
          },
          dispatch: ({ x, h, scales }: Buffers) => halfRows({ m, k, x: x!, h: h!, scales: scales! }),
        },
        {
          what: `int8 ${m}x${k}`,
          inputs: { x: steps },
          outputs: { q: { want: new Uint32Array(bytes.buffer), type: 'u32' }, scales: { want: scales, tolerance } },
          dispatch: ({ x, q, scales }: Buffers) => quantiseRows({ m, k, x: x!, q: q!, scales: scales! }),
        },
      ];
    }),
};

const f16: Group = {
  name: 'products in f16',
  feature: 'shader-f16',
  cases: () =>
    elementwiseNames.flatMap((distribution) =>
      shapes.map(([m, k, n]) => {
        const weights = { seed: 7, tensor: 3, distribution };
        const x = numbers(m * k, k);
        // An input and each of eight additions round to 2^-11; |r| <= 3, |x| <= sqrt(k).
        const absolute = 3 * Math.sqrt(k) * (9 * 2 ** -11 + sumError(k));
        return {
          what: `${distribution} ${m}x${k}x${n}`,
          inputs: {
            x,
            keys: unitKeys(7, 3, n),
            h: new Uint32Array(m * halfRowWords(k)),
            scales: new Float32Array(m),
          },
          outputs: {
            y: {
              want: randomMatmulTwin({ m, k, n, weights, x }),
              tolerance: { absolute, reason: 'inputs and sums of eight products in f16' },
            },
          },
          dispatch: ({ x, keys, h, scales, y }: Buffers) => [
            halfRows({ m, k, x: x!, h: h!, scales: scales! }),
            randomMatmulF16({ m, k, n, weights: distribution, x: h!, keys: keys!, y: y! }, scales!),
          ],
        };
      }),
    ),
};

export const rowGroups: readonly Group[] = [shortened, f16];
