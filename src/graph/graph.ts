/**
 * The graph: values with shapes, nodes that compute them. Plain data, checked when it is built; it knows no device and no
 * layer. The same graph runs on the GPU (plan.ts, run.ts) and on the float64 reference (reference/graph.ts).
 */
import type { ActivationName } from '../core/activations.ts';
import { ShapeError } from '../core/errors.ts';
import { product } from '../core/shape.ts';
import type { Window } from '../core/window.ts';
import type { WeightSpec } from '../weights/distributions.ts';
import type { FieldSpec } from '../weights/fields.ts';

/** A tensor of the graph: row-major, f32 unless said otherwise. */
export interface Value {
  readonly id: number;
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: 'f32' | 'u32';
  /** `input`: given for each run. `parameter`, `state`: live longer than a run. `result`: computed by a node. */
  readonly role: 'input' | 'parameter' | 'state' | 'result';
  /** A parameter that training changes. */
  readonly trained: boolean;
}

export type Node =
  /** z (M, N) = x (M, K) times the transpose of the random (N, K) matrix of `weights`, scale included. */
  | { readonly op: 'randomMatmul'; readonly x: Value; readonly weights: WeightSpec; readonly z: Value }
  /** dx (M, K) = dz (M, N) times the same random matrix. */
  | { readonly op: 'randomMatmulTransposed'; readonly dz: Value; readonly weights: WeightSpec; readonly dx: Value }
  /** The same products with receptive fields over the image that a row of x is. */
  | { readonly op: 'randomFields'; readonly x: Value; readonly weights: FieldSpec; readonly z: Value }
  | { readonly op: 'randomFieldsTransposed'; readonly dz: Value; readonly weights: FieldSpec; readonly dx: Value }
  /** c (M, N) = op(a) op(b); op transposes where its flag is set. */
  | {
      readonly op: 'matmul';
      readonly a: Value;
      readonly b: Value;
      readonly transposeA: boolean;
      readonly transposeB: boolean;
      readonly c: Value;
    }
  /** y = g(u * z + b), u and b over the columns, or over the channels of each position; without u: g(z + b). */
  | {
      readonly op: 'epilogue';
      readonly z: Value;
      readonly u: Value | undefined;
      readonly b: Value;
      readonly activation: ActivationName;
      readonly y: Value;
    }
  | {
      readonly op: 'epilogueInputGradient';
      readonly z: Value;
      readonly u: Value | undefined;
      readonly b: Value;
      readonly activation: ActivationName;
      readonly dy: Value;
      readonly dz: Value;
    }
  | {
      readonly op: 'epilogueParameterGradient';
      readonly z: Value;
      readonly u: Value | undefined;
      readonly b: Value;
      readonly activation: ActivationName;
      readonly dy: Value;
      readonly du: Value | undefined;
      readonly db: Value;
    }
  /** loss (M, 2): cross-entropy in nats, 1 where the largest logit is the label's; dlogits is the gradient of the mean. */
  | {
      readonly op: 'softmaxCrossEntropy';
      readonly logits: Value;
      readonly labels: Value;
      readonly loss: Value;
      readonly dlogits: Value;
    }
  /** loss (M, 2): mean squared difference over the columns, 0; dy is the gradient of the mean over the rows. */
  | {
      readonly op: 'meanSquaredError';
      readonly y: Value;
      readonly targets: Value;
      readonly loss: Value;
      readonly dy: Value;
    }
  /**
   * Rows of images (src/core/window.ts): z (rows, windows * filters) = each window times the random (filters, window size) matrix of
   * `weights`, or times w (window size, filters). What follows from z of them: dx, dw.
   */
  | {
      readonly op: 'randomConv';
      readonly x: Value;
      readonly weights: WeightSpec;
      readonly window: Window;
      readonly filters: number;
      readonly z: Value;
    }
  | {
      readonly op: 'randomConvTransposed';
      readonly dz: Value;
      readonly weights: WeightSpec;
      readonly window: Window;
      readonly filters: number;
      readonly dx: Value;
    }
  | {
      readonly op: 'conv';
      readonly x: Value;
      readonly w: Value;
      readonly window: Window;
      readonly filters: number;
      readonly z: Value;
    }
  | {
      readonly op: 'convInputGradient';
      readonly dz: Value;
      readonly w: Value;
      readonly window: Window;
      readonly filters: number;
      readonly dx: Value;
    }
  | {
      readonly op: 'convWeightGradient';
      readonly x: Value;
      readonly dz: Value;
      readonly window: Window;
      readonly filters: number;
      readonly dw: Value;
    }
  /** y (rows, windows * channels): largest or mean number of each window, channel by channel. */
  | { readonly op: 'maxPool'; readonly x: Value; readonly window: Window; readonly y: Value }
  | {
      readonly op: 'maxPoolGradient';
      readonly x: Value;
      readonly dy: Value;
      readonly window: Window;
      readonly dx: Value;
    }
  | { readonly op: 'averagePool'; readonly x: Value; readonly window: Window; readonly y: Value }
  | { readonly op: 'averagePoolGradient'; readonly dy: Value; readonly window: Window; readonly dx: Value }
  /** y = x / (1 - rate), or 0 with the probability `rate`: by the words of `mask` at the step. At rate 0 a copy. */
  | {
      readonly op: 'dropout';
      readonly x: Value;
      readonly mask: Pick<WeightSpec, 'seed' | 'tensor'>;
      readonly rate: number;
      readonly y: Value;
    }
  /** c = a + b. */
  | { readonly op: 'add'; readonly a: Value; readonly b: Value; readonly c: Value }
  /** Changes `parameter` and its states in place. */
  | {
      readonly op: 'adam';
      readonly parameter: Value;
      readonly gradient: Value;
      readonly moment1: Value;
      readonly moment2: Value;
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
    }
  | {
      readonly op: 'sgd';
      readonly parameter: Value;
      readonly gradient: Value;
      readonly velocity: Value;
      readonly momentum: number;
    };

export interface Graph {
  readonly values: Value[];
  readonly nodes: Node[];
}

export const createGraph = (): Graph => ({ values: [], nodes: [] });

/** Elements of a value. */
export const elements = ({ shape }: Pick<Value, 'shape'>): number => product(shape);

/** Adds a value. Throws `ShapeError` where a size is not 1 or more. */
export function addValue(graph: Graph, value: Omit<Value, 'id'>): Value {
  for (const size of value.shape) {
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new ShapeError(`${value.name}: expected sizes of 1 or more, got shape (${value.shape.join(', ')})`);
    }
  }
  const added = { id: graph.values.length, ...value };
  graph.values.push(added);
  return added;
}

export function input(graph: Graph, name: string, shape: readonly number[], dtype: Value['dtype'] = 'f32'): Value {
  return addValue(graph, { name, shape, dtype, role: 'input', trained: false });
}

export function parameter(graph: Graph, name: string, shape: readonly number[], trained = true): Value {
  return addValue(graph, { name, shape, dtype: 'f32', role: 'parameter', trained });
}

/** A value that a node computes. */
export function result(graph: Graph, name: string, shape: readonly number[]): Value {
  return addValue(graph, { name, shape, dtype: 'f32', role: 'result', trained: false });
}

/** Throws `ShapeError` where a value has another shape. */
export function expectShape(what: string, value: Value, expected: readonly number[]): void {
  if (value.shape.length !== expected.length || value.shape.some((size, i) => size !== expected[i])) {
    throw new ShapeError(
      `${what}: expected '${value.name}' of shape (${expected.join(', ')}), got (${value.shape.join(', ')})`,
    );
  }
}

/** Rows and columns of a matrix. Throws `ShapeError` where a value is none. */
export function matrix(what: string, value: Value): readonly [number, number] {
  const [rows, columns] = value.shape;
  if (value.shape.length !== 2 || !rows || !columns) {
    throw new ShapeError(`${what}: expected '${value.name}' to be a matrix, got shape (${value.shape.join(', ')})`);
  }
  return [rows, columns];
}

export function randomMatmul(graph: Graph, x: Value, weights: WeightSpec, units: number): Value {
  const [m] = matrix('randomMatmul', x);
  const z = result(graph, `${x.name} r`, [m, units]);
  graph.nodes.push({ op: 'randomMatmul', x, weights, z });
  return z;
}

export function randomMatmulTransposed(graph: Graph, dz: Value, weights: WeightSpec, fanIn: number): Value {
  const [m] = matrix('randomMatmulTransposed', dz);
  const dx = result(graph, `${dz.name} r'`, [m, fanIn]);
  graph.nodes.push({ op: 'randomMatmulTransposed', dz, weights, dx });
  return dx;
}

export function matmul(graph: Graph, a: Value, b: Value, transposeA = false, transposeB = false): Value {
  const [aRows, aColumns] = matrix('matmul', a);
  const [bRows, bColumns] = matrix('matmul', b);
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const [k2, n] = transposeB ? [bColumns, bRows] : [bRows, bColumns];
  if (k !== k2) {
    throw new ShapeError(
      `matmul: expected inner sizes to agree, got ${k} of '${a.name}' (${a.shape.join(', ')})${transposeA ? ' transposed' : ''} ` +
        `and ${k2} of '${b.name}' (${b.shape.join(', ')})${transposeB ? ' transposed' : ''}`,
    );
  }
  const c = result(graph, `${a.name} ${b.name}`, [m, n]);
  graph.nodes.push({ op: 'matmul', a, b, transposeA, transposeB, c });
  return c;
}

/** u and b have a number a column; where z holds images, one a channel. */
export function epilogue(
  graph: Graph,
  z: Value,
  u: Value | undefined,
  b: Value,
  activation: ActivationName,
  channels?: number,
): Value {
  const [m, n] = matrix('epilogue', z);
  for (const value of u ? [u, b] : [b]) expectShape('epilogue', value, [channels ?? n]);
  const y = result(graph, `g(${z.name})`, [m, n]);
  graph.nodes.push({ op: 'epilogue', z, u, b, activation, y });
  return y;
}

/**
 * For each operation: the fields that hold what it computes, where that is not z or dx; its other values are what it reads. An update
 * computes none.
 */
const made: { readonly [O in Node['op']]?: string } = {
  matmul: 'c',
  epilogue: 'y',
  epilogueInputGradient: 'dz',
  epilogueParameterGradient: 'du db',
  softmaxCrossEntropy: 'loss dlogits',
  meanSquaredError: 'loss dy',
  convWeightGradient: 'dw',
  maxPool: 'y',
  averagePool: 'y',
  dropout: 'y',
  add: 'c',
  adam: '',
  sgd: '',
};

/** Whether a field of a node is a value. */
export const isValue = (field: unknown): field is Value =>
  typeof field === 'object' && field !== null && 'role' in field;

const pick = (node: Node, makes: boolean): Value[] => {
  const names = (made[node.op] ?? 'z dx').split(' ');
  return Object.entries(node).flatMap(([name, field]) =>
    isValue(field) && names.includes(name) === makes ? [field] : [],
  );
};

/** Values that a node reads; updated parameters and states are among them. */
export const inputsOf = (node: Node): Value[] => pick(node, false);

/** Values that a node computes; none for an update. */
export const outputsOf = (node: Node): Value[] => pick(node, true);

/** Parameters and states of a graph with what a caller keeps for them by name: graphs of other batches share it. */
export function boundByName<B>(graph: Graph, kept: ReadonlyMap<string, B>): [Value, B][] {
  return graph.values.flatMap((value): [Value, B][] => {
    const bound = kept.get(value.name);
    return bound !== undefined && (value.role === 'parameter' || value.role === 'state') ? [[value, bound]] : [];
  });
}
