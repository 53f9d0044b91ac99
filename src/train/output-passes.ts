/** Passes over tiles of features: sums of products, and the loss of a linear output with its gradient. */
import type { Backend, Evaluator } from '../backend/backend.ts';
import { differentiate } from '../graph/differentiate.ts';
import { apply } from '../graph/every-op.ts';
import { createGraph, type Graph, input, parameter } from '../graph/graph.ts';
import { type Loss, losses } from '../graph/losses.ts';
import type { Value } from '../graph/value.ts';
import type { LinearOutput } from '../solve/ridge.ts';

type Numbers = Float32Array | Uint32Array;

/** What a tile's graph reads by name, and what it makes. */
interface TileGraph {
  readonly graph: Graph;
  readonly reads: Readonly<Record<string, Value>>;
  readonly makes: Readonly<Record<string, Value>>;
}

/** Evaluators of one graph for tiles of several sizes. It owns them until it is disposed of. */
class TilePass {
  readonly #backend: Backend;
  readonly #graphOf: (rows: number) => TileGraph;
  readonly #opened = new Map<number, { tile: TileGraph; evaluator: Evaluator }>();

  constructor(backend: Backend, graphOf: (rows: number) => TileGraph) {
    this.#backend = backend;
    this.#graphOf = graphOf;
  }

  async run(rows: number, numbers: Readonly<Record<string, Numbers>>): Promise<Record<string, Float32Array>> {
    const { tile, evaluator } = this.#opened.get(rows) ?? (await this.#open(rows, numbers));
    const changed = new Map(Object.entries(tile.reads).map(([name, value]) => [value, numbers[name]!]));
    const made = await evaluator.run(changed);
    return Object.fromEntries(Object.entries(tile.makes).map(([name, value]) => [name, made.get(value)!]));
  }

  async #open(rows: number, numbers: Readonly<Record<string, Numbers>>) {
    const tile = this.#graphOf(rows);
    const given = new Map(Object.entries(tile.reads).map(([name, value]) => [value, numbers[name]!]));
    const evaluator = await this.#backend.evaluator(tile.graph, given, Object.values(tile.makes));
    const opened = { tile, evaluator };
    this.#opened.set(rows, opened);
    return opened;
  }

  dispose(): void {
    for (const { evaluator } of this.#opened.values()) evaluator.dispose();
    this.#opened.clear();
  }
}

/** Sums of the products of features (rows, columns) with each other, and with `extended` (rows, width). */
export class ProductPass {
  readonly #pass: TilePass;

  constructor(backend: Backend, columns: number, width: number) {
    this.#pass = new TilePass(backend, (rows) => {
      const graph = createGraph();
      const features = input(graph, 'features', [rows, columns]);
      const extended = input(graph, 'extended', [rows, width]);
      const { g } = apply(graph, 'gram', { x: features });
      const { c } = apply(graph, 'matmul', { a: features, b: extended, transposeA: true });
      return { graph, reads: { features, extended }, makes: { gram: g, cross: c } };
    });
  }

  /** gram (columns, columns): the upper triangle; cross (columns, width). */
  async run(rows: number, features: Float32Array, extended: Float32Array) {
    const { gram, cross } = await this.#pass.run(rows, { features, extended });
    return { gram: gram!, cross: cross! };
  }

  dispose(): void {
    this.#pass.dispose();
  }
}

/** Sums over the rows of a tile. */
export interface OutputLoss {
  readonly loss: number;
  readonly hits: number;
  /** (columns, outputs) and (outputs): the gradient of the mean over the rows; absent without `gradient`. */
  readonly weights?: Float32Array;
  readonly bias?: Float32Array;
}

/** The loss of a linear output on tiles of features. */
export class LossPass {
  readonly #pass: TilePass;

  constructor(
    backend: Backend,
    { columns, outputs, loss, gradient }: { columns: number; outputs: number; loss: Loss; gradient: boolean },
  ) {
    this.#pass = new TilePass(backend, (rows) => {
      const graph = createGraph();
      const features = input(graph, 'features', [rows, columns]);
      const weights = parameter(graph, 'weights', [columns, outputs]);
      const bias = parameter(graph, 'bias', [outputs]);
      const { c } = apply(graph, 'matmul', { a: features, b: weights });
      const { y } = apply(graph, 'epilogue', { z: c, b: bias, activation: 'identity' });
      const targets = losses[loss].targets(graph, y);
      const made = losses[loss].add(graph, y, targets);
      const gradients = gradient ? differentiate(graph, y, made.gradient) : undefined;
      return {
        graph,
        reads: { features, targets, weights, bias },
        makes: {
          loss: made.loss,
          ...(gradients && { weightGradient: gradients.get(weights)!, biasGradient: gradients.get(bias)! }),
        },
      };
    });
  }

  async run(rows: number, features: Float32Array, targets: Numbers, output: LinearOutput): Promise<OutputLoss> {
    const made = await this.#pass.run(rows, { features, targets, ...output });
    let [loss, hits] = [0, 0];
    for (let row = 0; row < rows; row++) {
      loss += made.loss![2 * row]!;
      hits += made.loss![2 * row + 1]!;
    }
    const { weightGradient, biasGradient } = made;
    return { loss, hits, ...(weightGradient && { weights: weightGradient, bias: biasGradient! }) };
  }

  dispose(): void {
    this.#pass.dispose();
  }
}
