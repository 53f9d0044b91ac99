/** The distributions of the weight stream (SPEC.md, section 4): from words to integer weights, and their scales. */
import { normalMagnitudes } from './normal-magnitudes.ts';
import { type Seed, streamWord, unitKeys } from './stream.ts';

export interface Distribution {
  /** Weights that one 32-bit word yields. */
  readonly weightsPerWord: 4 | 32;
  /** Exact second moment of the integer weight, as numerator / denominator. */
  readonly secondMoment: readonly [numerator: number, denominator: number];
  /** The integer weight of input `k`, from the word that holds it. Fits int8. */
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
      return byte & 0x80 ? 0 - magnitude : magnitude; // 0 - 0 is 0, where -0 would not be
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
} as const satisfies Record<string, Distribution>;

/** Name of a distribution; part of the model. */
export type DistributionName = keyof typeof distributions;

export const distributionNames = Object.keys(distributions) as DistributionName[];

/** One random weight matrix, never stored: (units, fanIn) weights as a function of the seed and the tensor number. */
export interface WeightSpec {
  readonly seed: Seed;
  /** Number of the matrix within its model: u32. */
  readonly tensor: number;
  readonly distribution: DistributionName;
}

/**
 * The constant that turns the integer weights of a matrix into weights: 1 / sqrt(second moment x fan-in), rounded to f32,
 * so that r . x has unit variance for independent inputs of unit variance (SPEC.md, section 5).
 */
export function weightScale(distribution: DistributionName, fanIn: number): number {
  const [numerator, denominator] = distributions[distribution].secondMoment;
  return Math.fround(1 / Math.sqrt((numerator * fanIn) / denominator));
}

/**
 * Integer weights of a slice, shape (inputs, units) row-major: one row an input. Ranges are half-open.
 * Times `weightScale` they are the weights. This is the reference that every kernel is held to, bit for bit.
 */
export function integerWeights(
  spec: WeightSpec,
  inputs: readonly [from: number, to: number],
  units: readonly [from: number, to: number],
): Int8Array<ArrayBuffer> {
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

function checkRange(name: string, [from, to]: readonly [number, number], limit: number): void {
  if (Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && from <= to && to <= limit) return;
  throw new RangeError(`${name}: expected a range from:to with 0 <= from <= to <= ${limit}, got ${from}:${to}`);
}
