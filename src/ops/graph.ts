/** Operations as graphs: what plans and training have for layers serves them too. */
import { ShapeError } from '../core/errors.ts';
import { differentiate } from '../graph/differentiate.ts';
import { apply } from '../graph/every-op.ts';
import { createGraph, type Graph, input, parameter } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
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
    return apply(graph, 'epilogue', { z, u, b: given('bias', n), activation, channels: n }).y;
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
      const { z } = apply(graph, 'randomMatmul', { x: given('x', m, k), weights, units: n });
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
      const dx = differentiate(graph, apply(graph, 'randomMatmul', { x, weights, units: n }).z, dz).get(x)!;
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
      const { c } = apply(graph, 'matmul', { a: given('x', m, k), b: given('w', k, n) });
      const { bias = false, activation = 'identity' } = spec;
      return done(finished(c, { bias, activation }, n), ['x', 'w', 'bias']);
    }
    case 'halfConv2d':
    case 'halfConv2dGradient': {
      const { rows, height, width, channels, filters, weights } = spec;
      const window = windowOf(op, spec);
      expectWeights(op, weights, elementwiseNames);
      expectEpilogue(op, spec);
      const x = given('x', rows, height * width * channels);
      const { z } = apply(graph, 'randomConv', { x, weights, window, filters });
      return done(finished(z, spec, filters), ['x', 'scale', 'bias']);
    }
    case 'vera':
    case 'veraGradient': {
      const { m, k, n, rank } = spec;
      expectSizes(op, { m, k, n, rank });
      expectWeights(op, spec.a);
      expectWeights(op, spec.b);
      const scaled = (z: Value, u: Value, b: Value) => apply(graph, 'epilogue', { z, u, b, activation: 'identity' }).y;
      const low = apply(graph, 'randomMatmul', { x: given('x', m, k), weights: spec.a, units: rank }).z;
      const x = scaled(low, given('d', rank), zero(rank));
      const high = apply(graph, 'randomMatmul', { x, weights: spec.b, units: n }).z;
      const b = scaled(high, given('b', n), zero(n));
      const y = 'base' in spec && spec.base ? apply(graph, 'add', { a: given('base', m, n), b }).c : b;
      return done(y, ['x', 'd', 'b']);
    }
    default:
      throw new ShapeError(`expected an operation, got op '${(spec satisfies never as { op: unknown }).op}'`);
  }
}
