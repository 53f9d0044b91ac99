/** Random products on the CPU: chooses the kernel, places its keys and memory, and prepares the call. */
import { ShapeError } from '../core/errors.ts';
import {
  type DistributionName,
  distributions,
  type ElementwiseName,
  elementwiseNames,
  isElementwise,
  type WeightSpec,
  weightScale,
} from '../weights/distributions.ts';
import { orthogonalDiagonals, orthogonalLogP } from '../weights/orthogonal.ts';
import { unitKeys } from '../weights/stream.ts';
import type { Kernels, Machine } from './machine.ts';

/**
 * z (m, n) = x (m, k) times the transpose of the random (n, k) matrix. With `from`, the n units are a slice of a larger
 * matrix that starts there.
 */
export interface RandomProduct {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly weights: WeightSpec;
  readonly from?: number;
}

/** Reads and writes f32 at two addresses. */
export type Call = (from: number, to: number) => void;

/** Cached weights for products of one row (cached-weights.ts). The address is 0 while nothing is cached. */
export interface WeightCache {
  readonly units: number;
  address(): number;
}

interface CpuKernel {
  readonly weights: readonly DistributionName[];
  /** Whether the result of a row is independent of the number of rows. */
  readonly anyBatch: boolean;
  prepare(machine: Machine, product: RandomProduct, cache?: WeightCache): Call;
}

export const upTo = (count: number, multiple: number): number => Math.ceil(count / multiple) * multiple;
const blocksOf = (m: number): number => Math.ceil(m / 4);

/** Places the two words of each unit's key in two arrays, padded to a multiple of 16 units. */
export function placeKeys(machine: Machine, { seed, tensor }: WeightSpec, units: number, from = 0): [number, number] {
  const keys = unitKeys(seed, tensor, units, from);
  const plane = (which: 0 | 1) => {
    const words = new Uint32Array(upTo(units, 16));
    for (let i = 0; i < units; i++) words[i] = keys[2 * i + which]!;
    return machine.place(words);
  };
  return [plane(0), plane(1)];
}

/** Numbered as in the kernels (wasm/integers.ts; wasm/random_matmul.ts for signs). */
const kinds: { readonly [D in ElementwiseName]: number } = { normal: 0, uniform: 1, sparse: 2, binary: 3, codeword: 4 };

/** The number of a distribution. Throws `ShapeError` for one that has no weights of single elements. */
export function kindOf(distribution: DistributionName): number {
  if (Object.hasOwn(kinds, distribution)) return kinds[distribution as ElementwiseName];
  throw new ShapeError(`expected weights that are ${Object.keys(kinds).join(', ')}; got '${distribution}'`);
}

type RowKernel = Kernels['randomMatmulRow'];

/** A kernel that takes one row at a time. Pads x with zeros to a multiple of `inputs` and copies z out of scratch. */
const byRows = (
  weights: readonly ElementwiseName[],
  inputs: number,
  kernelOf: (machine: Machine) => RowKernel,
): CpuKernel => ({
  weights,
  anyBatch: false,
  prepare(machine, { m, k, n, weights: spec, from }, cache) {
    const [key0, key1] = placeKeys(machine, spec, n, from);
    const units = upTo(n, 16);
    const x = machine.allocate(4 * upTo(k, inputs));
    const z = machine.allocate(4 * units);
    const scale = weightScale(spec.distribution, k);
    const kind = kindOf(spec.distribution);
    const kernel = kernelOf(machine);
    return (input, output) => {
      machine.decodeAs(spec.distribution as ElementwiseName);
      const cachedAt = cache?.address() ?? 0;
      const row = machine.floats(x, upTo(k, inputs)).fill(0, k);
      const sums = machine.floats(z, units);
      for (let i = 0; i < m; i++) {
        row.set(machine.floats(input + 4 * k * i, k));
        sums.fill(0);
        kernel(x, k, key0, key1, kind, units, z, cachedAt, cache?.units ?? 0);
        machine.kernels.scale(z, n, scale, output + 4 * n * i);
      }
    };
  },
});

/** Allocates packed rows, `depth` deep. */
const packed = (machine: Machine, m: number, depth: number) => machine.allocate(16 * depth * blocksOf(m));

/** Every kernel of the forward product, by the name that forces it. */
export const cpuKernels = {
  row: byRows(['normal', 'uniform', 'sparse'], 4, ({ kernels }) => kernels.randomMatmulRow),
  'sign nibbles': byRows(['binary'], 32, ({ kernels }) => (x, k, key0, key1, _, n, z) => {
    kernels.signNibbles(x, k, key0, key1, n, z);
  }),
  'sign tables': {
    weights: ['binary', 'codeword'],
    anyBatch: true,
    prepare(machine, { m, k, n, weights, from }) {
      const distribution = weights.distribution as ElementwiseName;
      const [key0, key1] = placeKeys(machine, weights, n, from);
      const depth = upTo(k, distributions[distribution].weightsPerWord);
      const [blocks, units, kind] = [blocksOf(m), upTo(n, 4), kindOf(distribution)];
      const x = packed(machine, m, depth);
      const z = packed(machine, m, units);
      const words = machine.allocate(4 * units);
      const scale = weightScale(distribution, k);
      return (input, output) => {
        machine.decodeAs(distribution);
        machine.kernels.packRows(input, 4 * k, 4, m, k, depth, x);
        machine.floats(z, 4 * units * blocks).fill(0);
        machine.kernels.signTables(x, blocks, k, key0, key1, kind, units, z, words);
        machine.kernels.unpackRows(z, m, n, units, scale, output);
      };
    },
  },
  panel: {
    weights: elementwiseNames,
    anyBatch: true,
    prepare(machine, { m, k, n, weights, from }) {
      const [key0, key1] = placeKeys(machine, weights, n, from);
      const x = packed(machine, m, k);
      const z = packed(machine, m, upTo(n, 8));
      const scale = weightScale(weights.distribution, k);
      const kind = kindOf(weights.distribution);
      return (input, output) => {
        machine.decodeAs(weights.distribution as ElementwiseName);
        machine.kernels.packRows(input, 4 * k, 4, m, k, k, x);
        machine.floats(z, 4 * upTo(n, 8) * blocksOf(m)).fill(0);
        machine.kernels.randomMatmul(x, blocksOf(m), k, key0, key1, kind, n, z);
        machine.kernels.unpackTiles(z, m, n, scale, output);
      };
    },
  },
  orthogonal: {
    weights: ['orthogonal'],
    anyBatch: true,
    prepare(machine, { m, k, n, weights, from = 0 }) {
      const logP = orthogonalLogP(k);
      const size = 2 ** logP;
      const v = machine.allocate(4 * size);
      const scale = weightScale('orthogonal', k);
      const blocks = placeDiagonals(machine, weights, logP, from, n);
      return (input, output) => {
        const work = machine.floats(v, size);
        for (let i = 0; i < m; i++) {
          for (const { signs, first, row, count } of blocks) {
            work.set(machine.floats(input + 4 * k * i, k));
            work.fill(0, k);
            machine.kernels.orthogonal(v, size, signs);
            machine.kernels.scale(v + 4 * row, count, scale, output + 4 * (n * i + first));
          }
        }
      };
    },
  },
} as const satisfies Record<string, CpuKernel>;

export type CpuKernelName = keyof typeof cpuKernels;

/**
 * The blocks of units `from` to `from + n - 1`: diagonals as bits, first unit here, its row in the block, rows used.
 */
function placeDiagonals(machine: Machine, { seed, tensor }: WeightSpec, logP: number, from: number, n: number) {
  const size = 2 ** logP;
  const blocks: { signs: number; first: number; row: number; count: number }[] = [];
  for (let first = 0; first < n; ) {
    const block = Math.floor((from + first) / size);
    const row = (from + first) % size;
    const count = Math.min(n - first, size - row);
    const bits = new Uint32Array((3 * size) / 32);
    orthogonalDiagonals(seed, tensor, block, logP).forEach((diagonal, d) => {
      diagonal.forEach((sign, t) => {
        if (sign < 0) bits[(d * size) / 32 + (t >> 5)]! |= 1 << (t & 31);
      });
    });
    blocks.push({ signs: machine.place(bits), first, row, count });
    first += count;
  }
  return blocks;
}

export interface CpuChoice {
  /** Whether to allow only kernels for which the result of a row is independent of the number of rows. */
  readonly anyBatch?: boolean;
  /** Forces this kernel, whatever the table says. */
  readonly kernel?: CpuKernelName;
}

/** Measured on a Zen 3 core in Chromium (npm run bench -- --filter weightless-cpu). */
function byTable({ m, weights }: RandomProduct, anyBatch: boolean): CpuKernelName {
  const { distribution } = weights;
  if (distribution === 'orthogonal') return 'orthogonal';
  if (distribution === 'binary') return m <= 2 && !anyBatch ? 'sign nibbles' : 'sign tables';
  if (distribution === 'codeword') return 'sign tables';
  return m === 1 && !anyBatch ? 'row' : 'panel';
}

/**
 * Prepares the forward product and returns the call. `cache` may also hold units after those of the product. Throws
 * `ShapeError` if the forced kernel does not support the distribution.
 */
export function randomMatmul(
  machine: Machine,
  product: RandomProduct,
  { anyBatch = false, kernel }: CpuChoice = {},
  cache?: WeightCache,
): Call {
  const { distribution } = product.weights;
  const chosen: CpuKernel | undefined = cpuKernels[kernel ?? byTable(product, anyBatch)];
  if (!chosen?.weights.includes(distribution)) {
    const names = Object.entries<CpuKernel>(cpuKernels)
      .filter(([, { weights }]) => weights.includes(distribution))
      .map(([name]) => name);
    throw new ShapeError(`expected a CPU kernel for ${distribution} weights (${names.join(', ')}), got ${kernel}`);
  }
  return chosen.prepare(machine, product, cache);
}

/** Prepares dx (m, k) = dz (m, n) times the random (n, k) matrix and returns the call. */
export function randomMatmulTransposed(machine: Machine, { m, k, n, weights }: RandomProduct): Call {
  const { distribution } = weights;
  const scale = weightScale(distribution, k);
  if (!isElementwise(distribution)) return orthogonalTransposed(machine, { m, k, n, weights });
  const [key0, key1] = placeKeys(machine, weights, n);
  const dz = packed(machine, m, n);
  const dx = packed(machine, m, upTo(k, 8));
  const kind = kindOf(distribution);
  return (input, output) => {
    machine.decodeAs(distribution);
    machine.kernels.packRows(input, 4 * n, 4, m, n, n, dz);
    machine.floats(dx, 4 * upTo(k, 8) * blocksOf(m)).fill(0);
    machine.kernels.randomMatmulTransposed(dz, blocksOf(m), n, key0, key1, kind, k, dx);
    machine.kernels.unpackTiles(dx, m, k, scale, output);
  };
}

function orthogonalTransposed(machine: Machine, { m, k, n, weights }: RandomProduct): Call {
  const logP = orthogonalLogP(k);
  const size = 2 ** logP;
  const v = machine.allocate(4 * size);
  const scale = weightScale('orthogonal', k);
  const blocks = placeDiagonals(machine, weights, logP, 0, n);
  return (input, output) => {
    const work = machine.floats(v, size);
    for (let i = 0; i < m; i++) {
      const out = machine.floats(output + 4 * k * i, k).fill(0);
      for (const { signs, first, count } of blocks) {
        work.set(machine.floats(input + 4 * (n * i + first), count));
        work.fill(0, count);
        machine.kernels.orthogonalTransposed(v, size, signs);
        for (let t = 0; t < k; t++) out[t]! += scale * work[t]!;
      }
    }
  };
}
