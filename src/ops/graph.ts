/** Operations as graphs: what plans and training have for layers serves them too. */
import { ShapeError } from '../core/errors.ts';
import { differentiate } from '../graph/differentiate.ts';
import {
  createGraph,
  epilogue,
  type Graph,
  input,
  matmul,
  parameter,
  randomMatmul,
  type Value,
} from '../graph/graph.ts';
import { add, randomConv } from '../graph/images.ts';
import { elementwiseNames } from '../weights/distributions.ts';
import {
  type Epilogue,
  expectEpilogue,
  expectGradients,
  expectSizes,
  expectWeights,
  type OperationSpec,
  windowOf,
} from './spec.ts';

/** The graph of an operation that has one, with what a plan needs to know of it. */
export interface OperationGraph {
  readonly graph: Graph;
  readonly named: ReadonlyMap<string, Value>;
  readonly outputs: readonly Value[];
  /** Values of the operation's own: zeros. */
  readonly zeros: readonly Value[];
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
