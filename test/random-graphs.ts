/**
 * Graphs that fast-check draws: random products, stored products, epilogues and sums over any earlier matrix, some of them outputs. Few
 * kinds of nodes with few settings, since each is a pipeline that a software adapter compiles for most of a second.
 */
import fc from 'fast-check';
import { differentiate } from '../src/graph/differentiate.ts';
import { apply, createGraph, type Graph, input, parameter } from '../src/graph/graph.ts';
import { elements, type Value } from '../src/graph/value.ts';
import { evaluateGraph } from '../src/reference/graph.ts';
import { numbers } from './kernels/harness.ts';

const WIDTHS = [3, 8, 37] as const;

const step = fc.record({
  op: fc.constantFrom('random', 'stored', 'scale and bias', 'bias', 'add'),
  /** Which of the matrices before it reads. */
  from: fc.nat(),
  other: fc.nat(),
  units: fc.constantFrom(...WIDTHS),
  output: fc.boolean(),
});

export const randomGraphs = fc.record({
  rows: fc.constantFrom(1, 2, 5, 9),
  columns: fc.constantFrom(...WIDTHS),
  steps: fc.array(step, { minLength: 1, maxLength: 9 }),
  gradients: fc.boolean(),
});
type Recipe = typeof randomGraphs extends fc.Arbitrary<infer R> ? R : never;

export interface RandomGraph {
  readonly graph: Graph;
  readonly outputs: readonly Value[];
  /** Numbers of inputs and parameters. */
  readonly given: ReadonlyMap<Value, Float32Array<ArrayBuffer>>;
}

/** The graph of a recipe; without `sums` for who can't add. Gradients are those of the last matrix, by every parameter. */
export function graphOf({ rows, columns, steps, gradients }: Recipe, sums = true): RandomGraph {
  const graph = createGraph();
  const matrices = [input(graph, 'x', [rows, columns])];
  const outputs: Value[] = [];
  const scales = new Set<Value>();
  steps.forEach(({ op, from, other, units, output }, i) => {
    const z = matrices[from % matrices.length]!;
    const width = z.shape[1]!;
    const same = matrices.filter(({ shape }) => shape[1] === width);
    const vector = (name: string) => parameter(graph, `${name}${i}`, [width]);
    let made: Value;
    if (op === 'random') {
      const weights = { seed: 3, tensor: other % 3, distribution: 'binary' } as const;
      made = apply(graph, 'randomMatmul', { x: z, weights, units }).z;
    } else if (op === 'stored') {
      made = apply(graph, 'matmul', { a: z, b: parameter(graph, `w${i}`, [width, units]) }).c;
    } else if (op === 'add' && sums) made = apply(graph, 'add', { a: z, b: same[other % same.length]! }).c;
    else {
      const u = op === 'scale and bias' ? vector('u') : undefined;
      if (u) scales.add(u);
      made = apply(graph, 'epilogue', { z, u, b: vector('b'), activation: 'tanh' }).y;
    }
    matrices.push(made);
    if (output) outputs.push(made);
  });
  const last = matrices.at(-1)!;
  if (!outputs.includes(last)) outputs.push(last);
  if (gradients) outputs.push(...differentiate(graph, last, input(graph, 'dy', last.shape)).values());
  const held = graph.values.filter(({ role }) => role === 'input' || role === 'parameter');
  const given = held.map((value, i) => {
    // Products of matrices of these sizes stay near 1.
    const amplitude = value.name.startsWith('w') ? 1 / Math.sqrt(value.shape[0]!) : 1;
    return [value, numbers(elements(value), i + 1, amplitude)] as const;
  });
  return { graph, outputs: [...new Set(outputs)], given: new Map(given) };
}

/** Every value, node after node, in float64. */
export function unplanned({ graph, given }: RandomGraph): Map<Value, Float64Array> {
  const values = new Map([...given].map(([value, data]) => [value, Float64Array.from(data)] as const));
  evaluateGraph(graph, values);
  return values;
}

/** Rounding of a dozen sums of up to 37 terms of size 1, each passed on by factors near 1. */
export const graphTolerance = { absolute: 1e-4, relative: 1e-4, reason: 'f32 sums, tanh of WGSL, over up to 20 nodes' };
