/**
 * Plans a graph as dispatches: drops unneeded nodes, fuses, chooses kernels, shares buffers of temporaries. Plain data.
 */

import type { Dispatch } from '../../kernels/dispatch.ts';
import { ShapeError } from '../core/errors.ts';
import type { Graph } from '../graph/graph.ts';
import { neededNodes } from '../graph/needed.ts';
import type { Node, NodeOf, Op } from '../graph/ops.ts';
import { elements, type Value } from '../graph/value.ts';
import type { Choice } from './choose/choose.ts';
import type { Lowering, Lowerings, MakeWords, Matrix, Operand } from './lower/lowering.ts';

/** Data that the plan brings along: the keys of a random matrix's units, or other words instead. */
interface PlannedKeys {
  readonly weights: Matrix;
  readonly units: number;
  readonly words: MakeWords | undefined;
}

export interface Plan {
  readonly dispatches: readonly Dispatch<Operand>[];
  /** Bytes of each shared buffer. */
  readonly slots: readonly number[];
  readonly keys: readonly PlannedKeys[];
  readonly outputs: readonly Value[];
}

export interface PlanOptions extends Choice {
  /** Results that the caller supplies; inputs, parameters and states it always supplies. */
  readonly given?: readonly Value[];
  /** Results to keep. */
  readonly outputs?: readonly Value[];
  /** Whether parameters are updated. */
  readonly update?: boolean;
}

type EpilogueNode = NodeOf<'epilogue'>;

/** Plans a graph. Throws `ShapeError` if no kernel supports a product. */
export function createPlan(graph: Graph, lowerings: Lowerings, options: PlanOptions): Plan {
  const { given = [], outputs = [], update = false, ...choice } = options;
  const nodes = neededNodes(graph, new Set(given), outputs, update);
  const fused = fuseEpilogues(nodes, outputs, lowerings);
  const swallowed = new Set(fused.values());
  const steps = nodes.filter((node) => !swallowed.has(node as EpilogueNode));
  const reads = (node: Node) => {
    const tail = fused.get(node);
    return [...node.reads, ...(tail ? tail.reads.filter((value) => value !== tail.z) : [])];
  };
  const makes = (node: Node) => (fused.get(node) ?? node).makes;

  const kept = new Set<Value>([...given, ...outputs]);
  const loweringOf = (node: Node): Lowering<Op> => {
    const lowering = lowerings[node.op] as Lowering<Op> | undefined;
    if (!lowering) throw new ShapeError(`plan: expected a lowering of '${node.op}' among those that were loaded`);
    return lowering;
  };
  const scratchBytes = (node: Node) => loweringOf(node).scratchBytes?.(node, choice) ?? [];
  const { slotOf, scratchOf, slots } = shareBuffers(steps, reads, makes, kept, scratchBytes);
  const keys: PlannedKeys[] = [];
  const zerosOf = (words: number): Operand => ({
    kind: 'keys',
    keys: keys.push({ weights: { seed: 0, tensor: -1 }, units: words, words: () => new Uint32Array(words) }) - 1,
  });
  const operand = (value: Value): Operand => {
    if (value.role === 'zeros') return zerosOf(elements(value));
    const slot = slotOf.get(value);
    return slot === undefined ? { kind: 'value', value } : { kind: 'slot', slot };
  };
  const keysOf = (weights: Matrix, units: number, words?: MakeWords): Operand => {
    const same = (k: (typeof keys)[number]) =>
      k.weights.seed === weights.seed &&
      k.weights.tensor === weights.tensor &&
      k.units === units &&
      !k.words === !words;
    const found = keys.findIndex(same);
    return { kind: 'keys', keys: found >= 0 ? found : keys.push({ weights, units, words }) - 1 };
  };
  const dispatches = steps.flatMap((node) => {
    const scratch = (scratchOf.get(node) ?? []).map((slot): Operand => ({ kind: 'slot', slot }));
    const tail = fused.get(node);
    return loweringOf(node).lower(node, { operand, keysOf, choice, scratch, ...(tail && { fused: tail }) });
  });
  return { dispatches, slots, keys, outputs };
}

/** Each product whose only reader is an epilogue that its kernel can compute too, with that epilogue. */
function fuseEpilogues(
  nodes: readonly Node[],
  outputs: readonly Value[],
  lowerings: Lowerings,
): Map<Node, EpilogueNode> {
  const makers = new Map<Value, Node>();
  const readers = new Map<Value, number>();
  for (const node of nodes) {
    for (const value of node.makes) makers.set(value, node);
    for (const value of new Set(node.reads)) readers.set(value, (readers.get(value) ?? 0) + 1);
  }
  const fused = new Map<Node, EpilogueNode>();
  for (const node of nodes) {
    if (node.op !== 'epilogue' || readers.get(node.z) !== 1 || outputs.includes(node.z)) continue;
    const maker = makers.get(node.z);
    const fuses = maker && lowerings[maker.op]?.fuses;
    if (fuses === 'scale' || (fuses && !node.u)) fused.set(maker!, node);
  }
  return fused;
}

/**
 * Greedy placement: a temporary takes the best-fitting free slot. A slot becomes free after its value's last reader.
 * Scratch memory lives only during its step.
 */
function shareBuffers(
  steps: readonly Node[],
  reads: (node: Node) => readonly Value[],
  makes: (node: Node) => readonly Value[],
  kept: ReadonlySet<Value>,
  scratchBytes: (node: Node) => number[],
): { slotOf: Map<Value, number>; scratchOf: Map<Node, number[]>; slots: number[] } {
  const lastUse = new Map<Value, number>();
  steps.forEach((node, i) => {
    for (const value of [...reads(node), ...makes(node)]) lastUse.set(value, i);
  });
  const slotOf = new Map<Value, number>();
  const scratchOf = new Map<Node, number[]>();
  const slots: number[] = [];
  const busyUntil: number[] = [];
  const place = (bytes: number, from: number, until: number): number => {
    let best = -1;
    const waste = (slot: number) => Math.abs(slots[slot]! - bytes);
    for (let slot = 0; slot < slots.length; slot++) {
      if (busyUntil[slot]! < from && (best < 0 || waste(slot) < waste(best))) best = slot;
    }
    if (best < 0) best = slots.push(0) - 1;
    slots[best] = Math.max(slots[best]!, bytes);
    busyUntil[best] = until;
    return best;
  };
  steps.forEach((node, i) => {
    for (const value of makes(node)) {
      if (!kept.has(value)) slotOf.set(value, place(4 * elements(value), i, lastUse.get(value)!));
    }
    scratchOf.set(
      node,
      scratchBytes(node).map((bytes) => place(bytes, i, i)),
    );
  });
  return { slotOf, scratchOf, slots };
}
