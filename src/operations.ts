/** What operations on raw buffers there are: specifications as plain data, and the recipes that follow from them. */
import { halfRows, halfRowWords } from '../kernels/half_rows.ts';
import { orthogonal, orthogonalShape } from '../kernels/orthogonal.ts';
import { quantiseRows } from '../kernels/quantise_rows.ts';
import { randomMatmulF16 } from '../kernels/random_matmul_f16.ts';
import { MAX_U8_INPUTS } from '../kernels/random_matmul_u8.ts';
import { randomWeights } from '../kernels/random_weights.ts';
import { type ActivationName, activationNames } from './activations.ts';
import { type Choice, type ForwardKernelName, orthogonalScratch } from './choose.ts';
import { type BatchKernelName, chooseBatch } from './choose-batch.ts';
import { chooseInteger, type IntegerKernelName } from './choose-integer.ts';
import type { Dispatch } from './dispatch.ts';
import { ShaderError, ShapeError } from './errors.ts';
import {
  createGraph,
  elements,
  epilogue,
  type Graph,
  input,
  matmul,
  parameter,
  randomMatmul,
  type Value,
} from './graph.ts';
import { add, randomConv } from './image-graph.ts';
import type { OperationBinding, Place, Recipe } from './operation.ts';
import { createPlan, type Operand, type PlanOptions } from './plan.ts';
import type { TypedArray } from './tensor.ts';
import { differentiate } from './train/differentiate.ts';
import { trainingLaunchers } from './train/launchers.ts';
import {
  distributionNames,
  type ElementwiseName,
  elementwiseNames,
  isElementwise,
  type WeightSpec,
  weightScale,
} from './weights/distributions.ts';
import { unitKeys } from './weights/stream.ts';
import { type Pair, type Window, windowCounts } from './window.ts';

/** Rows, inputs and units of a product with the (n, k) random matrix of `weights`. */
export interface RandomProduct {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly weights: WeightSpec;
}

/** y = g(scale * z + bias), a number a unit each; without bias y = z. */
export interface Epilogue {
  /** Whether there is a scale; default none. One wants a bias beside it. */
  readonly scale?: boolean;
  /** Whether there is a bias; default none. */
  readonly bias?: boolean;
  /** Default identity; another wants a bias. */
  readonly activation?: ActivationName;
}

export interface RandomMatmulSpec extends RandomProduct, Epilogue {
  readonly op: 'randomMatmul';
  /**
   * How x enters the product; default f32. `u8`: x holds bytes; sums are exact integers, the same on every device. `i8`: x holds f32
   * that is rounded to int8 on the device, each row with a scale of its own, max |x| / 127: at most max |x| / 254 off an input,
   * about 0.4% of |z| for uniform x. Neither for `orthogonal`.
   */
  readonly inputs?: 'f32' | 'u8' | 'i8';
  /**
   * `f16`: inputs, weights and sums of eight products in f16, everything else in f32: about 0.06% of |z| off. On devices with
   * `shader-f16` only; not for `orthogonal`, nor beside integer inputs. Default f32.
   */
  readonly precision?: 'f32' | 'f16';
  /** The kernel to take; default: as measured where the context tunes, else by shape, distribution and adapter. */
  readonly kernel?: ForwardKernelName | BatchKernelName | IntegerKernelName;
  /** Whether z is written too, for `epilogueGradient`; the product then is not fused with the epilogue. f32 alone. */
  readonly product?: boolean;
}

/** Sizes of a convolution over images (rows, height, width, channels), channels last; y is (rows, windows down, across, filters). */
export interface Convolution {
  readonly rows: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly filters: number;
  readonly kernel: Pair;
  /** Default [1, 1]. */
  readonly stride?: Pair;
  /** Zeros around the image; default [0, 0]. */
  readonly padding?: Pair;
  /** Default [1, 1]. */
  readonly dilation?: Pair;
  /** The (filters, kernel height * kernel width * channels) random matrix; not `orthogonal`. */
  readonly weights: WeightSpec & { readonly distribution: ElementwiseName };
}

/** VeRA (Kopiczko, Blankevoort, Asano, arXiv:2310.11454): two fixed random matrices, two trained vectors. */
export interface Vera {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly rank: number;
  /** A, (rank, k). Adapters of one model share it. */
  readonly a: WeightSpec;
  /** B, (n, rank). */
  readonly b: WeightSpec;
}

/** Layouts of every binding: `Operation.bindings`, and docs/backend.md. */
export type OperationSpec =
  /** y (m, n) = g(scale * (x r') + bias), x (m, k), r (n, k) regenerated. */
  | RandomMatmulSpec
  /** dx (m, k) = dz (m, n) r: the same matrix from its other side. */
  | ({ readonly op: 'randomMatmulTransposed' } & RandomProduct)
  /** From x, dy (and scale, bias): dx, dscale, dbias, those that are named. z is regenerated where it is needed. */
  | ({
      readonly op: 'randomMatmulGradient';
      readonly gradients: readonly ('x' | 'scale' | 'bias')[];
    } & RandomProduct &
      Epilogue)
  /** y (m, n) = g(scale * z + bias). */
  | ({ readonly op: 'epilogue'; readonly m: number; readonly n: number } & Epilogue)
  /** From z, dy, scale, bias: dz, dscale, dbias, those that are named. */
  | ({
      readonly op: 'epilogueGradient';
      readonly m: number;
      readonly n: number;
      readonly gradients: readonly ('z' | 'scale' | 'bias')[];
    } & Epilogue)
  /** y (m, n) = g(x w + bias), w (k, n) stored. */
  | ({ readonly op: 'dense'; readonly m: number; readonly k: number; readonly n: number } & Omit<Epilogue, 'scale'>)
  /** From x, w, dy (and bias): dx, dw, dbias, those that are named. */
  | ({
      readonly op: 'denseGradient';
      readonly m: number;
      readonly k: number;
      readonly n: number;
      readonly gradients: readonly ('x' | 'w' | 'bias')[];
    } & Omit<Epilogue, 'scale'>)
  /** y = g(scale * (r * x) + bias): random filters r, scale and bias a filter. */
  | ({ readonly op: 'halfConv2d' } & Convolution & Epilogue)
  | ({
      readonly op: 'halfConv2dGradient';
      readonly gradients: readonly ('x' | 'scale' | 'bias')[];
    } & Convolution &
      Epilogue)
  /** y (m, n) = base + b * (B (d * (A x))): x (m, k), d (rank), b (n), base (m, n) = W x where `base` is set, else 0. */
  | ({ readonly op: 'vera'; readonly base?: boolean } & Vera)
  /** From x, d, b, dy: dx (what comes through A and B), dd, db, those that are named. */
  | ({ readonly op: 'veraGradient'; readonly gradients: readonly ('x' | 'd' | 'b')[] } & Vera)
  /** out = any slice of a random matrix, (inputs, units), one row an input; `transposed`: (units, inputs). */
  | {
      readonly op: 'materialize';
      readonly weights: WeightSpec;
      /** Half-open. */
      readonly inputs: readonly [from: number, to: number];
      /** Half-open. Of `orthogonal` from the first unit of a block (its size: SPEC.md, section 4). */
      readonly units: readonly [from: number, to: number];
      /** All inputs of the layer, by which weights are scaled. */
      readonly fanIn: number;
      /** `f32` (default): weights. `i32`: the integers before they are scaled; not of `orthogonal`. */
      readonly dtype?: 'f32' | 'i32';
      readonly transposed?: boolean;
    };

/** What decides on kernels beside the operation: a context. */
export type Device = { readonly choice: Choice };

/** The graph of an operation that has one, with what a plan needs to know of it. */
export interface OperationGraph {
  readonly graph: Graph;
  readonly named: ReadonlyMap<string, Value>;
  readonly outputs: readonly Value[];
  /** Values of the operation's own: zeros. */
  readonly zeros: readonly Value[];
}

const expectSizes = (what: string, sizes: Readonly<Record<string, number>>): void => {
  for (const [name, size] of Object.entries(sizes)) {
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new ShapeError(`${what}: expected ${name} of 1 or more, got ${size}`);
    }
  }
};

function expectWeights(what: string, { distribution }: WeightSpec, names: readonly string[] = distributionNames): void {
  if (!names.includes(distribution)) {
    throw new ShapeError(`${what}: expected weights to be one of ${names.join(', ')}; got '${distribution}'`);
  }
}

function expectEpilogue(what: string, { scale, bias, activation = 'identity' }: Epilogue): void {
  if (!activationNames.includes(activation)) {
    throw new ShapeError(
      `${what}: expected activation to be one of ${activationNames.join(', ')}; got '${activation}'`,
    );
  }
  if (!bias && (scale || activation !== 'identity')) {
    throw new ShapeError(`${what}: expected a bias beside a scale or an activation, got none`);
  }
}

function expectGradients(what: string, gradients: readonly string[], names: readonly string[]): void {
  const wrong = gradients.filter((name) => !names.includes(name));
  if (wrong.length || gradients.length === 0) {
    throw new ShapeError(`${what}: expected gradients of ${names.join(', ')}; got ${gradients.join(', ') || 'none'}`);
  }
}

/** The window of a convolution. */
function windowOf(what: string, spec: Convolution): Window {
  const { height, width, channels, kernel, stride = [1, 1], padding = [0, 0], dilation = [1, 1] } = spec;
  expectSizes(what, { rows: spec.rows, height, width, channels, filters: spec.filters });
  for (const [name, pair, least] of [
    ['kernel', kernel, 1],
    ['stride', stride, 1],
    ['padding', padding, 0],
    ['dilation', dilation, 1],
  ] as const) {
    if (!(pair?.length === 2 && pair.every((size) => Number.isSafeInteger(size) && size >= least))) {
      throw new ShapeError(`${what}: expected ${name} as two integers of ${least} or more, got ${pair}`);
    }
  }
  const window = { height, width, channels, kernel, stride, padding, dilation };
  windowCounts(window); // throws where the kernel does not fit
  return window;
}

/** The graph of an operation; none for those that are no node of a graph (`materialize`). */
export function operationGraph(spec: Exclude<OperationSpec, { op: 'materialize' }>): OperationGraph {
  const { op } = spec;
  const graph = createGraph();
  const named = new Map<string, Value>();
  const zeros: Value[] = [];
  const wanted: readonly string[] = 'gradients' in spec ? spec.gradients : [];
  const given = (name: string, ...shape: number[]): Value => {
    const value = parameter(graph, name, shape, wanted.includes(name));
    named.set(name, value);
    return value;
  };
  const zero = (size: number): Value => {
    const value = parameter(graph, 'zeros', [size], false);
    zeros.push(value);
    return value;
  };
  /** z through the epilogue that is asked for, over n columns or channels. */
  const finished = (z: Value, { scale, bias, activation = 'identity' }: Epilogue, n: number): Value => {
    if (!bias) return z;
    const u = scale ? given('scale', n) : undefined;
    return epilogue(graph, z, u, given('bias', n), activation, n);
  };
  /** Of a forward operation: y. Of a gradient: what comes of dy. */
  const done = (y: Value, names: readonly string[]): OperationGraph => {
    if (!('gradients' in spec)) {
      named.set('y', y);
      return { graph, named, outputs: [y], zeros };
    }
    expectGradients(
      op,
      wanted,
      names.filter((name) => named.has(name)),
    );
    const dy = input(graph, 'dy', y.shape);
    const gradients = differentiate(graph, y, dy);
    named.set('dy', dy);
    const outputs = wanted.map((name) => {
      const gradient = gradients.get(named.get(name)!)!;
      named.set(`d${name}`, gradient);
      return gradient;
    });
    return { graph, named, outputs, zeros };
  };
  switch (spec.op) {
    case 'randomMatmul':
    case 'randomMatmulGradient': {
      const { m, k, n, weights } = spec;
      expectSizes(op, { m, k, n });
      expectWeights(op, weights);
      expectEpilogue(op, spec);
      const z = randomMatmul(graph, given('x', m, k), weights, n);
      const made = done(finished(z, spec, n), ['x', 'scale', 'bias']);
      if (!('product' in spec && spec.product) || !spec.bias) return made;
      named.set('z', z);
      return { ...made, outputs: [...made.outputs, z] };
    }
    case 'randomMatmulTransposed': {
      const { m, k, n, weights } = spec;
      expectSizes(op, { m, k, n });
      expectWeights(op, weights);
      const x = parameter(graph, 'x', [m, k]);
      const dz = input(graph, 'dz', [m, n]);
      const dx = differentiate(graph, randomMatmul(graph, x, weights, n), dz).get(x)!;
      named.set('dz', dz).set('dx', dx);
      return { graph, named, outputs: [dx], zeros };
    }
    case 'epilogue':
    case 'epilogueGradient': {
      const { m, n } = spec;
      expectSizes(op, { m, n });
      expectEpilogue(op, spec);
      if (!spec.bias) throw new ShapeError(`${op}: expected a bias, got none`);
      return done(finished(given('z', m, n), spec, n), ['z', 'scale', 'bias']);
    }
    case 'dense':
    case 'denseGradient': {
      const { m, k, n } = spec;
      expectSizes(op, { m, k, n });
      expectEpilogue(op, spec);
      const z = matmul(graph, given('x', m, k), given('w', k, n));
      const { bias = false, activation = 'identity' } = spec;
      return done(finished(z, { bias, activation }, n), ['x', 'w', 'bias']);
    }
    case 'halfConv2d':
    case 'halfConv2dGradient': {
      const { rows, height, width, channels, filters, weights } = spec;
      const window = windowOf(op, spec);
      expectWeights(op, weights, elementwiseNames);
      expectEpilogue(op, spec);
      const x = given('x', rows, height * width * channels);
      const z = randomConv(graph, x, weights, window, filters);
      return done(finished(z, spec, filters), ['x', 'scale', 'bias']);
    }
    case 'vera':
    case 'veraGradient': {
      const { m, k, n, rank } = spec;
      expectSizes(op, { m, k, n, rank });
      expectWeights(op, spec.a);
      expectWeights(op, spec.b);
      const low = randomMatmul(graph, given('x', m, k), spec.a, rank);
      const scaled = epilogue(graph, low, given('d', rank), zero(rank), 'identity');
      const high = randomMatmul(graph, scaled, spec.b, n);
      const y = epilogue(graph, high, given('b', n), zero(n), 'identity');
      return done('base' in spec && spec.base ? add(graph, given('base', m, n), y) : y, ['x', 'd', 'b']);
    }
    default:
      throw new ShapeError(`expected an operation, got op '${(spec as { op: unknown }).op}'`);
  }
}

/** What a plan of the operation needs to be told. */
export const planOptions = (
  spec: OperationSpec,
  { outputs }: Pick<OperationGraph, 'outputs'>,
): PlanOptions & { outputs: readonly Value[] } => ({
  outputs,
  launchers: trainingLaunchers,
  ...('kernel' in spec && spec.kernel && { kernel: spec.kernel as ForwardKernelName }),
});

/** The recipe of an operation on this device. Throws `ShapeError` for what does not fit, `ShaderError` for what the device lacks. */
export function recipeOf(context: Device & { readonly tuner?: unknown }, spec: OperationSpec): Recipe {
  if (spec.op === 'materialize') return materialize(spec);
  const made = operationGraph(spec);
  const direct = spec.op === 'randomMatmul' ? directly(context, spec) : undefined;
  if (direct && spec.op === 'randomMatmul') return directRecipe(spec, made, direct);
  const plan = createPlan(made.graph, { ...context.choice, ...planOptions(spec, made) });
  const names = new Map([...made.named].map(([name, value]) => [value, name]));
  const memory: (number | TypedArray)[] = [
    ...plan.slots,
    ...plan.keys.map(({ weights, units }) => unitKeys(weights.seed, weights.tensor, units)),
    ...made.zeros.map((value) => 4 * elements(value)),
  ];
  const place = (operand: Operand): Place => {
    if (operand.kind === 'slot') return { own: operand.slot };
    if (operand.kind === 'keys') return { own: plan.slots.length + operand.keys };
    if (operand.kind === 'schedule') throw new ShapeError(`${spec.op}: expected no schedule`);
    const name = names.get(operand.value);
    return name ? { name } : { own: plan.slots.length + plan.keys.length + made.zeros.indexOf(operand.value) };
  };
  const dispatches = plan.dispatches.map(
    (dispatch): Dispatch<Place> => ({
      ...dispatch,
      buffers: Object.fromEntries(Object.entries(dispatch.buffers).map(([name, operand]) => [name, place(operand)])),
    }),
  );
  return { what: spec.op, dispatches, memory, bindings: bindingsOf(spec, made.named) };
}

/** Layouts of the values by name. Those of images are told as they lie. */
function bindingsOf(spec: OperationSpec, named: ReadonlyMap<string, Value>): Recipe['bindings'] {
  const floats = (shape: readonly number[], bytes: number) => ({ shape, dtype: 'f32' as const, bytes });
  return Object.fromEntries(
    [...named].map(([name, value]) => {
      const image = 'filters' in spec && value.shape.length === 2;
      return [name, floats(image ? imageShape(spec, name) : value.shape, 4 * elements(value))];
    }),
  );
}

function imageShape(spec: Convolution & { readonly op: string }, name: string): readonly number[] {
  const { rows, height, width, channels, filters } = spec;
  if (name === 'x' || name === 'dx') return [rows, height, width, channels];
  return [rows, ...windowCounts(windowOf(spec.op, spec)), filters];
}

/** Dispatches of a product, given what makes memory for it. */
type Direct = (
  args: { x: Place; y: Place; keys: Place; epilogue?: { u?: Place; b: Place; activation: ActivationName } },
  memory: (content: number) => Place,
) => Dispatch<Place>[];

/** What makes the dispatches where the product is none of the graph's: integer inputs, f16, large batches. Throws for what cannot be. */
function directly(context: Device & { readonly tuner?: unknown }, spec: RandomMatmulSpec): Direct | undefined {
  const { m, k, n, weights, kernel, inputs = 'f32', precision = 'f32', product } = spec;
  const problem = { m, k, n, weights: weights.distribution };
  const sizes = { m, k, n, weights: weights.distribution as ElementwiseName };
  const { software = false, features } = context.choice;
  if (precision === 'f16') {
    if (inputs !== 'f32' || kernel || !isElementwise(problem.weights)) {
      throw new ShapeError(
        `randomMatmul: expected f32 inputs, independent weights and no kernel by name beside f16, got ${inputs}, ${problem.weights}, ${kernel}`,
      );
    }
    if (!features?.has('shader-f16')) {
      throw new ShaderError(
        "randomMatmul: expected a device with 'shader-f16' for f16, got one without. Leave `precision` out, or ask the adapter for the feature.",
      );
    }
  }
  if (product && (precision !== 'f32' || inputs !== 'f32')) {
    throw new ShapeError(`randomMatmul: expected f32 alone beside product, got ${precision}, inputs ${inputs}`);
  }
  if (precision === 'f16') {
    return ({ x, ...args }, memory) => {
      const [h, scales] = [memory(4 * m * halfRowWords(k)), memory(4 * m)];
      return [halfRows({ m, k, x, h, scales }), randomMatmulF16({ ...sizes, ...args, x: h }, scales)];
    };
  }
  if (inputs !== 'f32') {
    if (k > MAX_U8_INPUTS) {
      throw new ShapeError(`randomMatmul: expected at most ${MAX_U8_INPUTS} inputs where they are integers, got ${k}`);
    }
    const chosen = chooseInteger(problem, software, kernel);
    return ({ x, ...args }, memory) => {
      const scratch = chosen.scratchBytes(problem).map(memory);
      if (inputs === 'u8') return chosen.launch({ ...sizes, ...args, x }, scratch);
      const [q, scales] = [memory(4 * m * Math.ceil(k / 4)), memory(4 * m)];
      return [quantiseRows({ m, k, x, q, scales }), ...chosen.launch({ ...sizes, ...args, x: q, scales }, scratch)];
    };
  }
  if (product) return undefined;
  const chosen = chooseBatch(problem, software || Boolean(context.tuner), kernel); // a context that tunes measures the others
  return chosen && ((args) => chosen.launch({ ...sizes, ...args }, []));
}

function directRecipe(spec: RandomMatmulSpec, { named }: OperationGraph, make: Direct): Recipe {
  const { m, k, n, weights, scale, bias, activation = 'identity', inputs } = spec;
  const memory: (number | TypedArray)[] = [unitKeys(weights.seed, weights.tensor, n)];
  const args = {
    x: { name: 'x' },
    y: { name: 'y' },
    keys: { own: 0 },
    ...(bias && { epilogue: { ...(scale && { u: { name: 'scale' } }), b: { name: 'bias' }, activation } }),
  };
  const dispatches = make(args, (bytes) => ({ own: memory.push(bytes) - 1 }));
  const words = Math.ceil(k / 4);
  const bytes: Omit<OperationBinding, 'access'> = { shape: [m, 4 * words], dtype: 'u8', bytes: 4 * m * words };
  const bindings = { ...bindingsOf(spec, named), ...(inputs === 'u8' && { x: bytes }) };
  return { what: spec.op, dispatches, memory, bindings };
}

function materialize(spec: Extract<OperationSpec, { op: 'materialize' }>): Recipe {
  const { op: what, weights, inputs, units, fanIn, dtype = 'f32', transposed = false } = spec;
  expectWeights(what, weights);
  expectSizes(what, { fanIn });
  for (const [name, range, most] of [
    ['inputs', inputs, fanIn],
    ['units', units, 2 ** 32],
  ] as const) {
    const [from, to] = range;
    if (!(Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && from < to && to <= most)) {
      throw new ShapeError(`${what}: expected ${name} from:to with 0 <= from < to <= ${most}, got ${from}:${to}`);
    }
  }
  const [kCount, nCount] = [inputs[1] - inputs[0], units[1] - units[0]];
  const out = { name: 'out' };
  const shape = transposed ? [nCount, kCount] : [kCount, nCount];
  const bindings = { out: { shape, dtype, bytes: 4 * kCount * nCount } };
  const { distribution, seed, tensor } = weights;
  if (isElementwise(distribution)) {
    const scale = dtype === 'f32' ? weightScale(distribution, fanIn) : undefined;
    const slice = { kFrom: inputs[0], kCount, nCount, weights: distribution, transposed, ...(scale && { scale }) };
    return {
      what,
      dispatches: [randomWeights<Place>({ ...slice, keys: { own: 0 }, out })],
      memory: [unitKeys(seed, tensor, nCount, units[0])],
      bindings,
    };
  }
  // A row of the matrix is no function of a few words: rows of the identity are multiplied instead.
  const sizes = { m: kCount, k: fanIn, n: nCount };
  const { p, blocks } = orthogonalShape(sizes);
  if (dtype !== 'f32' || transposed || units[0] % p) {
    throw new ShapeError(
      `${what}: expected f32, not transposed, and units from a multiple of ${p} for 'orthogonal', got ${dtype}, ` +
        `${transposed ? 'transposed' : 'not transposed'}, units from ${units[0]}`,
    );
  }
  const identity = new Float32Array(kCount * fanIn);
  for (let row = 0; row < kCount; row++) identity[row * fanIn + inputs[0] + row] = 1;
  const scratch = orthogonalScratch({ ...sizes, weights: distribution });
  return {
    what,
    dispatches: orthogonal<Place>({ ...sizes, x: { own: 0 }, keys: { own: 1 }, y: out }, [{ own: 2 }, { own: 3 }]),
    memory: [identity, unitKeys(seed, tensor, blocks, units[0] / p), ...scratch],
    bindings,
  };
}
