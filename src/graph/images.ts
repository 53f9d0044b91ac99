/** Nodes of images: convolutions, pooling, and the mask and the sum that go with them. A row is an image (src/core/window.ts). */

import { imageSize, type Window, windowCounts, windowSize } from '../core/window.ts';
import type { WeightSpec } from '../weights/distributions.ts';
import { expectShape, type Graph, matrix, type Node, result, type Value } from './graph.ts';

/** Rows of a value that holds the images of a window. Throws `ShapeError`. */
function rowsOf(what: string, x: Value, window: Window): number {
  const [rows] = matrix(what, x);
  expectShape(what, x, [rows, imageSize(window)]);
  return rows;
}

/** A value of `channels` numbers a window. */
function windowsResult(graph: Graph, name: string, rows: number, window: Window, channels: number): Value {
  const [down, across] = windowCounts(window);
  return result(graph, name, [rows, down * across * channels]);
}

export function randomConv(graph: Graph, x: Value, weights: WeightSpec, window: Window, filters: number): Value {
  const z = windowsResult(graph, `${x.name} r`, rowsOf('randomConv', x, window), window, filters);
  graph.nodes.push({ op: 'randomConv', x, weights, window, filters, z });
  return z;
}

/** w is (window size, filters). */
export function conv(graph: Graph, x: Value, w: Value, window: Window): Value {
  const [, filters] = matrix('conv', w);
  expectShape('conv', w, [windowSize(window), filters]);
  const z = windowsResult(graph, `${x.name} ${w.name}`, rowsOf('conv', x, window), window, filters);
  graph.nodes.push({ op: 'conv', x, w, window, filters, z });
  return z;
}

export function maxPool(graph: Graph, x: Value, window: Window): Value {
  const y = windowsResult(graph, `max(${x.name})`, rowsOf('maxPool', x, window), window, window.channels);
  graph.nodes.push({ op: 'maxPool', x, window, y });
  return y;
}

export function averagePool(graph: Graph, x: Value, window: Window): Value {
  const y = windowsResult(graph, `mean(${x.name})`, rowsOf('averagePool', x, window), window, window.channels);
  graph.nodes.push({ op: 'averagePool', x, window, y });
  return y;
}

export function dropout(graph: Graph, x: Value, mask: Pick<WeightSpec, 'seed' | 'tensor'>, rate: number): Value {
  const y = result(graph, `dropout(${x.name})`, x.shape);
  graph.nodes.push({ op: 'dropout', x, mask, rate, y });
  return y;
}

export function add(graph: Graph, a: Value, b: Value): Value {
  expectShape('add', b, a.shape);
  const c = result(graph, `${a.name} + ${b.name}`, a.shape);
  graph.nodes.push({ op: 'add', a, b, c });
  return c;
}

type NodeOf<O extends Node['op']> = Extract<Node, { op: O }>;

/** Gradients of x, from that of what a node made. */
export const inputGradients = {
  randomConv(graph: Graph, { x, weights, window, filters }: NodeOf<'randomConv'>, dz: Value): Value {
    const dx = result(graph, `d${x.name}`, x.shape);
    graph.nodes.push({ op: 'randomConvTransposed', dz, weights, window, filters, dx });
    return dx;
  },
  conv(graph: Graph, { x, w, window, filters }: NodeOf<'conv'>, dz: Value): Value {
    const dx = result(graph, `d${x.name}`, x.shape);
    graph.nodes.push({ op: 'convInputGradient', dz, w, window, filters, dx });
    return dx;
  },
  maxPool(graph: Graph, { x, window }: NodeOf<'maxPool'>, dy: Value): Value {
    const dx = result(graph, `d${x.name}`, x.shape);
    graph.nodes.push({ op: 'maxPoolGradient', x, dy, window, dx });
    return dx;
  },
  averagePool(graph: Graph, { x, window }: NodeOf<'averagePool'>, dy: Value): Value {
    const dx = result(graph, `d${x.name}`, x.shape);
    graph.nodes.push({ op: 'averagePoolGradient', dy, window, dx });
    return dx;
  },
  dropout: (graph: Graph, { mask, rate }: NodeOf<'dropout'>, dy: Value): Value => dropout(graph, dy, mask, rate),
};

/** dw of a convolution. */
export function weightGradient(graph: Graph, { x, w, window, filters }: NodeOf<'conv'>, dz: Value): Value {
  const dw = result(graph, `d${w.name}`, w.shape);
  graph.nodes.push({ op: 'convWeightGradient', x, dz, window, filters, dw });
  return dw;
}
