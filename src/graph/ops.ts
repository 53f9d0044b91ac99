/**
 * Every operation of the graph, declared once: its plain fields, the values it reads, the values it makes with their
 * shapes, and its family. Node types, builders, `inputsOf` and `outputsOf` follow from this table. So do the tables of
 * each facet, which do not compile while an operation is missing: gradients (gradients.ts), lowerings (gpu/lower,
 * cpu/lower), twins (reference/graph.ts) and conformance cases (conformance/groups.ts).
 */
import type { ActivationName } from '../core/activations.ts';
import { ShapeError } from '../core/errors.ts';
import type { ElementwiseLoss } from '../core/losses.ts';
import { expectPools, type SignalPool } from '../core/signal-pools.ts';
import { imageSize, type Window, windowCounts, windowSize } from '../core/window.ts';
import { expectMatrix, type WeightSpec } from '../weights/distributions.ts';
import type { FieldSpec } from '../weights/fields.ts';
import { checkKernels, type KernelSpec } from '../weights/kernel-spec.ts';
import { expectShape, matrix, type Value } from './value.ts';

/**
 * Operations that a backend loads together. Pages do not load families that their graphs do not use, except `dense`.
 */
export type Family = 'dense' | 'training' | 'image' | 'imageGradient' | 'field' | 'fieldGradient' | 'solve' | 'signal';

type Shape = readonly number[];

/** The values that a declaration reads, by name; a name such as `u?` is optional. */
type Reads<R extends string> = { readonly [N in R as N extends `${string}?` ? never : N]: Value } & {
  readonly [N in R as N extends `${infer M}?` ? M : never]?: Value | undefined;
};

/** The values that it makes. A value is optional if its shape may be undefined. */
type Makes<M> = {
  readonly [N in keyof M as undefined extends ShapeOf<M[N]> ? never : N]: Value;
} & { readonly [N in keyof M as undefined extends ShapeOf<M[N]> ? N : never]?: Value | undefined };
type ShapeOf<Rule> = Rule extends (from: never) => infer S ? S : never;

interface Declaration<F, G extends Family, R extends string, M> {
  readonly family: G;
  readonly reads: readonly R[];
  /**
   * The shape of each value it makes, from its fields and what it reads. Throws `ShapeError`, to which `apply` adds the
   * operation.
   */
  readonly makes: M;
  /** Its plain fields, only for types. */
  readonly fields?: F;
}

const op =
  <F = unknown>() =>
  <G extends Family, R extends string, M extends Record<string, (from: F & Reads<R>) => Shape | undefined>>(
    family: G,
    reads: readonly R[],
    makes: M,
  ): Declaration<F, G, R, M> => ({ family, reads, makes });

type Mask = Pick<WeightSpec, 'seed' | 'tensor'>;
interface Filters {
  readonly window: Window;
  readonly filters: number;
}
interface RandomFilters extends Filters {
  readonly weights: WeightSpec;
}
interface Activated {
  readonly activation: ActivationName;
}

export const ops = {
  /** z (M, units) = x (M, K) times the transpose of the random (units, K) matrix of `weights`, scale included. */
  randomMatmul: op<{ readonly weights: WeightSpec; readonly units: number }>()('dense', ['x'], {
    z: ({ x, weights, units }) => {
      const [m, k] = matrix(x);
      expectMatrix(weights.distribution, k, units);
      return [m, units];
    },
  }),
  /** dx (M, fanIn) = dz (M, N) times the random (N, fanIn) matrix. */
  randomMatmulTransposed: op<{ readonly weights: WeightSpec; readonly fanIn: number }>()('training', ['dz'], {
    dx: ({ dz, fanIn }) => [matrix(dz)[0], fanIn],
  }),
  /** c (M, N) = op(a) op(b); op transposes where its flag is set. */
  matmul: op<{ readonly transposeA?: boolean; readonly transposeB?: boolean }>()('dense', ['a', 'b'], {
    c: ({ a, b, transposeA, transposeB }) => {
      const [m, k] = orient(matrix(a), transposeA);
      const [k2, n] = orient(matrix(b), transposeB);
      if (k === k2) return [m, n];
      const text = ({ name, shape }: Value, transposed = false) =>
        `'${name}' (${shape.join(', ')})${transposed ? ' transposed' : ''}`;
      throw new ShapeError(
        `expected inner sizes to agree, got ${k} of ${text(a, transposeA)} and ${k2} of ${text(b, transposeB)}`,
      );
    },
  }),
  /** y = g(u * z + b): u and b over the columns, or over the `channels` of each position; without u: g(z + b). */
  epilogue: op<Activated & { readonly channels?: number | undefined }>()('dense', ['z', 'u?', 'b'], {
    y: ({ z, u, b, channels }) => {
      const [m, n] = matrix(z);
      for (const value of u ? [u, b] : [b]) expectShape(value, [channels ?? n]);
      return [m, n];
    },
  }),
  epilogueInputGradient: op<Activated>()('training', ['z', 'u?', 'b', 'dy'], {
    dz: ({ z, dy }) => expectShape(dy, z.shape),
  }),
  epilogueParameterGradient: op<Activated>()('training', ['z', 'u?', 'b', 'dy'], {
    du: ({ u }) => u?.shape,
    db: ({ z, b, dy }) => {
      expectShape(dy, z.shape);
      return b.shape;
    },
  }),
  /**
   * loss (M, 2): cross-entropy in nats, 1 where the largest logit is the label's; dlogits is the gradient of the mean.
   */
  softmaxCrossEntropy: op()('training', ['logits', 'labels'], {
    loss: ({ logits, labels }) => {
      const [m] = matrix(logits);
      expectShape(labels, [m]);
      if (labels.dtype === 'u32') return [m, 2];
      throw new ShapeError(`expected u32 labels, got ${labels.dtype}`);
    },
    dlogits: ({ logits }) => logits.shape,
  }),
  /** loss (M, 2): means over the columns of the loss and of the hits; dy is the gradient of the mean over the rows. */
  elementwiseLoss: op<{ readonly kind: ElementwiseLoss }>()('training', ['y', 'targets'], {
    loss: ({ y, targets }) => {
      const [m] = matrix(y);
      expectShape(targets, y.shape);
      return [m, 2];
    },
    dy: ({ y }) => y.shape,
  }),
  /** The loss and the gradient of each row, times the weight of its class; hits stay as they are. */
  classWeights: op()('training', ['loss', 'gradient', 'labels', 'weights'], {
    weightedLoss: ({ loss, gradient, labels, weights }) => {
      const [m, n] = matrix(gradient);
      expectShape(labels, [m]);
      expectShape(weights, [n]);
      return expectShape(loss, [m, 2]);
    },
    weightedGradient: ({ gradient }) => gradient.shape,
  }),
  /**
   * Rows of images (core/window.ts): z (rows, windows * filters) = each window times the random (filters, window size)
   * matrix of `weights`.
   */
  randomConv: op<RandomFilters>()('image', ['x'], { z: ({ x, ...filters }) => convolved(x, filters) }),
  randomConvTransposed: op<RandomFilters>()('imageGradient', ['dz'], {
    dx: ({ dz, ...filters }) => images(dz, filters),
  }),
  /** The same with stored filters w (window size, filters). */
  conv: op<Filters>()('image', ['x', 'w'], {
    z: ({ x, w, ...filters }) => {
      expectShape(w, [windowSize(filters.window), filters.filters]);
      return convolved(x, filters);
    },
  }),
  convInputGradient: op<Filters>()('imageGradient', ['dz', 'w'], {
    dx: ({ dz, ...filters }) => images(dz, filters),
  }),
  convWeightGradient: op<Filters>()('imageGradient', ['x', 'dz'], {
    dw: ({ x, dz, ...filters }) => {
      expectShape(dz, convolved(x, filters));
      return [windowSize(filters.window), filters.filters];
    },
  }),
  /** y (rows, windows * channels): the maximum of each window, per channel. */
  maxPool: op<{ readonly window: Window }>()('image', ['x'], { y: ({ x, window }) => pooled(x, window) }),
  maxPoolGradient: op<{ readonly window: Window }>()('imageGradient', ['x', 'dy'], {
    dx: ({ x, dy, window }) => {
      expectShape(dy, pooled(x, window));
      return x.shape;
    },
  }),
  /** y (rows, windows * channels): the mean of each window, per channel. */
  averagePool: op<{ readonly window: Window }>()('image', ['x'], {
    y: ({ x, window }) => pooled(x, window),
  }),
  averagePoolGradient: op<{ readonly window: Window }>()('imageGradient', ['dy'], {
    dx: ({ dy, window }) => images(dy, { window, filters: window.channels }),
  }),
  /**
   * y = x / (1 - rate), or 0 with probability `rate`, decided by the words of `mask` at the step. A copy if rate is 0.
   */
  dropout: op<{ readonly mask: Mask; readonly rate: number }>()('training', ['x'], { y: ({ x }) => x.shape }),
  /** c = a + b. */
  add: op()('image', ['a', 'b'], { c: ({ a, b }) => expectShape(b, a.shape) }),
  /** c = a * b, element by element. */
  multiply: op()('image', ['a', 'b'], { c: ({ a, b }) => expectShape(b, a.shape) }),
  /** z (M, units) = x times a random matrix whose rows are 0 outside a window of the image that a row of x holds. */
  randomFields: op<{ readonly weights: FieldSpec; readonly units: number }>()('field', ['x'], {
    z: ({ x, weights, units }) => {
      const [m] = matrix(x);
      expectShape(x, [m, imageSize(weights.image)]);
      return [m, units];
    },
  }),
  randomFieldsTransposed: op<{ readonly weights: FieldSpec }>()('fieldGradient', ['dz'], {
    dx: ({ dz, weights }) => [matrix(dz)[0], imageSize(weights.image)],
  }),
  /** g (N, N) = x'x for x (M, N): its upper triangle, and zeros below it. */
  gram: op()('solve', ['x'], {
    g: ({ x }) => {
      const [, n] = matrix(x);
      return [n, n];
    },
  }),
  /**
   * y (M, pools * units): each signal of x (length, channels) convolved with `units` random kernels, each result pooled
   * to one number for each of `pools`. Feature p * units + n is pool p of unit n, whose bias is b[n].
   */
  randomKernels: op<{ readonly weights: KernelSpec; readonly units: number; readonly pools: readonly SignalPool[] }>()(
    'signal',
    ['x', 'b'],
    {
      y: ({ x, b, weights, units, pools }) => {
        const [m] = matrix(x);
        expectPools(pools);
        checkKernels(weights);
        expectShape(x, [m, weights.length * weights.channels]);
        expectShape(b, [units]);
        return [m, pools.length * units];
      },
    },
  ),
  /** Changes `parameter` and both moments in place. */
  adam: op<{ readonly beta1: number; readonly beta2: number; readonly epsilon: number }>()(
    'training',
    ['parameter', 'gradient', 'moment1', 'moment2'],
    {},
  ),
  /** Changes `parameter` and `velocity` in place. */
  sgd: op<{ readonly momentum: number }>()('training', ['parameter', 'gradient', 'velocity'], {}),
} as const;

export type Op = keyof typeof ops;

/** The operations of a family. */
export type OpsOf<G extends Family> = { [O in Op]: (typeof ops)[O]['family'] extends G ? O : never }[Op];

type Flat<T> = { readonly [K in keyof T]: T[K] };
type Given<D> = D extends Declaration<infer F, Family, infer R, unknown> ? F & Reads<R> : never;
type Made<D> = D extends Declaration<unknown, Family, string, infer M> ? Makes<M> : never;

/** Arguments of an operation: its fields and the values it reads. */
export type ArgsOf<O extends Op> = Flat<Given<(typeof ops)[O]>>;

/** The names of the values that an operation reads. */
export type ReadBy<O extends Op> =
  (typeof ops)[O] extends Declaration<unknown, Family, infer R, unknown> ? keyof Reads<R> & string : never;

/** The values that an operation makes, by name. */
export type MadeBy<O extends Op> = Flat<Made<(typeof ops)[O]>>;

/** A node of the graph: fields, and values under the names of the declaration. */
export type NodeOf<O extends Op> = Flat<{ readonly op: O } & Given<(typeof ops)[O]> & Made<(typeof ops)[O]>>;

export type Node = { [O in Op]: NodeOf<O> }[Op];

const valuesOf = (node: Node, names: readonly string[]): Value[] =>
  names.flatMap((name) => (node as unknown as Record<string, Value | undefined>)[name] ?? []);

/** The values that a node reads; an update reads the parameter and the states that it changes. */
export const inputsOf = (node: Node): Value[] =>
  valuesOf(
    node,
    ops[node.op].reads.map((name) => name.replace('?', '')),
  );

/** The values that a node makes; an update makes none. */
export const outputsOf = (node: Node): Value[] => valuesOf(node, Object.keys(ops[node.op].makes));

/** The families of these nodes, each once. */
export const familiesOf = (nodes: readonly Node[]): Family[] => [...new Set(nodes.map(({ op }) => ops[op].family))];

const orient = ([rows, columns]: readonly [number, number], transposed = false) =>
  transposed ? ([columns, rows] as const) : ([rows, columns] as const);

/** `filters` numbers per window, for rows of images. */
function convolved(x: Value, { window, filters }: Filters): Shape {
  const [rows] = matrix(x);
  expectShape(x, [rows, imageSize(window)]);
  const [down, across] = windowCounts(window);
  return [rows, down * across * filters];
}

const pooled = (x: Value, window: Window): Shape => convolved(x, { window, filters: window.channels });

/** The images of a window, from `filters` numbers per window. */
function images(dz: Value, { window, filters }: Filters): Shape {
  const [rows] = matrix(dz);
  const [down, across] = windowCounts(window);
  expectShape(dz, [rows, down * across * filters]);
  return [rows, imageSize(window)];
}
