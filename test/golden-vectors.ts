/** Generates the golden vectors of the weight stream (SPEC.md, section 6). */
import {
  distributions,
  type ElementwiseName,
  elementwiseNames,
  integerWeights,
  weightScale,
} from '../src/weights/distributions.ts';
import { orthogonalLogP } from '../src/weights/orthogonal.ts';
import { type Seed, streamWord, unitKeys } from '../src/weights/stream.ts';

export { type GoldenVector, readGoldenVectors } from '../src/conformance/golden-vectors.ts';

const TOP = 2 ** 32 - 1;
const SEEDS: Seed[] = [0, 1, TOP, Number.MAX_SAFE_INTEGER, 2n ** 64n - 1n];
const TENSORS = [0, 1, TOP];
const UNITS = [0, 1, 1023, TOP];
const WORD_INDICES = [0, 1, 195, 2 ** 30 - 1, TOP];
const FAN_INS = [1, 784, 1000, 4096, 16384, 18138, 2 ** 32]; // numerator * K exceeds 2^32 from 18138 on

/** Fan-ins of `orthogonal`: every way to split log2 P into passes. */
const ORTHOGONAL_FAN_INS = [1, 200, 512, 784, 2048, 4096, 8192, 16384, 32768, 65536];

/** Number of inputs of unit 0 within which every byte occurs at an even and at an odd input (a test checks this). */
const EVERY_BYTE = 3344;

const hex = (u32: number) => u32.toString(16).padStart(8, '0');

/**
 * Slices of a unit: whole words, odd offsets, across words, the last inputs below 2^32, the last inputs of the stream.
 */
function slicesOf(distribution: ElementwiseName): [k0: number, count: number][] {
  const perWord = distributions[distribution].weightsPerWord;
  const first = perWord > 4 ? 70 : 40;
  return [
    [0, first],
    [perWord - 1, 2 * perWord + 1 > 32 ? 34 : 6],
    [781, 5],
    [1000003, perWord > 4 ? 33 : 7],
    [2 ** 32 - 11, 11],
    [perWord * 2 ** 32 - 9, 9],
  ];
}

/** The text of the file. */
export function goldenVectors(): string {
  const lines = [
    '# Golden vectors of the weight stream, version 1: src/weights/SPEC.md, section 6. Written by: npm run golden',
    '#',
    '# key    SEED TENSOR UNIT = KEY0 KEY1                         hexadecimal',
    '# word   SEED TENSOR UNIT J = WORD                            hexadecimal',
    '# weight DISTRIBUTION SEED TENSOR UNIT K0 COUNT = W0 W1 ...   integers; some K0 are beyond 2^32',
    '# scale  DISTRIBUTION FANIN = BITS                            bits of the f32, hexadecimal',
    '# orthogonal SEED TENSOR UNIT FANIN K0 COUNT = W0 W1 ...      integers',
  ];
  for (const seed of SEEDS) {
    for (const tensor of TENSORS) {
      for (const unit of UNITS) {
        const [key0, key1] = unitKeys(seed, tensor, 1, unit);
        lines.push(`key ${seed} ${tensor} ${unit} = ${hex(key0!)} ${hex(key1!)}`);
      }
    }
  }
  const corners: [tensor: number, unit: number][] = [
    [0, 0],
    [1, 1],
    [0, 1023],
    [TOP, TOP],
  ];
  for (const seed of SEEDS) {
    for (const [tensor, unit] of corners) {
      const [key0, key1] = unitKeys(seed, tensor, 1, unit);
      for (const index of WORD_INDICES) {
        lines.push(`word ${seed} ${tensor} ${unit} ${index} = ${hex(streamWord(key0!, key1!, index))}`);
      }
    }
  }
  const owners: [seed: Seed, tensor: number, unit: number][] = [
    [0, 0, 0],
    [1, 0, 1],
    [Number.MAX_SAFE_INTEGER, 1, 1023],
    [2n ** 64n - 1n, TOP, TOP],
  ];
  for (const distribution of elementwiseNames) {
    for (const [seed, tensor, unit] of owners) {
      for (const [k0, count] of slicesOf(distribution)) {
        const weights = integerWeights({ seed, tensor, distribution }, [k0, k0 + count], [unit, unit + 1]);
        lines.push(`weight ${distribution} ${seed} ${tensor} ${unit} ${k0} ${count} = ${weights.join(' ')}`);
      }
    }
  }
  // Long enough for every byte at even and at odd inputs: every entry of the tables, every threshold.
  for (const distribution of elementwiseNames) {
    if (distributions[distribution].weightsPerWord !== 4) continue;
    const weights = integerWeights({ seed: 0, tensor: 0, distribution }, [0, EVERY_BYTE], [0, 1]);
    lines.push(`weight ${distribution} 0 0 0 0 ${EVERY_BYTE} = ${weights.join(' ')}`);
  }
  for (const distribution of elementwiseNames) {
    for (const fanIn of FAN_INS) {
      const bits = new Uint32Array(Float32Array.of(weightScale(distribution, fanIn)).buffer)[0]!;
      lines.push(`scale ${distribution} ${fanIn} = ${hex(bits)}`);
    }
  }
  for (const fanIn of ORTHOGONAL_FAN_INS) {
    const bits = new Uint32Array(Float32Array.of(weightScale('orthogonal', fanIn)).buffer)[0]!;
    lines.push(`scale orthogonal ${fanIn} = ${hex(bits)}`);
    const p = 2 ** orthogonalLogP(fanIn);
    const places: [seed: Seed, tensor: number, unit: number][] = [
      [0, 0, 0],
      [1, 1, p - 1],
      [2n ** 64n - 1n, TOP, 3 * p + 77],
    ];
    for (const [seed, tensor, unit] of fanIn > 8192 ? places.slice(2) : places) {
      const k0 = Math.max(0, fanIn - 9);
      for (const inputs of [
        [0, Math.min(fanIn, 9)],
        [k0, fanIn],
      ] as const) {
        const spec = { seed, tensor, distribution: 'orthogonal' } as const;
        const weights = integerWeights(spec, inputs, [unit, unit + 1], fanIn);
        lines.push(
          `orthogonal ${seed} ${tensor} ${unit} ${fanIn} ${inputs[0]} ${weights.length} = ${weights.join(' ')}`,
        );
      }
    }
  }
  return `${lines.join('\n')}\n`;
}
