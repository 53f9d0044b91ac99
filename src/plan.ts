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
import { ShapeError } from './errors.ts';
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

function launch(
  node: Node,
  fused: EpilogueNode | undefined,
  operand: (value: Value) => Operand,
  keysOf: (weights: WeightSpec, units: number) => Operand,
): Dispatch<Operand> {
  const size = (value: Value, axis: number) => value.shape[axis] ?? 1;
  const optional = (value: Value | undefined) => value && operand(value);
  const tail = fused && {
    ...(fused.u && { u: operand(fused.u) }),
    b: operand(fused.b),
    activation: fused.activation,
  };
  switch (node.op) {
    case 'randomMatmul': {
      const { x, z, weights } = node;
      const m = size(x, 0);
      const kernel = m < TILE_FROM_ROWS ? randomMatmulRows : randomMatmul;
      return kernel({
        m,
        k: size(x, 1),
        n: size(z, 1),
        weights: weights.distribution,
        x: operand(x),
        keys: keysOf(weights, size(z, 1)),
        ...(tail && { epilogue: tail }),
        y: operand(fused?.y ?? z),
      });
    }
    case 'randomMatmulTransposed': {
      const { dz, dx, weights } = node;
      return randomMatmulTransposed({
        m: size(dz, 0),
        k: size(dx, 1),
        n: size(dz, 1),
        weights: weights.distribution,
        dz: operand(dz),
        keys: keysOf(weights, size(dz, 1)),
        dx: operand(dx),
      });
    }
    case 'matmul': {
      const { a, b, c, transposeA, transposeB } = node;
      return matmul({
        m: size(c, 0),
        k: size(a, transposeA ? 0 : 1),
        n: size(c, 1),
        transposeA,
        transposeB,
        a: operand(a),
        b: operand(b),
        ...(tail && { epilogue: { b: tail.b, activation: tail.activation } }),
        c: operand(fused?.y ?? c),
      });
    }
    case 'epilogue': {
      const { z, u, b, activation, y } = node;
      const scale = optional(u);
      return epilogue({
        m: size(z, 0),
        n: size(z, 1),
        z: operand(z),
        ...(scale && { u: scale }),
        b: operand(b),
        activation,
        y: operand(y),
      });
    }
    case 'epilogueInputGradient': {
      const { z, u, b, activation, dy, dz } = node;
      const scale = optional(u);
      return epilogueInputGradient({
        m: size(z, 0),
        n: size(z, 1),
        z: operand(z),
        ...(scale && { u: scale }),
        b: operand(b),
        activation,
        dy: operand(dy),
        dz: operand(dz),
      });
    }
    case 'epilogueParameterGradient': {
      const { z, u, b, activation, dy, du, db } = node;
      const common = {
        m: size(z, 0),
        n: size(z, 1),
        z: operand(z),
        b: operand(b),
        activation,
        dy: operand(dy),
        db: operand(db),
      };
      return u && du ? epilogueParameterGradient({ ...common, u: operand(u), du: operand(du) }) : biasGradient(common);
    }
    case 'softmaxCrossEntropy': {
      const { logits, labels, loss, dlogits } = node;
      return softmaxCrossEntropy({
        m: size(logits, 0),
        n: size(logits, 1),
        logits: operand(logits),
        labels: operand(labels),
        loss: operand(loss),
        dlogits: operand(dlogits),
      });
    }
    case 'meanSquaredError': {
      const { y, targets, loss, dy } = node;
      return meanSquaredError({
        m: size(y, 0),
        n: size(y, 1),
        y: operand(y),
        targets: operand(targets),
        loss: operand(loss),
        dy: operand(dy),
      });
    }
    case 'adam': {
      const { parameter, gradient, moment1, moment2, beta1, beta2, epsilon } = node;
      return adam({
        count: elements(parameter),
        beta1,
        beta2,
        epsilon,
        schedule: { kind: 'schedule' },
        value: operand(parameter),
        gradient: operand(gradient),
        moment1: operand(moment1),
        moment2: operand(moment2),
      });
    }
    case 'sgd': {
      const { parameter, gradient, velocity, momentum } = node;
      return sgd({
        count: elements(parameter),
        momentum,
        schedule: { kind: 'schedule' },
        value: operand(parameter),
        gradient: operand(gradient),
        velocity: operand(velocity),
      });
    }
    default:
      throw new ShapeError(`plan: no kernel for '${(node as Node).op}'`);
  }
}
