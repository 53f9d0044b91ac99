/** Detects relations between the streams of neighbouring seeds, tensors, units or inputs. */
import type { WordFunction } from './wrong-mixes.ts';

/** Size of the compared blocks of words: units x indices. */
const UNITS = 32;
const INDICES = 256;
const WORDS = UNITS * INDICES;
/** Two unrelated blocks share 0.016 words on average, and 4 or more with probability 2e-9. */
const SHARED_WORDS = 4;
/** Three equal ones among 1,280 random u32: probability 2e-11. */
const EQUAL_RELATIONS = 3;
/** Largest |z| of how often a bit agrees with the same bit of the neighbour. P(|z| > 6.5) = 8e-11. */
const AGREEMENT_Z = 6.5;

interface Place {
  readonly seed: number;
  readonly tensor: number;
  readonly unit: number;
  readonly index: number;
}

/** Offsets of the neighbours. Blocks of neighbouring units and indices do not overlap. */
const NEIGHBOURS: readonly Place[] = [
  ...[1, 2, 3, 64, 65536, 2 ** 31, 2 ** 32].map((seed) => ({ seed, tensor: 0, unit: 0, index: 0 })),
  ...[1, 2, 65536].map((tensor) => ({ seed: 0, tensor, unit: 0, index: 0 })),
  { seed: 1, tensor: 1, unit: 0, index: 0 },
  { seed: 0, tensor: 0, unit: UNITS, index: 0 },
  { seed: 0, tensor: 0, unit: 0, index: INDICES },
];

function blockOf(word: WordFunction, place: Place): Uint32Array {
  const block = new Uint32Array(WORDS);
  for (let u = 0; u < UNITS; u++) {
    for (let j = 0; j < INDICES; j++) {
      block[u * INDICES + j] = word(place.seed, place.tensor, place.unit + u, place.index + j);
    }
  }
  return block;
}

/** Relations found between neighbouring streams, one line each; empty if there are none. */
export function findRelations(word: WordFunction, at: Place): string[] {
  const base = blockOf(word, at);
  const found = equalRows(base).map((relation) => `within the block: ${relation}`);
  for (const step of NEIGHBOURS) {
    const neighbour = blockOf(word, {
      seed: at.seed + step.seed,
      tensor: at.tensor + step.tensor,
      unit: at.unit + step.unit,
      index: at.index + step.index,
    });
    const name = Object.entries(step)
      .filter(([, distance]) => distance !== 0)
      .map(([axis, distance]) => `${axis} + ${distance}`)
      .join(', ');
    const relations = [...sharedWords(base, neighbour), ...constants(base, neighbour), ...agreement(base, neighbour)];
    found.push(...relations.map((relation) => `${name}: ${relation}`));
  }
  return found;
}

/** Words that occur twice in one block. */
function equalRows(block: Uint32Array): string[] {
  const repeated = WORDS - new Set(block).size;
  return repeated >= SHARED_WORDS ? [`${repeated} repeated words`] : [];
}

/** Equality after sorting, overlap, and the shift that explains most of the overlap. */
function sharedWords(a: Uint32Array, b: Uint32Array): string[] {
  const places = new Map<number, number>();
  a.forEach((value, i) => {
    places.set(value, i);
  });
  const shifts = new Map<string, number>();
  let shared = 0;
  b.forEach((value, i) => {
    const place = places.get(value);
    if (place !== undefined) {
      shared++;
      const units = Math.floor(place / INDICES) - Math.floor(i / INDICES);
      const shift = `${units} units and ${(place % INDICES) - (i % INDICES)} indices`;
      shifts.set(shift, (shifts.get(shift) ?? 0) + 1);
    }
  });
  if (shared < SHARED_WORDS) {
    return [];
  }
  const sortedA = a.slice().sort();
  const sortedB = b.slice().sort();
  const found = [sortedA.every((value, i) => value === sortedB[i]) ? 'permutation' : `overlap of ${shared} words`];
  const [shift, count] = [...shifts].sort((x, y) => y[1] - x[1])[0]!;
  return count > shared / 2 ? [...found, `shift by ${shift}`] : found;
}

/** Constant exclusive or, or constant difference, between the blocks at small shifts, along a few rows and columns. */
function constants(a: Uint32Array, b: Uint32Array): string[] {
  const found: string[] = [];
  const positions: number[] = [];
  for (const u of [2, 9, 17, 29]) {
    positions.push(...Array.from({ length: INDICES - 8 }, (_, j) => u * INDICES + j + 4));
  }
  for (const j of [4, 50, 77, 128, 200, 251]) {
    positions.push(...Array.from({ length: UNITS - 4 }, (_, u) => (u + 2) * INDICES + j));
  }
  const distinct = [...new Set(positions)];
  const xors = new Uint32Array(distinct.length);
  const differences = new Uint32Array(distinct.length);
  for (let units = -2; units <= 2; units++) {
    for (let indices = -4; indices <= 4; indices++) {
      distinct.forEach((position, i) => {
        const other = b[position + units * INDICES + indices]!;
        xors[i] = a[position]! ^ other;
        differences[i] = a[position]! - other;
      });
      for (const [name, values] of [
        ['exclusive or', xors],
        ['difference', differences],
      ] as const) {
        if (longestRun(values.sort()) >= EQUAL_RELATIONS) {
          found.push(`constant ${name} at a shift by ${units} units and ${indices} indices`);
        }
      }
    }
  }
  return found;
}

function longestRun(sorted: Uint32Array): number {
  let longest = 0;
  let run = 0;
  for (let i = 0; i < sorted.length; i++) {
    run = i > 0 && sorted[i] === sorted[i - 1] ? run + 1 : 1;
    longest = Math.max(longest, run);
  }
  return longest;
}

/** Bits that agree with the same bit of the neighbour significantly more or less than half of the time. */
function agreement(a: Uint32Array, b: Uint32Array): string[] {
  const found: string[] = [];
  for (const shift of [0, 1, -1, INDICES, -INDICES]) {
    const differing = new Uint32Array(32);
    let count = 0;
    for (let i = Math.max(0, -shift); i < Math.min(WORDS, WORDS - shift); i++) {
      const different = a[i]! ^ b[i + shift]!;
      for (let bit = 0; bit < 32; bit++) {
        differing[bit]! += (different >>> bit) & 1;
      }
      count++;
    }
    const bits = [...differing.keys()].filter(
      (bit) => Math.abs(2 * differing[bit]! - count) / Math.sqrt(count) > AGREEMENT_Z,
    );
    if (bits.length > 0) {
      found.push(`bits ${bits.join(' ')} follow one another at a shift by ${shift}`);
    }
  }
  return found;
}
