import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ElementwiseName, elementwiseNames, integerWeights, weightScale } from '../src/weights/distributions.ts';
import { philox4x32, type Seed, splitSeed, streamWord, unitKey, unitKeys } from '../src/weights/stream.ts';
import { type GoldenVector, goldenVectors, readGoldenVectors } from './golden-vectors.ts';

const goldenFile = readFileSync(new URL('../src/weights/golden/stream-v1.txt', import.meta.url), 'utf8');
const specification = readFileSync(new URL('../src/weights/SPEC.md', import.meta.url), 'utf8');

/** SPEC.md transcribed once more, in integers without bound and sharing no code with src. Slow. */
const spec = {
  u32: (value: bigint) => value & 0xffffffffn,
  key(seed: bigint, tensor: number, unit: number): [bigint, bigint] {
    let c = [BigInt(unit), BigInt(tensor), 0n, 1n] as [bigint, bigint, bigint, bigint];
    let k = [spec.u32(seed), seed >> 32n] as [bigint, bigint];
    for (let round = 0; round < 10; round++) {
      const p = 0xd2511f53n * c[0];
      const q = 0xcd9e8d57n * c[2];
      c = [(q >> 32n) ^ c[1] ^ k[0], spec.u32(q), (p >> 32n) ^ c[3] ^ k[1], spec.u32(p)];
      k = [spec.u32(k[0] + 0x9e3779b9n), spec.u32(k[1] + 0xbb67ae85n)];
    }
    return [c[0], c[1]];
  },
  word([key0, key1]: [bigint, bigint], j: number): bigint {
    let h = spec.u32(key0 + BigInt(j) * 0x9e3779b9n);
    h ^= h >> 16n;
    h = spec.u32(h * (key1 | 1n));
    h ^= h >> 15n;
    h = spec.u32(h + key1);
    h = spec.u32(h * 0x735a2d97n);
    return h ^ (h >> 15n);
  },
  weight(distribution: ElementwiseName, key: [bigint, bigint], k: number): number {
    if (distribution === 'binary') {
      return (spec.word(key, Math.floor(k / 32)) >> BigInt(k % 32)) & 1n ? -1 : 1;
    }
    if (distribution === 'codeword') {
      const c = Number((spec.word(key, Math.floor(k / 64)) >> BigInt(8 * (Math.floor(k / 16) % 4))) % 256n);
      const [i, row] = [k % 16, Math.floor(c / 2) % 16];
      const coset = spec.cosets()[Math.floor(c / 32)]!;
      const shared = [1, 2, 4, 8].filter((bit) => row & bit && i & bit).length;
      return (Math.floor(coset / 2 ** i) + shared + c) % 2 ? -1 : 1;
    }
    const byte = Number((spec.word(key, Math.floor(k / 4)) >> BigInt(8 * (k % 4))) % 256n);
    const sign = byte >= 128 ? -1 : 1;
    if (distribution === 'uniform') {
      const odd = byte % 2 === 0 ? byte + 1 : byte;
      return odd >= 128 ? odd - 256 : odd;
    }
    const magnitude = distribution === 'sparse' ? Number(byte % 128 >= 85) : spec.magnitudes(k)[byte % 128]!;
    return magnitude === 0 ? 0 : sign * magnitude;
  },
  /** The cosets as the page prints them. */
  cosets(): number[] {
    const [, cosets] = specification.match(/eight cosets are\n\n {4}(.*?) {2,}hex/)!;
    return cosets!.split(' ').map((text) => Number.parseInt(text, 16));
  },
  /** The tables as the page prints them. */
  magnitudes(k: number): number[] {
    const [, table] = specification.match(k % 2 ? /odd k:\n+```\n([^`]*)```/ : /even k:\n+```\n([^`]*)```/)!;
    return table!.trim().split(/\s+/).map(Number);
  },
};

const ofKind = <K extends GoldenVector['kind']>(kind: K) =>
  readGoldenVectors(goldenFile).filter((vector): vector is Extract<GoldenVector, { kind: K }> => vector.kind === kind);

describe('golden vectors', () => {
  it('are what this library makes, byte for byte', () => {
    expect(goldenVectors()).toBe(goldenFile);
  });

  it('are final: those of version 1 as it was released are never changed', () => {
    const released = /^(key|word|orthogonal|(weight|scale) (normal|binary|uniform|sparse)) /;
    const lines = goldenFile.split('\n').filter((line) => released.test(line));
    const hash = createHash('sha256').update(lines.join('\n')).digest('hex');
    expect(hash).toBe('d4a46cc60b0bd8dcd9a493a422bf1d3dd82cf7740fe6e28673d4ae88b4d2f74d');
  });

  it.each(['key', 'word', 'weight', 'scale'] as const)('hold vectors of the kind %s', (kind) => {
    expect(ofKind(kind).length).toBeGreaterThanOrEqual(20);
  });

  it('hold the keys that SPEC.md defines', () => {
    for (const { seed, tensor, unit, key } of ofKind('key')) {
      expect(key.map(BigInt)).toEqual(spec.key(seed, tensor, unit));
      expect(unitKey(seed, tensor, unit)).toEqual(key);
      expect([...unitKeys(seed, tensor, 1, unit)]).toEqual(key);
    }
  });

  it('hold the words that SPEC.md defines', () => {
    for (const { seed, tensor, unit, index, word } of ofKind('word')) {
      expect(BigInt(word)).toBe(spec.word(spec.key(seed, tensor, unit), index));
      expect(streamWord(...unitKey(seed, tensor, unit), index)).toBe(word);
    }
  });

  it('hold the weights that SPEC.md defines', () => {
    for (const { distribution, seed, tensor, unit, k0, weights } of ofKind('weight')) {
      const key = spec.key(seed, tensor, unit);
      expect(weights).toEqual(weights.map((_, i) => spec.weight(distribution, key, k0 + i)));
      const slice = integerWeights({ seed, tensor, distribution }, [k0, k0 + weights.length], [unit, unit + 1]);
      expect([...slice]).toEqual(weights);
    }
  });

  it('hold the weights of orthogonal that SPEC.md defines, by the entries of the three matrices', () => {
    const small = ofKind('orthogonal').filter(({ fanIn }) => fanIn <= 512);
    expect(small.length).toBeGreaterThanOrEqual(18);
    for (const { seed, tensor, unit, fanIn, k0, weights } of small) {
      const p = Math.max(128, 2 ** (fanIn - 1).toString(2).length);
      const bits = Math.log2(p);
      const a = Math.ceil(bits / Math.ceil(bits / 6));
      const key = spec.key(seed, tensor, Math.floor(unit / p));
      const sign = (d: number, t: number) => {
        const at = d === 1 ? t : ((t * 2 ** a) % p) + Math.floor((t * 2 ** a) / p);
        return 1 - 2 * Number((spec.word(key, 2048 * d + Math.floor(at / 32)) >> BigInt(at % 32)) & 1n);
      };
      const ones = (n: number) => n.toString(2).replaceAll('0', '').length;
      const h = (i: number, j: number) => 1 - 2 * (ones(i & j) % 2);
      const signs = [0, 1, 2].map((d) => Array.from({ length: p }, (_, t) => sign(d, t)));
      const row = unit % p;
      // (H D2 H)[row][j], then times D1 H D0
      const middle = Array.from({ length: p }, (_, j) =>
        signs[2]!.reduce((sum, s, t) => sum + h(row, t) * s * h(t, j), 0),
      );
      const entry = (k: number) => middle.reduce((sum, m, j) => sum + m * signs[1]![j]! * h(j, k), 0) * signs[0]![k]!;
      expect(weights).toEqual(weights.map((_, i) => entry(k0 + i) + 0));
    }
  });

  it('hold the scales that SPEC.md defines', () => {
    const secondMoments = {
      normal: [236797, 128],
      binary: [1, 1],
      uniform: [5461, 1],
      sparse: [43, 128],
      codeword: [1, 1],
    } as const;
    for (const { distribution, fanIn, bits } of ofKind('scale')) {
      const p = Math.max(128, 2 ** (fanIn - 1).toString(2).length);
      const [numerator, denominator] = distribution === 'orthogonal' ? [p * p, 1] : secondMoments[distribution];
      const scale = Math.fround(1 / Math.sqrt((numerator * fanIn) / denominator));
      expect(new Float32Array(Uint32Array.of(bits).buffer)[0]).toBe(scale);
      expect(weightScale(distribution, fanIn)).toBe(scale);
    }
  });
});

describe('philox4x32', () => {
  /** Known answers of the paper's own implementation (Random123, kat_vectors: philox4x32 10). */
  it.each([
    { counter: [0, 0, 0, 0], key: [0, 0], words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
    {
      counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      key: [0xffffffff, 0xffffffff],
      words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    },
    {
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    },
  ] as const)('gives the known answer to $counter', ({ counter, key, words }) => {
    expect(philox4x32(counter, key)).toEqual(words);
  });
});

describe.each(elementwiseNames)('slices of %s', (distribution) => {
  const matrix = { seed: 7, tensor: 3, distribution };
  const INPUTS = 150;
  const UNITS = 9;
  const whole = integerWeights(matrix, [0, INPUTS], [0, UNITS]);

  it.each([
    { inputs: [0, INPUTS], units: [4, 5] },
    { inputs: [1, 2], units: [0, UNITS] },
    { inputs: [31, 33], units: [3, 8] },
    { inputs: [63, 150], units: [8, 9] },
    { inputs: [5, 5], units: [0, 2] },
  ] as const)('inputs $inputs, units $units equal the same part of the whole', ({ inputs, units }) => {
    const slice = integerWeights(matrix, inputs, units);
    const expected: number[] = [];
    for (let k = inputs[0]; k < inputs[1]; k++) {
      expected.push(...whole.subarray(k * UNITS + units[0], k * UNITS + units[1]));
    }
    expect([...slice]).toEqual(expected);
  });

  it('appended units and inputs leave the earlier ones alone', () => {
    const larger = integerWeights(matrix, [0, INPUTS + 77], [0, UNITS + 5]);
    const kept = Array.from({ length: INPUTS }, (_, k) => [
      ...larger.subarray(k * (UNITS + 5), k * (UNITS + 5) + UNITS),
    ]);
    expect(kept.flat()).toEqual([...whole]);
  });

  it('a number and the bigint of the same value are the same seed', () => {
    const big = integerWeights({ ...matrix, seed: 7n }, [0, INPUTS], [0, UNITS]);
    expect(big).toEqual(whole);
  });
});

describe('refusals', () => {
  it.each([-1, 0.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY, -1n, 2n ** 64n] as Seed[])(
    'seed %s is a RangeError that says what was expected and what came',
    (seed) => {
      expect(() => splitSeed(seed)).toThrow(RangeError);
      expect(() => unitKeys(seed, 0, 1)).toThrow(/^seed: expected .*, got /);
      expect(() => splitSeed(seed)).toThrow(`got ${seed}`);
    },
  );

  it.each([
    { tensor: -1, count: 1, from: 0, message: /^tensor: expected .*, got -1$/ },
    { tensor: 2 ** 32, count: 1, from: 0, message: /^tensor: expected .*, got 4294967296$/ },
    { tensor: 1.5, count: 1, from: 0, message: /^tensor: expected .*, got 1.5$/ },
    { tensor: 0, count: 1, from: -3, message: /^first unit: expected .*, got -3$/ },
    { tensor: 0, count: 1, from: Number.NaN, message: /^first unit: expected .*, got NaN$/ },
    { tensor: 0, count: 2, from: 2 ** 32 - 1, message: /^last unit: expected .*, got 4294967296$/ },
  ])('tensor $tensor, $count units from $from: $message', ({ tensor, count, from, message }) => {
    const keys = () => unitKeys(1, tensor, count, from);
    expect(keys).toThrow(RangeError);
    expect(keys).toThrow(message);
  });
});

it('the golden vectors reach every byte at even and odd inputs, so every entry of the tables', () => {
  const seen = new Set<number>();
  const [key0, key1] = unitKey(0, 0, 0);
  for (let k = 0; k < 3344; k++) seen.add(2 * ((streamWord(key0, key1, k >> 2) >>> (8 * (k & 3))) & 0xff) + (k & 1));
  expect(seen.size).toBe(512);
});
