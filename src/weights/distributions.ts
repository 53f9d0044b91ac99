/** The distributions of the weight stream (SPEC.md, section 4): from words to integer weights, and their scales. */
import { ShapeError } from '../core/errors.ts';
import { expectOptions } from '../core/options.ts';
import { codeBit } from './code-words.ts';
import { normalMagnitudes } from './normal-magnitudes.ts';
import { MAX_ORTHOGONAL_FAN_IN, orthogonalDiagonals, orthogonalLogP, orthogonalRow } from './orthogonal.ts';
import { type Seed, streamWord, unitKeys } from './stream.ts';

export interface Distribution {
  /** Number of weights per 32-bit word. */
  readonly weightsPerWord: 4 | 32 | 64;
  /** Exact second moment of the integer weight, as numerator / denominator. */
  readonly secondMoment: readonly [numerator: number, denominator: number];
  /** The integer weight of input `k`, decoded from its word. Fits int8. */
  decode(word: number, k: number): number;
}

const byteOf = (word: number, k: number) => (word >>> (8 * (k & 3))) & 0xff;

export const distributions = {
  normal: {
    weightsPerWord: 4,
    secondMoment: [236797, 128],
    decode(word, k) {
      const byte = byteOf(word, k);
      const magnitude = normalMagnitudes[k & 1 ? 'odd' : 'even'][byte & 0x7f]!;
      return byte & 0x80 ? 0 - magnitude : magnitude; // not -magnitude, which would give -0
    },
  },
  binary: {
    weightsPerWord: 32,
    secondMoment: [1, 1],
    decode: (word, k) => 1 - 2 * ((word >>> (k & 31)) & 1),
  },
  uniform: {
    weightsPerWord: 4,
    secondMoment: [5461, 1],
    decode: (word, k) => ((byteOf(word, k) | 1) << 24) >> 24,
  },
  sparse: {
    weightsPerWord: 4,
    secondMoment: [43, 128],
    decode(word, k) {
      const byte = byteOf(word, k);
      return (byte & 0x7f) < 85 ? 0 : byte & 0x80 ? -1 : 1;
    },
  },
  codeword: {
    weightsPerWord: 64,
    secondMoment: [1, 1],
    decode: (word, k) => 1 - 2 * codeBit(byteOf(word, k >> 4), k & 15),
  },
} as const satisfies Record<string, Distribution>;

/** Distributions that draw every weight independently from the words of its unit. */
export type ElementwiseName = keyof typeof distributions;

/** Name of a kind of random matrix; stored in the model. */
export type DistributionName = ElementwiseName | 'orthogonal';

export const elementwiseNames = Object.keys(distributions) as ElementwiseName[];

export const distributionNames: readonly DistributionName[] = [...elementwiseNames, 'orthogonal'];

/** False for `orthogonal`, whose entries depend on one another. */
export const isElementwise = (name: DistributionName): name is ElementwiseName => name !== 'orthogonal';

/** Throws `ShapeError` for a matrix beyond what the stream defines (SPEC.md, sections 1 and 4.5). */
export function expectMatrix(distribution: DistributionName, fanIn: number, units: number): void {
  const most = isElementwise(distribution) ? 2 ** 32 : MAX_ORTHOGONAL_FAN_IN;
  if (fanIn > most) {
    throw new ShapeError(
      `expected at most ${most} inputs for '${distribution}' weights, got ${fanIn}. Use another distribution or fewer inputs.`,
    );
  }
  if (units > 2 ** 32) throw new ShapeError(`expected at most ${2 ** 32} units, got ${units}. Use fewer.`);
}

/** A random weight matrix, never stored: (units, fanIn) weights as a function of the seed and the tensor number. */
export interface WeightSpec {
  readonly seed: Seed;
  /** Number of the matrix within its model, u32. */
  readonly tensor: number;
  readonly distribution: DistributionName;
}

/**
 * The factor that turns the integer weights of a matrix into weights: 1 / sqrt(second moment x fan-in), rounded to f32.
 * It gives r . x unit variance for independent inputs of unit variance (SPEC.md, section 5). Throws `RangeError` if
 * `fanIn` is too large for `orthogonal`.
 */
export function weightScale(distribution: DistributionName, fanIn: number): number {
  if (!isElementwise(distribution)) return Math.fround(1 / (2 ** orthogonalLogP(fanIn) * Math.sqrt(fanIn)));
  const [numerator, denominator] = distributions[distribution].secondMoment;
  return Math.fround(1 / Math.sqrt((numerator * fanIn) / denominator));
}

/**
 * Integer weights of a slice, shape (inputs, units) row-major: one row per input. Ranges are half-open. Multiplied by
 * `weightScale` they are the weights. Every kernel must match this reference bit for bit. A matrix `orthogonal` depends
 * on `fanIn`, the number of inputs of the layer (default: the end of the slice).
 */
export function integerWeights(
  spec: WeightSpec & { readonly distribution: ElementwiseName },
  inputs: readonly [from: number, to: number],
  units: readonly [from: number, to: number],
): Int8Array<ArrayBuffer>;
export function integerWeights(
  spec: WeightSpec,
  inputs: readonly [from: number, to: number],
  units: readonly [from: number, to: number],
  fanIn?: number,
): Int8Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
export function integerWeights(
  spec: WeightSpec,
  inputs: readonly [from: number, to: number],
  units: readonly [from: number, to: number],
  fanIn: number = inputs[1],
): Int8Array<ArrayBuffer> | Int32Array<ArrayBuffer> {
  expectOptions('integerWeights', spec, { seed: 'any', tensor: 'any', distribution: distributionNames }, [
    'distribution',
  ]);
  if (!isElementwise(spec.distribution)) return orthogonalWeights(spec, inputs, units, fanIn);
  const { weightsPerWord, decode } = distributions[spec.distribution];
  checkRange('inputs', inputs, weightsPerWord * 2 ** 32);
  checkRange('units', units, 2 ** 32);
  const rows = inputs[1] - inputs[0];
  const columns = units[1] - units[0];
  const keys = unitKeys(spec.seed, spec.tensor, columns, units[0]);
  const out = new Int8Array(rows * columns);
  for (let column = 0; column < columns; column++) {
    let index = -1;
    let word = 0;
    for (let row = 0; row < rows; row++) {
      const k = inputs[0] + row;
      if (index !== Math.floor(k / weightsPerWord)) {
        index = Math.floor(k / weightsPerWord);
        word = streamWord(keys[2 * column]!, keys[2 * column + 1]!, index);
      }
      out[row * columns + column] = decode(word, k);
    }
  }
  return out;
}

function orthogonalWeights(
  { seed, tensor }: WeightSpec,
  inputs: readonly [number, number],
  units: readonly [number, number],
  fanIn: number,
): Int32Array<ArrayBuffer> {
  const logP = orthogonalLogP(fanIn);
  checkRange('inputs', inputs, fanIn);
  checkRange('units', units, 2 ** 32);
  const columns = units[1] - units[0];
  const out = new Int32Array((inputs[1] - inputs[0]) * columns);
  let block = -1;
  let diagonals: Float64Array[] = [];
  for (let column = 0; column < columns; column++) {
    const unit = units[0] + column;
    if (Math.floor(unit / 2 ** logP) !== block) {
      block = Math.floor(unit / 2 ** logP);
      diagonals = orthogonalDiagonals(seed, tensor, block, logP);
    }
    const row = orthogonalRow(diagonals, unit % 2 ** logP);
    for (let k = inputs[0]; k < inputs[1]; k++) out[(k - inputs[0]) * columns + column] = row[k]!;
  }
  return out;
}

function checkRange(name: string, [from, to]: readonly [number, number], limit: number): void {
  if (Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && from <= to && to <= limit) return;
  throw new RangeError(`${name}: expected a range from:to with 0 <= from <= to <= ${limit}, got ${from}:${to}`);
}
