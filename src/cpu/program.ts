/** A graph on the CPU kernels: memory for its values, a call for each node that is needed. The twin of plan.ts and run.ts. */
import { activationCode } from '../activations.ts';
import { ShapeError } from '../errors.ts';
import { elements, type Graph, inputsOf, type Node, outputsOf, type Value } from '../graph.ts';
import { neededNodes } from '../plan.ts';
import type { WeightSpec } from '../weights/distributions.ts';
import { streamWord, unitKey } from '../weights/stream.ts';
import { conv, convInputGradient, convWeightGradient, randomConv, randomConvTransposed } from './convolution.ts';
import type { Machine } from './machine.ts';
import { matmul } from './matmul.ts';
import type { Pool, SharedProduct } from './pool.ts';
import { averagePool, averagePoolGradient, maxPool, maxPoolGradient } from './pool-windows.ts';
import { type CpuChoice, randomMatmul, randomMatmulTransposed } from './random_matmul.ts';

/** The numbers that change from step to step. */
export interface StepNumbers {
  readonly learningRate: number;
  /** Adam's bias corrections, 1 - beta^t. */
  readonly correction1: number;
  readonly correction2: number;
  /** Steps taken before, which masks of dropout follow. */
  readonly step: number;
}

export interface ProgramOptions extends CpuChoice {
  /** Where inputs, given values, parameters and states lie; outputs may have a place too. */
  readonly places: ReadonlyMap<Value, number>;
  readonly outputs: readonly Value[];
  /** Results that are handed in instead of computed. */
  readonly given?: readonly Value[];
  /** Whether parameters are updated. */
  readonly update?: boolean;
  /** Shares random products with other threads. */
  readonly pool?: Pool;
}

type Step = (numbers: StepNumbers) => void | Promise<void>;

const NO_STEP: StepNumbers = { learningRate: 0, correction1: 1, correction2: 1, step: 0 };
const size = (value: Value, axis: 0 | 1) => value.shape[axis] ?? 1;

/** Its memory is the machine's; `dispose` frees what other threads hold. */
export class Program {
  readonly #shared: SharedProduct[] = [];
  readonly #steps: readonly Step[];
  readonly #places: ReadonlyMap<Value, number>;

  constructor(machine: Machine, graph: Graph, options: ProgramOptions) {
    const { outputs, given = [], update = false } = options;
    const nodes = neededNodes(graph, new Set(given), outputs, update);
    const places = new Map(options.places);
    const readers = new Map<Value, number>();
    for (const node of nodes) for (const value of inputsOf(node)) readers.set(value, (readers.get(value) ?? 0) + 1);
    const temporary = ({ z }: { z: Value }) => readers.get(z) === 1 && !outputs.includes(z) && z.role === 'result';
    for (const node of nodes) {
      for (const value of outputsOf(node)) {
        if (places.has(value)) continue;
        // An epilogue that alone reads its product works in place.
        const inPlace = node.op === 'epilogue' && temporary(node) && !given.includes(node.z);
        places.set(value, inPlace ? places.get(node.z)! : machine.allocate(4 * elements(value)));
      }
    }
    this.#places = places;
    this.#steps = nodes.map((node) => stepOf(machine, node, (value) => this.place(value), options, this.#shared));
  }

  /** Where a value lies. */
  place(value: Value): number {
    const place = this.#places.get(value);
    if (place === undefined) throw new ShapeError(`program: expected a place for '${value.name}', got none`);
    return place;
  }

  dispose(): void {
    for (const product of this.#shared) product.dispose();
  }

  async run(numbers: StepNumbers = NO_STEP): Promise<void> {
    for (const step of this.#steps) {
      const pending = step(numbers);
      if (pending) await pending;
    }
  }
}

function stepOf(
  machine: Machine,
  node: Node,
  place: (value: Value) => number,
  options: ProgramOptions,
  shared: SharedProduct[],
): Step {
  const { kernels } = machine;
  switch (node.op) {
    case 'randomMatmul': {
      const { x, z, weights } = node;
      const product = { m: size(z, 0), k: size(x, 1), n: size(z, 1), weights };
      const { pool } = options;
      const made = pool ? pool.share(machine, product, options) : { call: randomMatmul(machine, product, options) };
      if ('dispose' in made) shared.push(made);
      return bound(made.call, place(x), place(z));
    }
    case 'randomMatmulTransposed': {
      const { dz, dx, weights } = node;
      const product = { m: size(dz, 0), k: size(dx, 1), n: size(dz, 1), weights };
      return bound(randomMatmulTransposed(machine, product), place(dz), place(dx));
    }
    case 'matmul': {
      const { a, b, c, transposeA, transposeB } = node;
      const k = size(a, transposeA ? 0 : 1);
      return bound(
        matmul(machine, { m: size(c, 0), k, n: size(c, 1), transposeA, transposeB }),
        place(a),
        place(b),
        place(c),
      );
    }
    case 'epilogue':
      return bound(kernels.epilogue, ...epilogueArgs(node, place), place(node.y));
    case 'epilogueInputGradient':
      return bound(kernels.epilogueInputGradient, ...epilogueArgs(node, place), place(node.dy), place(node.dz));
    case 'epilogueParameterGradient': {
      const du = node.du ? place(node.du) : 0;
      return bound(kernels.epilogueParameterGradient, ...epilogueArgs(node, place), place(node.dy), du, place(node.db));
    }
    case 'softmaxCrossEntropy': {
      const { logits, labels, loss, dlogits } = node;
      const sizes = [size(logits, 0), size(logits, 1)] as const;
      return bound(kernels.softmaxCrossEntropy, place(logits), place(labels), ...sizes, place(loss), place(dlogits));
    }
    case 'meanSquaredError': {
      const { y, targets, loss, dy } = node;
      const sizes = [size(y, 0), size(y, 1)] as const;
      return bound(kernels.meanSquaredError, place(y), place(targets), ...sizes, place(loss), place(dy));
    }
    case 'randomConv':
      return bound(randomConv(machine, { ...node, rows: size(node.x, 0) }), place(node.x), place(node.z));
    case 'randomConvTransposed':
      return bound(randomConvTransposed(machine, { ...node, rows: size(node.dz, 0) }), place(node.dz), place(node.dx));
    case 'conv': {
      const { x, w, z } = node;
      return bound(conv(machine, { ...node, rows: size(x, 0) }), place(x), place(w), place(z));
    }
    case 'convInputGradient': {
      const { dz, w, dx } = node;
      return bound(convInputGradient(machine, { ...node, rows: size(dz, 0) }), place(dz), place(w), place(dx));
    }
    case 'convWeightGradient': {
      const { x, dz, dw } = node;
      return bound(convWeightGradient(machine, { ...node, rows: size(x, 0) }), place(x), place(dz), place(dw));
    }
    case 'maxPool':
      return bound(maxPool(machine, { ...node, rows: size(node.x, 0) }), place(node.x), place(node.y));
    case 'maxPoolGradient': {
      const { x, dy, dx } = node;
      return bound(maxPoolGradient(machine, { ...node, rows: size(x, 0) }), place(x), place(dy), place(dx));
    }
    case 'averagePool':
      return bound(averagePool(machine, { ...node, rows: size(node.x, 0) }), place(node.x), place(node.y));
    case 'averagePoolGradient': {
      const { dy, dx } = node;
      return bound(averagePoolGradient(machine, { ...node, rows: size(dy, 0) }), place(dy), place(dx));
    }
    case 'dropout': {
      const { x, y, mask, rate } = node;
      const [from, to] = [place(x), place(y)];
      const numbers = [Math.round(rate * 2 ** 32), 1 / (1 - rate)] as const;
      return ({ step }) => kernels.dropout(from, elements(x), ...dropoutKey(mask, step), ...numbers, to);
    }
    case 'add':
      return bound(kernels.add, place(node.a), place(node.b), elements(node.a), place(node.c));
    case 'adam': {
      const { parameter, gradient, moment1, moment2, beta1, beta2, epsilon } = node;
      const arrays = [place(parameter), place(gradient), place(moment1), place(moment2)] as const;
      return ({ learningRate, correction1, correction2 }) => {
        const numbers = [beta1, beta2, epsilon, learningRate, correction1, correction2] as const;
        kernels.adam(...arrays, elements(parameter), ...numbers);
      };
    }
    case 'sgd': {
      const { parameter, gradient, velocity, momentum } = node;
      const arrays = [place(parameter), place(gradient), place(velocity)] as const;
      return ({ learningRate }) => kernels.sgd(...arrays, elements(parameter), momentum, learningRate);
    }
  }
}

const bound =
  <A extends readonly number[]>(call: (...args: A) => void | Promise<void>, ...args: A): Step =>
  () =>
    call(...args);

type EpilogueNode = Extract<Node, { op: 'epilogue' | 'epilogueInputGradient' | 'epilogueParameterGradient' }>;

/** Columns are units, or the channels of each position of an image. */
const epilogueArgs = ({ z, u, b, activation }: EpilogueNode, place: (value: Value) => number) =>
  [place(z), u ? place(u) : 0, place(b), activationCode(activation), elements(z) / elements(b), elements(b)] as const;

/** Words 2 step and 2 step + 1 of the layer's key: the key of a step's mask. */
function dropoutKey({ seed, tensor }: Pick<WeightSpec, 'seed' | 'tensor'>, step: number): [number, number] {
  const [key0, key1] = unitKey(seed, tensor, 0);
  return [streamWord(key0, key1, 2 * step), streamWord(key0, key1, 2 * step + 1)];
}
