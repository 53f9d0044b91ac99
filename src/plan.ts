/** From a graph to dispatches: drop what is not needed, fuse, choose kernels, let temporaries share buffers. Plain data. */
import { adam } from '../kernels/adam.ts';
import { biasGradient } from '../kernels/bias_gradient.ts';
import { epilogue } from '../kernels/epilogue.ts';
import { epilogueInputGradient } from '../kernels/epilogue_input_gradient.ts';
import { epilogueParameterGradient } from '../kernels/epilogue_parameter_gradient.ts';
import { matmul } from '../kernels/matmul.ts';
import { meanSquaredError } from '../kernels/mean_squared_error.ts';
import { randomMatmul } from '../kernels/random_matmul.ts';
import { randomMatmulRows } from '../kernels/random_matmul_rows.ts';
import { randomMatmulTransposed } from '../kernels/random_matmul_transposed.ts';
import { sgd } from '../kernels/sgd.ts';
import { softmaxCrossEntropy } from '../kernels/softmax_cross_entropy.ts';
import type { Dispatch } from './dispatch.ts';
import { elements, type Graph, inputsOf, type Node, outputsOf, type Value } from './graph.ts';
import type { WeightSpec } from './weights/distributions.ts';

/** What a binding of a planned dispatch stands for, until a run gives it memory. */
export type Operand =
  /** A value with memory of its own: given, a parameter, a state, or an output. */
  | { readonly kind: 'value'; readonly value: Value }
  /** A temporary: a slot of `Plan.slots`, shared by values whose lifetimes do not meet. */
  | { readonly kind: 'slot'; readonly slot: number }
  /** Unit keys of a random matrix: an entry of `Plan.keys`. */
  | { readonly kind: 'keys'; readonly keys: number }
  /** The numbers that change from step to step. */
  | { readonly kind: 'schedule' };

export interface Plan {
  readonly dispatches: readonly Dispatch<Operand>[];
  /** Bytes of each shared buffer. */
  readonly slots: readonly number[];
  readonly keys: readonly { readonly weights: WeightSpec; readonly units: number }[];
  readonly outputs: readonly Value[];
}

export interface PlanOptions {
  /** Results that are handed in instead of computed; inputs, parameters and states are always handed in. */
  readonly given?: readonly Value[];
  /** Results to keep. */
  readonly outputs?: readonly Value[];
  /** Whether parameters are updated. */
  readonly update?: boolean;
}

type EpilogueNode = Extract<Node, { op: 'epilogue' }>;

/** Below this batch, one invocation a unit and row; from it on, register tiles. */
export const TILE_FROM_ROWS = 4;

export function createPlan(graph: Graph, { given = [], outputs = [], update = false }: PlanOptions): Plan {
  const nodes = neededNodes(graph, new Set(given), outputs, update);
  const fused = fuseEpilogues(nodes, outputs);
  const swallowed = new Set(fused.values());
  const steps = nodes.filter((node) => !swallowed.has(node as EpilogueNode));
  const reads = (node: Node) => [...inputsOf(node), ...(fused.has(node) ? inputsOf(fused.get(node)!).slice(1) : [])];
  const makes = (node: Node) => outputsOf(fused.get(node) ?? node);

  const kept = new Set<Value>([...given, ...outputs]);
  const { slotOf, slots } = shareBuffers(steps, reads, makes, kept);
  const keys: { weights: WeightSpec; units: number }[] = [];
  const operand = (value: Value): Operand => {
    const slot = slotOf.get(value);
    return slot === undefined ? { kind: 'value', value } : { kind: 'slot', slot };
  };
  const keysOf = (weights: WeightSpec, units: number): Operand => {
    const same = (k: (typeof keys)[number]) =>
      k.weights.seed === weights.seed && k.weights.tensor === weights.tensor && k.units === units;
    const found = keys.findIndex(same);
    return { kind: 'keys', keys: found >= 0 ? found : keys.push({ weights, units }) - 1 };
  };
  const dispatches = steps.map((node) => launch(node, fused.get(node), operand, keysOf));
  return { dispatches, slots, keys, outputs };
}

function neededNodes(graph: Graph, given: ReadonlySet<Value>, outputs: readonly Value[], update: boolean): Node[] {
  const needed = new Set<Value>(outputs);
  const nodes: Node[] = [];
  for (const node of graph.nodes.slice().reverse()) {
    const made = outputsOf(node);
    if (made.length ? made.every((value) => !needed.has(value) || given.has(value)) : !update) continue;
    nodes.push(node);
    for (const value of inputsOf(node)) needed.add(value);
  }
  return nodes.reverse();
}

/** Each matmul whose only reader is an epilogue, with that epilogue: the two become one kernel. */
function fuseEpilogues(nodes: readonly Node[], outputs: readonly Value[]): Map<Node, EpilogueNode> {
  const makers = new Map<Value, Node>();
  const readers = new Map<Value, number>();
  for (const node of nodes) {
    for (const value of outputsOf(node)) makers.set(value, node);
    for (const value of new Set(inputsOf(node))) readers.set(value, (readers.get(value) ?? 0) + 1);
  }
  const fused = new Map<Node, EpilogueNode>();
  for (const node of nodes) {
    if (node.op !== 'epilogue' || readers.get(node.z) !== 1 || outputs.includes(node.z)) continue;
    const maker = makers.get(node.z);
    // The matmul of a dense layer has a bias and no scale in its epilogue.
    if (maker?.op === 'randomMatmul' || (maker?.op === 'matmul' && !node.u)) fused.set(maker, node);
  }
  return fused;
}

/** Greedy placement: a temporary takes the free slot that fits it best; a slot is free after its value's last reader. */
function shareBuffers(
  steps: readonly Node[],
  reads: (node: Node) => Value[],
  makes: (node: Node) => Value[],
  kept: ReadonlySet<Value>,
): { slotOf: Map<Value, number>; slots: number[] } {
  const lastUse = new Map<Value, number>();
  steps.forEach((node, i) => {
    for (const value of [...reads(node), ...makes(node)]) lastUse.set(value, i);
  });
  const slotOf = new Map<Value, number>();
  const slots: number[] = [];
  const busyUntil: number[] = [];
  steps.forEach((node, i) => {
    for (const value of makes(node)) {
      if (kept.has(value)) continue;
      const bytes = 4 * elements(value);
      let best = -1;
      for (let slot = 0; slot < slots.length; slot++) {
        if (busyUntil[slot]! >= i) continue;
        const waste = (s: number) => Math.abs(slots[s]! - bytes);
        if (best < 0 || waste(slot) < waste(best)) best = slot;
      }
      if (best < 0) best = slots.push(0) - 1;
      slots[best] = Math.max(slots[best]!, bytes);
      busyUntil[best] = lastUse.get(value)!;
      slotOf.set(value, best);
    }
  });
  return { slotOf, slots };
}

type Maybe<N> = { [K in keyof N]: undefined extends N[K] ? K : never }[keyof N];
type Operands<N> = { [K in keyof N]: Exclude<N[K], undefined> extends Value ? Operand : N[K] };

/** A node with operands in place of its values; what is undefined is left out. */
type Bound<N extends Node> = Operands<Omit<N, 'op' | Maybe<N>>> & Partial<Operands<Pick<N, Maybe<N>>>>;

function bind<N extends Node>({ op, ...fields }: N, operand: (value: Value) => Operand): Bound<N> {
  const isValue = (field: unknown): field is Value => typeof field === 'object' && field !== null && 'role' in field;
  const bound = Object.entries(fields)
    .filter(([, field]) => field !== undefined)
    .map(([name, field]) => [name, isValue(field) ? operand(field) : field]);
  return Object.fromEntries(bound);
}

/** Kernel arguments have the names of a node's fields: what is added are the sizes. */
function launch(
  node: Node,
  fused: EpilogueNode | undefined,
  operand: (value: Value) => Operand,
  keysOf: (weights: WeightSpec, units: number) => Operand,
): Dispatch<Operand> {
  const size = (value: Value, axis: 0 | 1) => value.shape[axis] ?? 1;
  const shapeOf = (value: Value) => ({ m: size(value, 0), n: size(value, 1) });
  const schedule = { kind: 'schedule' } as const;
  const tail = fused && { epilogue: bind(fused, operand) };
  switch (node.op) {
    case 'randomMatmul': {
      const { x, z, weights } = node;
      const kernel = size(x, 0) < TILE_FROM_ROWS ? randomMatmulRows : randomMatmul;
      return kernel({
        ...shapeOf(z),
        k: size(x, 1),
        weights: weights.distribution,
        x: operand(x),
        keys: keysOf(weights, size(z, 1)),
        y: operand(fused?.y ?? z),
        ...tail,
      });
    }
    case 'randomMatmulTransposed': {
      const { dz, dx, weights } = node;
      const keys = keysOf(weights, size(dz, 1));
      return randomMatmulTransposed({
        ...shapeOf(dz),
        k: size(dx, 1),
        weights: weights.distribution,
        dz: operand(dz),
        keys,
        dx: operand(dx),
      });
    }
    case 'matmul': {
      const bound = bind(node, operand);
      const k = size(node.a, node.transposeA ? 0 : 1);
      return matmul({ ...bound, ...shapeOf(node.c), k, c: operand(fused?.y ?? node.c), ...tail });
    }
    case 'epilogue':
      return epilogue({ ...bind(node, operand), ...shapeOf(node.z) });
    case 'epilogueInputGradient':
      return epilogueInputGradient({ ...bind(node, operand), ...shapeOf(node.z) });
    case 'epilogueParameterGradient': {
      const { u, du, ...bound } = { ...bind(node, operand), ...shapeOf(node.z) };
      return u && du ? epilogueParameterGradient({ ...bound, u, du }) : biasGradient(bound);
    }
    case 'softmaxCrossEntropy':
      return softmaxCrossEntropy({ ...bind(node, operand), ...shapeOf(node.logits) });
    case 'meanSquaredError':
      return meanSquaredError({ ...bind(node, operand), ...shapeOf(node.y) });
    case 'adam': {
      const { parameter: value, ...bound } = bind(node, operand);
      return adam({ ...bound, value, count: elements(node.parameter), schedule });
    }
    case 'sgd': {
      const { parameter: value, ...bound } = bind(node, operand);
      return sgd({ ...bound, value, count: elements(node.parameter), schedule });
    }
  }
}
