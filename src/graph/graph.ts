/**
 * The graph: values with shapes, nodes that compute them. Plain data, checked when it is built; it knows no device and
 * no layer. The same graph runs on the GPU (gpu/plan.ts), on the CPU (cpu/program.ts) and on the float64 twins
 * (reference/graph.ts).
 */
import { ShapeError } from '../core/errors.ts';
import { MOST_NUMBERS, product } from '../core/shape.ts';
import type { Declaration, Family } from './declare.ts';
import type { ArgsOf, Node, NodeOf, Op } from './ops.ts';
import type { Value } from './value.ts';

export interface Graph {
  readonly values: Value[];
  readonly nodes: Node[];
}

export const createGraph = (): Graph => ({ values: [], nodes: [] });

function addValue(graph: Graph, value: Omit<Value, 'id'>): Value {
  for (const size of value.shape) {
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new ShapeError(`${value.name}: expected sizes of 1 or more, got shape (${value.shape.join(', ')})`);
    }
  }
  if (!(product(value.shape) <= MOST_NUMBERS)) {
    throw new ShapeError(
      `${value.name}: expected at most ${MOST_NUMBERS} numbers (4 GiB), got shape (${value.shape.join(', ')}). Use a smaller batch or fewer units.`,
    );
  }
  const added = { id: graph.values.length, ...value };
  graph.values.push(added);
  return added;
}

/** A value supplied for each run. Throws `ShapeError` for a size below 1, or more than 4 GiB. */
export function input(graph: Graph, name: string, shape: readonly number[], dtype: Value['dtype'] = 'f32'): Value {
  return addValue(graph, { name, shape, dtype, role: 'input', trained: false });
}

/** A value that lives longer than a run. Throws `ShapeError` for a size below 1, or more than 4 GiB. */
export function parameter(graph: Graph, name: string, shape: readonly number[], trained = true): Value {
  return addValue(graph, { name, shape, dtype: 'f32', role: 'parameter', trained });
}

/** Zeros, for an operation that reads what a layer does not have. Throws `ShapeError` for a size below 1, or more than 4 GiB. */
export function zeros(graph: Graph, shape: readonly number[]): Value {
  return addValue(graph, { name: 'zeros', shape, dtype: 'f32', role: 'zeros', trained: false });
}

/** Optimizer state of a parameter: f32 of its shape, named `<parameter>.<name>`, initially zero. */
export function state(graph: Graph, name: string, { name: parameter, shape }: Value): Value {
  return addValue(graph, { name: `${parameter}.${name}`, shape, dtype: 'f32', role: 'state', trained: false });
}

/**
 * A function that adds a node of one of these operations and the values that it makes. Their names are the operation
 * and a number, because names built from those of the inputs would double with each residual block. Throws the
 * `ShapeError`s of the declarations.
 */
export const applyFrom =
  <D extends { readonly [O in keyof D & Op]: Declaration<unknown, Family, string, object> }>(declarations: D) =>
  <O extends keyof D & Op>(graph: Graph, op: O, args: ArgsOf<O>): NodeOf<O> => {
    const { family, reads, makes } = declarations[op];
    const made: Record<string, Value> = {};
    try {
      for (const [field, shapeOf] of Object.entries(makes) as [string, ShapeRule<O>][]) {
        const shape = shapeOf(args);
        const name = `${op} ${graph.values.length}`;
        if (shape) made[field] = addValue(graph, { name, shape, dtype: 'f32', role: 'result', trained: false });
      }
    } catch (error) {
      throw error instanceof ShapeError ? new ShapeError(`${op}: ${error.message}`) : error;
    }
    const given = args as Record<string, Value | undefined>;
    const links = {
      family,
      reads: reads.flatMap((name) => given[name.replace('?', '')] ?? []),
      makes: Object.values(made),
    };
    const node = { op, ...links, ...args, ...made } as unknown as NodeOf<O>;
    graph.nodes.push(node as unknown as Node);
    return node;
  };

type ShapeRule<O extends Op> = (from: ArgsOf<O>) => readonly number[] | undefined;

/** Maps a graph's parameters and states to the caller's data by name. Graphs of other batch sizes share that data. */
export function boundByName<B>(graph: Graph, held: ReadonlyMap<string, B>): [Value, B][] {
  return graph.values.flatMap((value): [Value, B][] => {
    const bound = held.get(value.name);
    return bound !== undefined && (value.role === 'parameter' || value.role === 'state') ? [[value, bound]] : [];
  });
}
