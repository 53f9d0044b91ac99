/**
 * The weight stream before the judges. Everything is deterministic, so each figure either always passes or never does. The
 * bounds are those that perfect randomness would pass: z-scores with the probability of exceeding them in all the
 * comparisons of one test together (at most 1e-3), and each detector must flag what is known to be wrong.
 */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { decodeTable } from '../src/weights/decode-table.ts';
import {
  distributions,
  type ElementwiseName,
  elementwiseNames,
  integerWeights,
  weightScale,
} from '../src/weights/distributions.ts';
import { normalMagnitudes } from '../src/weights/normal-magnitudes.ts';
import { philox4x32, streamWord, unitKey, unitKeys } from '../src/weights/stream.ts';
import { findRelations } from './related-streams.ts';
import {
  bitPlanes,
  correlationZ,
  distanceToNormal,
  goodnessOfFit,
  gramStatistics,
  kolmogorovDistance,
  marchenkoPasturCdf,
  momentsOf,
  type Probabilities,
  worstBitCorrelation,
} from './statistics.ts';
import { streamWords } from './stream-words.ts';
import { counterXorSeed, mix, nested, type WordFunction } from './wrong-mixes.ts';

const TIMEOUT = { timeout: 60_000 };

/** Every value of a distribution with its exact probability: all words' bytes (or bits), over the places in a word. */
function exact(name: ElementwiseName): Probabilities {
  const { weightsPerWord, decode } = distributions[name];
  const { bits, shifts } = decodeTable(name);
  const values = 2 ** bits;
  const probabilities = new Map<number, number>();
  for (let k = 0; k < weightsPerWord; k++) {
    for (let value = 0; value < values; value++) {
      const weight = decode((value << shifts[k]!) >>> 0, k);
      probabilities.set(weight, (probabilities.get(weight) ?? 0) + 1 / (values * weightsPerWord));
    }
  }
  return probabilities;
}

const secondMoment = (name: ElementwiseName) => {
  const [numerator, denominator] = distributions[name].secondMoment;
  return numerator / denominator;
};

describe('distributions, exactly', () => {
  it.each(elementwiseNames)('%s has mean 0 and the second moment that it states', (name) => {
    const { mean, variance } = momentsOf(exact(name));
    expect(Math.abs(mean)).toBeLessThan(1e-12);
    expect(variance).toBeCloseTo(secondMoment(name), 9);
  });

  it('normal is near the normal distribution: Kolmogorov <= 0.006, excess kurtosis <= 0.1, reach >= 2.8', () => {
    const values = exact('normal');
    const deviation = Math.sqrt(secondMoment('normal'));
    expect(distanceToNormal(values, deviation)).toBeLessThanOrEqual(0.006);
    expect(Math.abs(momentsOf(values).kurtosis)).toBeLessThanOrEqual(0.1);
    expect(Math.max(...values.keys()) / deviation).toBeGreaterThanOrEqual(2.8);
    expect(Math.min(...values.keys())).toBe(-Math.max(...values.keys()));
  });

  it('normal has two tables of one second moment, in rising order', () => {
    for (const table of Object.values(normalMagnitudes)) {
      expect(table.length).toBe(128);
      expect(table.reduce((sum, magnitude) => sum + magnitude ** 2, 0)).toBe(236797);
      expect([...table].sort((a, b) => a - b)).toEqual(table);
    }
  });

  it('uniform is every odd integer from -127 to 127; sparse and binary have the stated probabilities', () => {
    const uniform = exact('uniform');
    expect([...uniform.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: 128 }, (_, i) => 2 * i - 127));
    expect(new Set(uniform.values())).toEqual(new Set([1 / 128]));
    expect(Object.fromEntries(exact('sparse'))).toEqual({ '-1': 43 / 256, '0': 170 / 256, '1': 43 / 256 });
    expect(Object.fromEntries(exact('binary'))).toEqual({ '-1': 0.5, '1': 0.5 });
    expect(Object.fromEntries(exact('codeword'))).toEqual({ '-1': 0.5, '1': 0.5 });
  });

  it('the words of codeword are a code of distance 6, and any five of its signs are independent', () => {
    const words = Array.from({ length: 256 }, (_, byte) =>
      Array.from({ length: 16 }, (_, k) => distributions.codeword.decode(byte, k)),
    );
    const product = (places: number[], word: number[]) => places.reduce((all, place) => all * word[place]!, 1);
    const distances = words.flatMap((a, i) =>
      words.slice(0, i).map((b) => a.filter((sign, k) => sign !== b[k]).length),
    );
    expect(Math.min(...distances)).toBe(6);
    // The products of any places average to 0: so all moments up to the fifth are those of independent signs.
    const dependent = [0, 0, 0, 0, 0, 0, 0];
    for (let set = 1; set < 2 ** 16; set++) {
      const places = Array.from({ length: 16 }, (_, k) => k).filter((k) => (set >> k) & 1);
      if (places.length > 6) continue;
      dependent[places.length]! += Number(words.reduce((sum, word) => sum + product(places, word), 0) !== 0);
    }
    expect(dependent).toEqual([0, 0, 0, 0, 0, 0, 448]);
    // Each byte of a word picks its word in the same way.
    for (let k = 0; k < 64; k++) {
      const byte = 37 + k;
      expect(distributions.codeword.decode(byte << (8 * (k >> 4)), k)).toBe(words[byte]![k & 15]);
    }
  });

  it('the fourth moment of a sum over a code word is that of independent signs, whatever the inputs', () => {
    const inputs = Float64Array.from({ length: 16 }, (_, i) => Math.sin(3 * i + 1) * (1 + i));
    const [second, fourth] = [2, 4].map((power) => inputs.reduce((sum, x) => sum + x ** power, 0)) as [number, number];
    let mean = 0;
    for (let byte = 0; byte < 256; byte++) {
      mean += inputs.reduce((sum, x, k) => sum + x * distributions.codeword.decode(byte, k), 0) ** 4 / 256;
    }
    expect(mean / (3 * second ** 2 - 2 * fourth)).toBeCloseTo(1, 12);
  });
});

/** Shares of the values among 2^22 weights. */
const COUNT = 2 ** 22;
function observe(name: ElementwiseName): Map<number, number> {
  const counts = new Uint32Array(256); // of an int8
  for (const weight of integerWeights({ seed: 11, tensor: 2, distribution: name }, [0, 4096], [0, 1024])) {
    counts[weight + 128]!++;
  }
  const values = new Set([...exact(name).keys(), ...[...counts.keys()].filter((i) => counts[i]).map((i) => i - 128)]);
  return new Map([...values].map((value) => [value, counts[value + 128]! / COUNT]));
}

describe.each(elementwiseNames)('2^22 weights of %s', (name) => {
  const expected = exact(name);
  const observed = observe(name);

  it('have the moments: |z| <= 4, p 6e-5 each', () => {
    const { variance, fourth } = momentsOf(expected);
    const second = [...observed].reduce((sum, [value, share]) => sum + value ** 2 * share, 0);
    expect(Math.abs(momentsOf(observed).mean) / Math.sqrt(variance / COUNT)).toBeLessThanOrEqual(4);
    expect(Math.abs(second - variance)).toBeLessThanOrEqual(4 * Math.sqrt((fourth - variance ** 2) / COUNT));
  });

  if (name === 'normal') {
    it('are normal: Kolmogorov <= 0.006, excess kurtosis <= 0.1, reach >= 2.8', () => {
      const deviation = Math.sqrt(secondMoment('normal'));
      expect(distanceToNormal(observed, deviation)).toBeLessThanOrEqual(0.006);
      expect(Math.abs(momentsOf(observed).kurtosis)).toBeLessThanOrEqual(0.1);
      expect(Math.max(...observed.keys()) / deviation).toBeGreaterThanOrEqual(2.8);
    });
  }

  it('have the frequencies: chi-square, |z| <= 4, p 6e-5', () => {
    const values = [...observed.keys()];
    const z = goodnessOfFit(
      values.map((value) => observed.get(value)! * COUNT),
      values.map((value) => expected.get(value) ?? 0),
    );
    expect(Math.abs(z)).toBeLessThanOrEqual(4);
  });
});

describe('neighbouring streams', TIMEOUT, () => {
  const places = [
    { seed: 0, tensor: 0, unit: 0, index: 0 },
    { seed: 12345, tensor: 7, unit: 4000, index: 900 },
    { seed: 2 ** 32 - 2, tensor: 2 ** 31, unit: 2 ** 31 - 16, index: 2 ** 24 },
  ];

  it.each(places)('of seed $seed, tensor $tensor, unit $unit, index $index are not made of one another', (place) => {
    expect(findRelations(streamWords(), place)).toEqual([]);
  });

  it('a counter and seed under exclusive or are found: permutations', () => {
    const found = findRelations(counterXorSeed, places[0]!);
    expect(found).toContain('seed + 1: permutation');
    expect(found).toContain('seed + 64: permutation');
  });

  it('nested mixes are found: the next row of one seed is a row of the next', () => {
    const found = findRelations(nested, places[0]!);
    expect(found).toContain(`seed + 1: overlap of ${31 * 256} words`);
    expect(found).toContain('seed + 1: shift by 1 units and 0 indices');
  });

  it.each<[string, WordFunction, RegExp]>([
    ['a seed that only turns bits', (s, t, u, j) => (mix(u * 1024 + j + t * 77777777) ^ mix(s)) >>> 0, /constant excl/],
    ['a seed that is only added', (s, t, u, j) => (mix(u * 1024 + j + t * 77777777) + mix(s)) >>> 0, /constant diff/],
    ['units that are shifts of one another', (s, t, u, j) => mix(mix(mix(s) + t) + 3 * u + j), /within the block/],
    [
      'near keys before the first round only',
      (s, t, u, j) => mix(mix(u) + s + t + j),
      /seed \+ 3: shift by 0 units and 3/,
    ],
    [
      'a bit that one word in ten shares with its neighbours',
      (s, t, u, j) => {
        const base = mix(mix(mix(mix(s) + t) + u) + j);
        return (mix(j + 1) % 10 === 0 ? (base & ~1) | ((mix(u * 512 + j) >>> 7) & 1) : base) >>> 0;
      },
      /bits 0 follow/,
    ],
  ])('%s: found', (_, word, relation) => {
    expect(findRelations(word, places[0]!).join('\n')).toMatch(relation);
  });

  it('2^22 words of a matrix repeat as often as chance has it: |z| <= 4', () => {
    const keys = unitKeys(5, 1, 4096);
    const words = Uint32Array.from({ length: 2 ** 22 }, (_, i) =>
      streamWord(keys[2 * (i >>> 10)]!, keys[2 * (i >>> 10) + 1]!, i & 1023),
    ).sort();
    const repeated = words.reduce((count, word, i) => count + Number(i > 0 && word === words[i - 1]), 0);
    const expected = 2 ** 22 - 2 ** 32 * -Math.expm1(2 ** 22 * Math.log1p(-(2 ** -32)));
    expect(Math.abs(repeated - expected) / Math.sqrt(expected)).toBeLessThanOrEqual(4);
  });
});

describe('singular values', TIMEOUT, () => {
  const UNITS = 256;
  const INPUTS = 512;
  /**
   * The spectrum is rigid: the distance is a few eigenvalues of 256, not 1 / sqrt(256). Of 300 matrices of normal deviates
   * from another generator it has mean 0.0108 and deviation 0.0015; 0.0163 at most. The bound is 6 deviations above.
   */
  const SPECTRUM_DISTANCE = 0.02;

  /** Eigenvalues of R R^T in rising order. */
  function spectrum(name: ElementwiseName, change: (rows: Float64Array[]) => void = () => {}): number[] {
    const weights = integerWeights({ seed: 21, tensor: 0, distribution: name }, [0, INPUTS], [0, UNITS]);
    const scale = weightScale(name, INPUTS);
    const rows = Array.from({ length: UNITS }, (_, u) =>
      Float64Array.from({ length: INPUTS }, (_, k) => scale * weights[k * UNITS + u]!),
    );
    change(rows);
    const matrix = new Matrix(rows.map((row) => [...row]));
    const { realEigenvalues } = new EigenvalueDecomposition(matrix.mmul(matrix.transpose()), { assumeSymmetric: true });
    return realEigenvalues.sort((a, b) => a - b);
  }

  const cdf = marchenkoPasturCdf(UNITS / INPUTS);

  it.each(elementwiseNames)('of %s follow Marchenko and Pastur, to the edges', (name) => {
    const eigenvalues = spectrum(name);
    expect(kolmogorovDistance(eigenvalues, cdf)).toBeLessThanOrEqual(SPECTRUM_DISTANCE);
    // Johnstone; Feldheim and Sodin: the extreme eigenvalues follow Tracy and Widom's law, mean -1.21, deviation 1.27
    const [a, b] = [Math.sqrt(INPUTS), Math.sqrt(UNITS)];
    const top = (eigenvalues.at(-1)! * INPUTS - (a + b) ** 2) / ((a + b) * Math.cbrt(1 / a + 1 / b));
    const bottom = ((a - b) ** 2 - eigenvalues[0]! * INPUTS) / ((a - b) * Math.cbrt(1 / b - 1 / a));
    for (const edge of [top, bottom]) {
      expect(edge).toBeGreaterThanOrEqual(-1.21 - 4 * 1.27);
      expect(edge).toBeLessThanOrEqual(-1.21 + 4 * 1.27);
    }
  });

  it('of a matrix with one unit in ten repeated do not', () => {
    const eigenvalues = spectrum('normal', (rows) => {
      for (let u = 9; u < UNITS; u += 10) {
        rows[u]!.set(rows[u - 1]!);
      }
    });
    expect(kolmogorovDistance(eigenvalues, cdf)).toBeGreaterThan(2 * SPECTRUM_DISTANCE);
  });

  it('of a matrix whose units are shifts of one another do not', () => {
    const eigenvalues = spectrum('normal', (rows) => {
      for (let u = 1; u < UNITS; u++) {
        rows[u]!.set(rows[u - 1]!.subarray(1), 0);
      }
    });
    expect(kolmogorovDistance(eigenvalues, cdf)).toBeGreaterThan(2 * SPECTRUM_DISTANCE);
  });
});

describe.each(elementwiseNames)('Gram matrices of %s', (name) => {
  const ROWS = 256;
  const LENGTH = 2048;
  const { variance: m2, fourth: m4 } = momentsOf(exact(name));

  const unitRow = (seed: number, tensor: number, unit: number) =>
    integerWeights({ seed, tensor, distribution: name }, [0, LENGTH], [unit, unit + 1]);
  const rows = (row: (i: number) => Int8Array) => Array.from({ length: ROWS }, (_, i) => row(i));
  const inputRows = () => {
    const block = integerWeights({ seed: 31, tensor: 0, distribution: name }, [0, ROWS], [0, LENGTH]);
    return rows((i) => block.subarray(i * LENGTH, (i + 1) * LENGTH));
  };

  it.each<[string, () => Int8Array[]]>([
    ['units', () => rows((i) => unitRow(31, 0, i))],
    ['inputs', inputRows],
    ['tensors', () => rows((i) => unitRow(31, i, 5))],
    ['seeds', () => rows((i) => unitRow(1000 + i, 0, 5))],
  ])('across %s: as of independent entries', (_, made) => {
    const z = gramStatistics(made(), m2, m4);
    // 16 matrices x 4 figures at |z| <= 4.5: p 4e-4 together. The largest of 32,640 products, |z| <= 6: p 6e-5
    expect(Math.abs(z.mean)).toBeLessThanOrEqual(4.5);
    expect(Math.abs(z.variance)).toBeLessThanOrEqual(4.5);
    expect(Math.abs(z.diagonalMean)).toBeLessThanOrEqual(4.5);
    expect(Math.abs(z.diagonalVariance)).toBeLessThanOrEqual(4.5);
    expect(z.largest).toBeLessThanOrEqual(6);
    expect(z.largest).toBeGreaterThanOrEqual(3.3); // all below 3.3: p 1e-14
  });

  it('show a row that is repeated', () => {
    const rows = Array.from({ length: 16 }, (_, i) => unitRow(31, 0, i % 15));
    expect(gramStatistics(rows, m2, m4).largest).toBeGreaterThan(6);
  });
});

/** 2^20 words along an axis, `lag` apart: a[i] and b[i] are neighbours. */
const AXES: Record<string, (lag: number) => Uint32Array> = {
  inputs: (lag) => wordsAlong(1024, 1024, (unit, index) => [41, unit, index + lag]),
  units: (lag) => wordsAlong(8192, 128, (unit, index) => [41, unit + lag, index]),
  seeds: (lag) => wordsAlong(8192, 128, (seed, index) => [41 + seed + lag, 6, index]),
};

function wordsAlong(rows: number, columns: number, place: (row: number, column: number) => [number, number, number]) {
  const word = streamWords();
  return Uint32Array.from({ length: rows * columns }, (_, i) => {
    const [seed, unit, index] = place(Math.floor(i / columns), i % columns);
    return word(seed, 0, unit, index);
  });
}

describe('within and between words', TIMEOUT, () => {
  it('the four bytes are independent in pairs: chi-square, |z| <= 4.5, p 2e-4 together', () => {
    const words = AXES.inputs!(0);
    const uniform = new Float64Array(256).fill(1 / 256);
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j < i; j++) {
        for (const nibbles of [0, 4, 2]) {
          const counts = new Uint32Array(256);
          for (const word of words) {
            const cell = ((word >>> (8 * i + nibbles)) & 15) | (((word >>> (8 * j + nibbles)) & 15) << 4);
            counts[cell]!++;
          }
          expect(Math.abs(goodnessOfFit(counts, uniform))).toBeLessThanOrEqual(4.5);
        }
      }
    }
  });

  it.each(Object.keys(AXES))('along %s no word and no bit follows an earlier one', (axis) => {
    const words = AXES[axis]!(0);
    const planes = bitPlanes(words);
    for (const lag of [1, 2, 3, 4, 8, 64]) {
      const lagged = AXES[axis]!(lag);
      expect(Math.abs(correlationZ(words, lagged)), `lag ${lag}`).toBeLessThanOrEqual(4.5); // 18 lags: p 1e-4
      // 18 x 1024 pairs of bits, |z| <= 6: p 4e-5
      expect(worstBitCorrelation(planes, bitPlanes(lagged)), `lag ${lag}`).toBeLessThanOrEqual(6);
    }
  });

  it('no bit of a word follows another bit of it: |z| <= 5.5, 496 pairs, p 2e-5', () => {
    const planes = bitPlanes(AXES.units!(0));
    for (let b = 1; b < 32; b++) {
      expect(worstBitCorrelation([planes[b]!], planes.slice(0, b))).toBeLessThanOrEqual(5.5);
    }
  });
});

describe('avalanche', TIMEOUT, () => {
  /** Worst |p - 1/2| that flipping a bit of an input flips a bit of the word. `flip` gives the differences of trial i. */
  function worstBias(trials: number, inputBits: number, flip: (trial: number, bit: number) => number): number {
    let worst = 0;
    for (let bit = 0; bit < inputBits; bit++) {
      const flips = new Uint32Array(32);
      for (let i = 0; i < trials; i++) {
        const difference = flip(i, bit);
        for (let out = 0; out < 32; out++) {
          flips[out]! += (difference >>> out) & 1;
        }
      }
      worst = Math.max(worst, ...flips.map((count) => Math.abs(count - trials / 2)));
    }
    return worst / trials;
  }

  const DIRECT = 2 ** 16;
  const inputs = Array.from({ length: DIRECT }, (_, i) => philox4x32([i, 0, 0, 0], [51, 0]));
  const words = inputs.map(([key0, key1, index]) => streamWord(key0, key1, index));

  /** The two rounds' own bias, 0.0083 at most (measured), and 6 standard deviations of 0.00195. */
  const ROUNDS_BIAS = 0.02;

  it('of a bit of key0', () => {
    const bias = worstBias(DIRECT, 32, (i, bit) => {
      const [key0, key1, index] = inputs[i]!;
      return words[i]! ^ streamWord(key0 ^ (1 << bit), key1, index);
    });
    expect(bias).toBeLessThanOrEqual(ROUNDS_BIAS);
  });

  it('of a bit of the word index', () => {
    const bias = worstBias(DIRECT, 32, (i, bit) => {
      const [key0, key1, index] = inputs[i]!;
      return words[i]! ^ streamWord(key0, key1, (index ^ (1 << bit)) >>> 0);
    });
    expect(bias).toBeLessThanOrEqual(ROUNDS_BIAS);
  });

  it('keeps units apart that share key0: their bytes are uncorrelated, and would not be if key1 were only added', () => {
    const PAIRS = 200;
    const WORDS = 1024;
    const onlyAdded = (key0: number, key1: number, index: number) => {
      let h = (key0 + Math.imul(index, 0x9e3779b9)) | 0;
      h ^= h >>> 16;
      h = Math.imul(h, 0x21f0aaad);
      h = Math.imul((h ^ (h >>> 15)) + key1, 0x735a2d97);
      return (h ^ (h >>> 15)) >>> 0;
    };
    const rootMeanSquare = (word: typeof streamWord) => {
      let sum = 0;
      for (let pair = 0; pair < PAIRS; pair++) {
        const [key0, first, second] = philox4x32([pair, 2, 0, 0], [51, 0]);
        let products = 0;
        for (let i = 0; i < 4 * WORDS; i++) {
          const byte = (key1: number) => ((word(key0, key1, i >>> 2) >>> (8 * (i & 3))) & 0xff) - 127.5;
          products += byte(first) * byte(second);
        }
        sum += (products / (4 * WORDS) / ((256 ** 2 - 1) / 12)) ** 2;
      }
      return Math.sqrt(sum / PAIRS);
    };
    // of independent units: 1 / sqrt(4096) = 0.0156, its standard deviation over 200 pairs 0.0008
    expect(rootMeanSquare(streamWord)).toBeLessThanOrEqual(0.0156 + 5 * 0.0008);
    expect(rootMeanSquare(onlyAdded)).toBeGreaterThan(0.1);
  });

  it('of a bit of seed, tensor or unit: as of a perfect hash, |z| <= 5.5, 4,096 pairs, p 2e-4', () => {
    const TRIALS = 4096;
    type Place = [seedLow: number, seedHigh: number, tensor: number, unit: number];
    const wordOf = ([low, high, tensor, unit]: Place, index: number) =>
      streamWord(...unitKey((BigInt(high) << 32n) | BigInt(low), tensor, unit), index);
    const places = Array.from({ length: TRIALS }, (_, i): Place => philox4x32([i, 1, 0, 0], [51, 0]));
    const words = places.map((place, i) => wordOf(place, i & 1023));
    const bias = worstBias(TRIALS, 128, (i, bit) => {
      const flipped: Place = [...places[i]!];
      flipped[bit >>> 5] = (flipped[bit >>> 5]! ^ (1 << (bit & 31))) >>> 0;
      return words[i]! ^ wordOf(flipped, i & 1023);
    });
    expect((2 * bias * TRIALS) / Math.sqrt(TRIALS)).toBeLessThanOrEqual(5.5);
  });
});
