/**
 * The weight stream (src/weights/SPEC.md) in ONNX operators, so that a file need not hold the weights. Operators multiply no
 * unsigned integers of 32 bits: everything is int64, words from 0 to 2^32 - 1, and no step leaves 0 ... 2^63 - 1, so nothing depends
 * on what overflow does. All of it hangs on constants: runtimes that fold those make the weights once, when the file is loaded.
 */
import { decodeTable } from '../weights/decode-table.ts';
import { type DistributionName, isElementwise, weightScale } from '../weights/distributions.ts';
import { orthogonalLogP, orthogonalPasses, walshHadamard } from '../weights/orthogonal.ts';
import {
  PHILOX_MULTIPLIERS,
  PHILOX_WEYL,
  type Seed,
  STREAM_VERSION,
  splitSeed,
  WORD_MULTIPLIER,
  WORD_WEYL,
} from '../weights/stream.ts';
import type { OnnxGraph } from './onnx-file.ts';

/** A random matrix of the model: (units, fanIn), or the diagonals of blocks of it. */
export interface Matrix {
  readonly tensor: number;
  readonly distribution: DistributionName;
  readonly fanIn: number;
  readonly units: number;
}

/** Keys of the units of a matrix: int64 (units) each. */
export interface Keys {
  readonly key0: string;
  readonly key1: string;
}

const HALF = 2 ** 16;
const MASK = 2 ** 32 - 1;

const scalar = (graph: OnnxGraph, value: number) => graph.integers([value], []);
const and = (graph: OnnxGraph, a: string, mask: number) => graph.node('BitwiseAnd', [a, scalar(graph, mask)]);
/** Numbers are not negative: a quotient is a shift. */
const right = (graph: OnnxGraph, a: string, bits: number) => graph.node('Div', [a, scalar(graph, 2 ** bits)]);
const xor = (graph: OnnxGraph, a: string, b: string) => graph.node('BitwiseXor', [a, b]);
const xorRight = (graph: OnnxGraph, a: string, bits: number) => xor(graph, a, right(graph, a, bits));
const upTo = (graph: OnnxGraph, count: number) =>
  graph.node('Range', [scalar(graph, 0), scalar(graph, count), scalar(graph, 1)]);

/** a * b mod 2^32, by halves of a: their products stay below 2^48. */
function multiplyLow(graph: OnnxGraph, a: string, b: string): string {
  const low = graph.node('Mul', [and(graph, a, HALF - 1), b]);
  const high = and(graph, graph.node('Mul', [right(graph, a, 16), b]), HALF - 1);
  const shifted = graph.node('Mul', [high, scalar(graph, HALF)]);
  return and(graph, graph.node('Add', [low, shifted]), MASK);
}

/** Both halves of the 64-bit product a * b. */
function multiplyWide(graph: OnnxGraph, a: string, b: string): { high: string; low: string } {
  const low = graph.node('Mul', [and(graph, a, HALF - 1), b]);
  const carried = graph.node('Add', [graph.node('Mul', [right(graph, a, 16), b]), right(graph, low, 16)]);
  const middle = graph.node('Mul', [and(graph, carried, HALF - 1), scalar(graph, HALF)]);
  return { high: right(graph, carried, 16), low: graph.node('Add', [middle, and(graph, low, HALF - 1)]) };
}

/** Keys that a matrix takes: one a unit, for `orthogonal` one a block. */
const keysOf = ({ distribution, fanIn, units }: Matrix) =>
  isElementwise(distribution) ? units : Math.ceil(units / 2 ** orthogonalLogP(fanIn));

/**
 * The keys of all matrices (section 2), in one go: ten rounds of Philox are 140 operators. The counter (c0, c1, c2, c3) is two
 * arrays, (c0, c2) and (c1, c3); a round would swap the two lines of both, so instead every second round has its constants swapped,
 * and only what comes from (c1, c3) is turned.
 */
export function keys(graph: OnnxGraph, seed: Seed, matrices: readonly Matrix[]): Keys[] {
  const counts = matrices.map(keysOf);
  const joined = (parts: string[]) => (parts.length > 1 ? graph.node('Concat', parts, { axis: 0 }) : parts[0]!);
  const units = joined(counts.map((count) => upTo(graph, count)));
  const tensors = joined(
    matrices.map(({ tensor }, i) => graph.node('Expand', [scalar(graph, tensor), graph.integers([counts[i]!])])),
  );
  const column = (first: number, second: number, swapped = false) =>
    graph.integers(swapped ? [second, first] : [first, second], [2, 1]);
  let even = graph.node('Mul', [units, column(1, 0)]); // (n, 0)
  // (tensor, version) turned
  let odd = graph.node('Add', [graph.node('Mul', [tensors, column(0, 1)]), column(STREAM_VERSION, 0)]);
  const { low: low32, high: high32 } = splitSeed(seed);
  let [k0, k1] = [low32, high32];
  for (let round = 0; round < 10; round++) {
    const swapped = round % 2 === 1;
    const { high, low } = multiplyWide(graph, even, column(PHILOX_MULTIPLIERS[0], PHILOX_MULTIPLIERS[1], swapped));
    // Without the swap, line 0 of the result is made of line 1 of the products, and of k0.
    even = xor(graph, xor(graph, high, odd), column(k1, k0, swapped));
    odd = round < 9 ? graph.node('Gather', [low, graph.integers([1, 0])], { axis: 0 }) : low;
    k0 = (k0 + PHILOX_WEYL[0]) >>> 0;
    k1 = (k1 + PHILOX_WEYL[1]) >>> 0;
  }
  const line = (pair: string) => graph.node('Gather', [pair, scalar(graph, 0)], { axis: 0 });
  const [key0, key1] = [line(even), line(odd)];
  let from = 0;
  return counts.map((count) => {
    const bounds = [graph.integers([from]), graph.integers([from + count])];
    from += count;
    const own = (all: string) => (counts.length > 1 ? graph.node('Slice', [all, ...bounds]) : all);
    return { key0: own(key0), key1: own(key1) };
  });
}

/** Words `j` (section 3): keys and j are broadcast. */
function words(graph: OnnxGraph, { key0, key1 }: Keys, j: string): string {
  // j is below 2^30, so the product stays below 2^62.
  let h = graph.node('Mul', [j, scalar(graph, WORD_WEYL)]);
  h = and(graph, graph.node('Add', [h, key0]), MASK);
  h = xorRight(graph, h, 16);
  h = multiplyLow(graph, h, graph.node('BitwiseOr', [key1, scalar(graph, 1)]));
  h = xorRight(graph, h, 15);
  h = and(graph, graph.node('Add', [h, key1]), MASK);
  h = multiplyLow(graph, h, scalar(graph, WORD_MULTIPLIER));
  return xorRight(graph, h, 15);
}

/** (fanIn, units) f32: the weights of a matrix whose elements are drawn one by one. */
export function elementwiseWeights(graph: OnnxGraph, unitKeys: Keys, { distribution, fanIn, units }: Matrix): string {
  if (!isElementwise(distribution)) throw new RangeError(`expected a distribution by elements, got ${distribution}`);
  const { bits, places, shifts: first, rows, integers: table } = decodeTable(distribution);
  const count = Math.ceil(fanIn / places);
  const h = words(graph, unitKeys, graph.reshape(upTo(graph, count), [count, 1]));
  const forPlaces = (of: (place: number) => number) =>
    graph.integers(
      Array.from({ length: places }, (_, place) => of(place)),
      [1, places, 1],
    );
  const shifts = forPlaces((place) => 2 ** first[place]!);
  const code = and(graph, graph.node('Div', [graph.reshape(h, [count, 1, units]), shifts]), 2 ** bits - 1);
  const entry = graph.node('Add', [code, forPlaces((place) => rows[place]!)]);
  const lookUp = graph.constant(
    'int8',
    [table.length],
    Uint8Array.from(table, (w) => w & 255),
    distribution,
  );
  const integers = graph.reshape(graph.node('Gather', [lookUp, entry]), [count * places, units]);
  const cut = graph.node('Slice', [integers, graph.integers([0]), graph.integers([fanIn])]);
  const w = graph.node('Cast', [cut], { to: 1 });
  return graph.node('Mul', [w, graph.floats([weightScale(distribution, fanIn)], [])]);
}

/** x (rows, fanIn) times the matrix `orthogonal` (section 4.5): three transforms between signs. */
export function orthogonalProduct(graph: OnnxGraph, x: string, blockKeys: Keys, { fanIn, units }: Matrix): string {
  const logP = orthogonalLogP(fanIn);
  const size = 2 ** logP;
  const blocks = Math.ceil(units / size);
  const passes = orthogonalPasses(logP);
  const [first] = passes as [number];
  const inBlock = {
    key0: graph.reshape(blockKeys.key0, [blocks, 1]),
    key1: graph.reshape(blockKeys.key1, [blocks, 1]),
  };
  const bit = graph.integers(
    Array.from({ length: 32 }, (_, i) => 2 ** i),
    [1, 1, 32],
  );
  /** (blocks, size) f32: the diagonal d. */
  const signs = (d: 0 | 1 | 2): string => {
    const h = words(graph, inBlock, graph.node('Add', [upTo(graph, size / 32), scalar(graph, 2048 * d)]));
    const set = and(graph, graph.node('Div', [graph.reshape(h, [blocks, size / 32, 1]), bit]), 1);
    const minus = graph.node('Sub', [scalar(graph, 1), graph.node('Mul', [set, scalar(graph, 2)])]);
    const values = graph.node('Cast', [minus], { to: 1 });
    if (d === 1) return graph.reshape(values, [blocks, size]);
    // Sign t is at t rotated left by `first` bits: its highest bits stand there as the lowest.
    const rotated = graph.reshape(values, [blocks, size >> first, 1 << first]);
    return graph.reshape(graph.node('Transpose', [rotated], { perm: [0, 2, 1] }), [blocks, size]);
  };
  /** Along the last axis; H is the Kronecker product of small ones, one for each group of bits of the index. */
  const transform = (v: string): string => {
    let after = size;
    let made = v;
    for (const bits of passes) {
      after >>= bits;
      made = graph.node('MatMul', [hadamard(graph, bits), graph.reshape(made, [-1, 1 << bits, after])]);
    }
    return graph.reshape(made, [-1, blocks, size]);
  };
  const padding = graph.integers([0, 0, 0, 0, 0, size - fanIn]);
  const whole = graph.node('Pad', [graph.reshape(x, [-1, 1, fanIn]), padding]);
  const turned = ([0, 1, 2] as const).reduce((v, d) => transform(graph.node('Mul', [v, signs(d)])), whole);
  const all = graph.reshape(turned, [-1, blocks * size]);
  const z = graph.node('Slice', [all, graph.integers([0]), graph.integers([units]), graph.integers([1])]);
  return graph.node('Mul', [z, graph.floats([weightScale('orthogonal', fanIn)], [])]);
}

/** The Walsh-Hadamard matrix of 2^bits lines, f32. */
function hadamard(graph: OnnxGraph, bits: number): string {
  const size = 2 ** bits;
  const entries = new Uint8Array(size * size);
  for (let line = 0; line < size; line++) {
    const unit = new Float64Array(size);
    unit[line] = 1;
    walshHadamard(unit);
    entries.set(
      Uint8Array.from(unit, (entry) => entry & 255),
      size * line,
    );
  }
  return graph.node('Cast', [graph.constant('int8', [size, size], entries, `hadamard ${size}`)], { to: 1 });
}
