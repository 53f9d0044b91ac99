/**
 * Results that must be the same on every device, bit for bit: weights, and sums over integer inputs whose partial sums
 * are all integers that f32 or i32 can represent.
 */
import { orthogonalShape } from '../../kernels/orthogonal.ts';
import { orthogonalTransposed } from '../../kernels/orthogonal_transposed.ts';
import { randomMatmulTransposed } from '../../kernels/random_matmul_transposed.ts';
import { randomWeights } from '../../kernels/random_weights.ts';
import { batchKernels } from '../gpu/choose/batch.ts';
import { type ForwardKernel, forwardKernels } from '../gpu/choose/forward-kernels.ts';
import { type IntegerKernel, integerKernels } from '../gpu/choose/integer.ts';
import type { BufferSlice } from '../gpu/kernel.ts';
import {
  type DistributionName,
  elementwiseNames,
  integerWeights,
  isElementwise,
  weightScale,
} from '../weights/distributions.ts';
import golden from '../weights/golden/stream-v1.txt';
import { unitKeys } from '../weights/stream.ts';
import { type Case, type Group, integers, unscaled } from './case.ts';
import { readGoldenVectors } from './golden-vectors.ts';

/** m, k, n: one of everything, below and past a word, primes, past a tile, past a block of `orthogonal`. */
export const shapes = [
  [1, 1, 1],
  [3, 37, 5],
  [2, 129, 67],
  [19, 131, 70],
  [5, 100, 300],
] as const;

const [seed, tensor] = [Number.MAX_SAFE_INTEGER, 1] as const;

/** (m, n) sums of x (m, k) times the integers of a random matrix, or of x (m, n) times their transpose. */
function sums(
  x: ArrayLike<number>,
  distribution: DistributionName,
  m: number,
  k: number,
  n: number,
  transposed = false,
) {
  const w = integerWeights({ seed, tensor, distribution }, [0, k], [0, n], k);
  const [inner, outer] = transposed ? [n, k] : [k, n];
  return Float32Array.from({ length: m * outer }, (_, i) => {
    const [row, column] = [Math.floor(i / outer), i % outer];
    let sum = 0;
    for (let l = 0; l < inner; l++) sum += x[row * inner + l]! * w[transposed ? column * n + l : l * n + column]!;
    return sum;
  });
}

/** Integer inputs of a random product; small ones if three transforms must stay below 2^24. */
const inputsOf = (distribution: DistributionName, length: number, seed: number) =>
  integers(length, seed, isElementwise(distribution) ? 40 : 2);

const keysOf = (distribution: DistributionName, m: number, k: number, n: number) =>
  unitKeys(seed, tensor, isElementwise(distribution) ? n : orthogonalShape({ m, k, n }).blocks);

/** Scratch memory, full of NaN. */
export const scratchOf = (bytes: readonly number[]): Record<string, Uint32Array> =>
  Object.fromEntries([0, 1].map((i) => [`scratch${i}`, new Uint32Array((bytes[i] ?? 16) / 4).fill(0x7fc0dead)]));

const goldenWeights: Group = {
  name: 'golden vectors of the weights',
  cases: () =>
    readGoldenVectors(golden).flatMap((vector): Case[] => {
      if (vector.kind !== 'weight') return [];
      const { distribution, seed, tensor, unit, k0, weights } = vector;
      return [
        {
          what: `${distribution} seed ${seed} tensor ${tensor} unit ${unit} inputs ${k0}+${weights.length}`,
          inputs: { keys: unitKeys(seed, tensor, 1, unit) },
          outputs: { out: { want: weights, type: 'i32' } },
          dispatch: ({ keys, out }) =>
            randomWeights({
              ...{ kFrom: k0, kCount: weights.length, nCount: 1, weights: distribution },
              ...{ keys: keys!, out: out! },
            }),
        },
      ];
    }),
};

const slices: Group = {
  name: 'slices of random matrices',
  cases: () =>
    elementwiseNames.flatMap((distribution) =>
      [
        [0, 70, 0, 65],
        [31, 33, 2 ** 31, 3],
        [2 ** 32 - 5, 11, 1023, 66],
      ].map(([from, k, first, n]) => ({
        what: `${distribution} inputs ${from}+${k} units ${first}+${n}`,
        inputs: { keys: unitKeys(seed, tensor, n!, first!) },
        outputs: {
          out: {
            want: integerWeights({ seed, tensor, distribution }, [from!, from! + k!], [first!, first! + n!]),
            type: 'i32' as const,
          },
        },
        dispatch: ({ keys, out }: Record<string, BufferSlice>) =>
          randomWeights({ kFrom: from!, kCount: k!, nCount: n!, weights: distribution, keys: keys!, out: out! }),
      })),
    ),
};

/**
 * Kernels that share their code with another one and differ only in the size of the tile or the slices. These run with
 * one distribution and no epilogue; all others run with every distribution. Each combination is a pipeline, and
 * compilation takes most of the time on a software adapter.
 */
export const variants: readonly string[] = [
  'tile 8x8',
  'tile 16x4',
  'tile 16x8',
  'tile staged',
  'tile 32x3',
  'split 2x4',
  'split 4x4',
  'split 32x3',
  'rows sliced',
  'integer rows sliced',
];
const weightsOf = <D extends DistributionName>(name: string, { weights }: { readonly weights: readonly D[] }) =>
  variants.includes(name) ? weights.slice(0, 1) : weights;

/** Shapes of a kernel: without the widest for kernels with barriers, which are slow on software adapters. */
export const shapesOf = (name: string) => (/sliced|staged/.test(name) ? shapes.slice(0, -1) : shapes);

/** Integer inputs, rows padded to whole words: bytes, and int8 with a power of two per row, which needs no rounding. */
const packed = (name: string, kernel: IntegerKernel, position: number): Group => ({
  name: `sums over packed inputs, ${name}`,
  cases: () =>
    weightsOf(name, kernel).flatMap((distribution, i, all) =>
      // Each distribution gets one kind of inputs, and the other kind in the next kernel.
      (all.length === 1 ? [false, true] : [(i + position) % 2 === 1]).flatMap((signed) =>
        shapesOf(name).map(([m, k, n]) => {
          const stride = 4 * Math.ceil(k / 4);
          const padded = new Uint8Array(m * stride);
          const x = integers(m * k, k, 127).map((value) => value + (signed ? 0 : 127));
          x.forEach((value, i) => {
            padded[Math.floor(i / k) * stride + (i % k)] = value;
          });
          const scales = Float32Array.from({ length: m }, (_, row) => 2 ** (row % 3));
          const scale = weightScale(distribution, k);
          const want = sums(x, distribution, m, k, n).map((sum) => sum * scale + 0);
          return {
            what: `${distribution} ${signed ? 'i8' : 'u8'} ${m}x${k}x${n}`,
            inputs: {
              x: new Uint32Array(padded.buffer),
              keys: unitKeys(seed, tensor, n),
              scales,
              ...scratchOf(kernel.scratchBytes({ m, k })),
            },
            outputs: { y: { want: signed ? want.map((z, i) => z * scales[Math.floor(i / n)]!) : want } },
            dispatch: ({ x, keys, scales, y, scratch0, scratch1 }: Record<string, BufferSlice>) =>
              kernel.launch(
                {
                  ...{ m, k, n, weights: distribution, x: x!, keys: keys!, y: y! },
                  ...(signed && { scales: scales! }),
                },
                [scratch0!, scratch1!],
              ),
          };
        }),
      ),
    ),
});

const forward = (name: string, kernel: ForwardKernel): Group => ({
  name: `integer sums, ${name}`,
  cases: () =>
    weightsOf(name, kernel).flatMap((weights) =>
      shapesOf(name).map(([m, k, n]) => {
        const x = inputsOf(weights, m * k, k);
        return {
          what: `${weights} ${m}x${k}x${n}`,
          inputs: { x, keys: keysOf(weights, m, k, n), ...scratchOf(kernel.scratchBytes({ m, k, n, weights })) },
          outputs: { y: { want: sums(x, weights, m, k, n) } },
          dispatch: ({ x, keys, y, scratch0, scratch1 }: Record<string, BufferSlice>) =>
            unscaled(kernel.launch({ m, k, n, weights, x: x!, keys: keys!, y: y! }, [scratch0!, scratch1!])),
        };
      }),
    ),
});

/** The transposed transform flips signs last. */
const signOfZero = { tolerance: { absolute: 0, reason: 'integers; a flipped 0 is -0' } };

export const transposed: Group = {
  name: 'integer sums, transposed',
  cases: () =>
    [...elementwiseNames, 'orthogonal' as const].flatMap((weights) =>
      shapes.map(([m, k, n]) => {
        const dz = inputsOf(weights, m * n, n);
        const scratch = isElementwise(weights) ? 16 : orthogonalShape({ m, k, n }).scratchBytes;
        return {
          what: `${weights} ${m}x${k}x${n}`,
          inputs: { dz, keys: keysOf(weights, m, k, n), ...scratchOf([scratch, scratch]) },
          outputs: { dx: { want: sums(dz, weights, m, k, n, true), ...(!isElementwise(weights) && signOfZero) } },
          dispatch: ({ dz, keys, dx, scratch0, scratch1 }: Record<string, BufferSlice>) => {
            const args = { m, k, n, dz: dz!, keys: keys!, dx: dx! };
            return unscaled(
              isElementwise(weights)
                ? [randomMatmulTransposed({ ...args, weights })]
                : orthogonalTransposed(args, [scratch0!, scratch1!]),
            );
          },
        };
      }),
    ),
};

/** Forward products by every kernel. */
export const forwardSums = Object.entries<ForwardKernel>({ ...forwardKernels, ...batchKernels }).map(([name, kernel]) =>
  forward(name, kernel),
);

export const productGroups: readonly Group[] = [
  goldenWeights,
  slices,
  ...Object.entries<IntegerKernel>(integerKernels).map(([name, kernel], i) => packed(name, kernel, i)),
  ...forwardSums,
  transposed,
];
