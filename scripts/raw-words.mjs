/**
 * An endless stream of the raw words of the weight stream, in chunks of 2^18, in the orders in which a model reads
 * them:
 *
 *   inputs  unit by unit, the 1024 words of 4096 inputs each
 *   units   a tensor of 4096 units: word 0 of every unit, then word 1, ... word 1023, then the next tensor
 *   seeds   4 units x 16 words, each for 4096 neighbouring seeds, then the next 4096 seeds
 */
import { createCipheriv, createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { loadTypeScript } from './load-typescript.mjs';

const load = (path) => loadTypeScript(fileURLToPath(new URL(path, import.meta.url)));
const { philox4x32, splitSeed, streamWord, STREAM_VERSION } = await load('../src/weights/stream.ts');
export const { wrongMixes } = await load('../test/wrong-mixes.ts');

const CHUNK = 1 << 18;
const WORDS_OF_UNIT = 1024;
const UNITS_OF_TENSOR = 4096;
const BLOCK_OF_SEEDS = 4096;
const UNITS_OF_SEED = 4;
const WORDS_OF_SEED = CHUNK / BLOCK_OF_SEEDS / UNITS_OF_SEED;

export const orders = ['inputs', 'units', 'seeds'];

/** The address of word number `position` of an order. The fast loops are checked against this definition. */
function addressOf(order, seed, position) {
  if (order === 'inputs') {
    return { seed, tensor: 0, unit: Math.floor(position / WORDS_OF_UNIT), index: position % WORDS_OF_UNIT };
  }
  const rows = order === 'units' ? UNITS_OF_TENSOR : BLOCK_OF_SEEDS;
  const row = position % rows;
  const rest = Math.floor(position / rows);
  if (order === 'units') {
    return { seed, tensor: Math.floor(rest / WORDS_OF_UNIT), unit: row, index: rest % WORDS_OF_UNIT };
  }
  const block = Math.floor(rest / (UNITS_OF_SEED * WORDS_OF_SEED));
  return {
    seed: seed + block * BLOCK_OF_SEEDS + row,
    tensor: 0,
    unit: Math.floor(rest / WORDS_OF_SEED) % UNITS_OF_SEED,
    index: rest % WORDS_OF_SEED,
  };
}

/** Any generator in any order, word by word. Slow; serves as the reference. */
function fillAny(chunk, word, order, seed, position) {
  for (let i = 0; i < CHUNK; i++) {
    const a = addressOf(order, seed, position + i);
    chunk[i] = word(a.seed, a.tensor, a.unit, a.index);
  }
}

function referenceWord(seed, tensor, unit, index) {
  const { low, high } = splitSeed(seed);
  const [key0, key1] = philox4x32([unit >>> 0, tensor, 0, STREAM_VERSION], [low, high]);
  return streamWord(key0, key1, index);
}

/** Words of one unit. */
function fillAlongInputs(chunk, offset, count, key0, key1) {
  for (let i = 0; i < count; i++) {
    chunk[offset + i] = streamWord(key0, key1, i);
  }
}

/** One word of many keys (interleaved, two u32 per key). */
function fillAlongKeys(chunk, offset, keys, from, count, index) {
  for (let i = 0; i < count; i++) {
    chunk[offset + i] = streamWord(keys[2 * (from + i)], keys[2 * (from + i) + 1], index);
  }
}

function setKey(keys, at, unit, tensor, seed) {
  const high = Math.floor(seed / 2 ** 32);
  const [key0, key1] = philox4x32([unit >>> 0, tensor, 0, STREAM_VERSION], [seed >>> 0, high]);
  keys[2 * at] = key0;
  keys[2 * at + 1] = key1;
}

/** Fills chunk number `n` of the real stream. Chunks of the order `units` must be requested in sequence from 0. */
function fastFiller(order, seed) {
  if (order === 'inputs') {
    const units = CHUNK / WORDS_OF_UNIT;
    const keys = new Uint32Array(2);
    return (chunk, n) => {
      for (let u = 0; u < units; u++) {
        setKey(keys, 0, n * units + u, 0, seed);
        fillAlongInputs(chunk, u * WORDS_OF_UNIT, WORDS_OF_UNIT, keys[0], keys[1]);
      }
    };
  }
  if (order === 'units') {
    const rows = CHUNK / UNITS_OF_TENSOR;
    const keys = new Uint32Array(2 * UNITS_OF_TENSOR);
    return (chunk, n) => {
      const first = n * rows;
      if (first % WORDS_OF_UNIT === 0) {
        for (let u = 0; u < UNITS_OF_TENSOR; u++) {
          setKey(keys, u, u, first / WORDS_OF_UNIT, seed);
        }
      }
      for (let r = 0; r < rows; r++) {
        fillAlongKeys(chunk, r * UNITS_OF_TENSOR, keys, 0, UNITS_OF_TENSOR, (first + r) % WORDS_OF_UNIT);
      }
    };
  }
  const keys = new Uint32Array(2 * BLOCK_OF_SEEDS);
  return (chunk, n) => {
    for (let u = 0; u < UNITS_OF_SEED; u++) {
      for (let s = 0; s < BLOCK_OF_SEEDS; s++) {
        setKey(keys, s, u, 0, seed + n * BLOCK_OF_SEEDS + s);
      }
      for (let j = 0; j < WORDS_OF_SEED; j++) {
        fillAlongKeys(chunk, (u * WORDS_OF_SEED + j) * BLOCK_OF_SEEDS, keys, 0, BLOCK_OF_SEEDS, j);
      }
    }
  };
}

/** An endless sequence of chunks that reuses one buffer. `bad` names a deliberately wrong mix. */
export function* rawWords(order, seed, bad) {
  const chunk = new Uint32Array(CHUNK);
  if (bad) {
    for (let n = 0; ; n++) {
      fillAny(chunk, wrongMixes[bad], order, seed, n * CHUNK);
      yield chunk;
    }
  }
  const fill = fastFiller(order, seed);
  const expected = new Uint32Array(CHUNK);
  for (let n = 0; ; n++) {
    fill(chunk, n);
    if (n < 2) {
      fillAny(expected, referenceWord, order, seed, n * CHUNK);
      const wrong = chunk.findIndex((word, i) => word !== expected[i]);
      if (wrong >= 0) {
        throw new Error(`chunk ${n}, word ${wrong}: expected ${expected[wrong]}, got ${chunk[wrong]}`);
      }
    }
    yield chunk;
  }
}

/** AES-256 in counter mode, keyed by the seed: a trustworthy generator to validate tests with. */
export function* controlWords(seed) {
  const cipher = createCipheriv('aes-256-ctr', createHash('sha256').update(`${seed}`).digest(), Buffer.alloc(16));
  const zeros = Buffer.alloc(4 * CHUNK);
  for (;;) {
    const bytes = cipher.update(zeros);
    yield new Uint32Array(bytes.buffer, bytes.byteOffset, CHUNK);
  }
}
