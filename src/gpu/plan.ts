/** From a graph to dispatches: drop what is not needed, fuse, choose kernels, let temporaries share buffers. Plain data. */

import type { Dispatch } from '../../kernels/dispatch.ts';
import { epilogue } from '../../kernels/epilogue.ts';
import { matmul } from '../../kernels/matmul.ts';
import { matmulRows } from '../../kernels/matmul_rows.ts';
import { ShapeError } from '../core/errors.ts';
import { elements, type Graph, inputsOf, isValue, type Node, outputsOf, type Value } from '../graph/graph.ts';
import { neededNodes } from '../graph/needed.ts';
import type { WeightSpec } from '../weights/distributions.ts';
import { type Choice, chooseForward } from './choose/choose.ts';
import { keyedUnits, type Problem } from './choose/forward-kernels.ts';

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

/** What kernels are told of a random matrix: the keys of its units, or other words of theirs. */
interface PlannedKeys {
  readonly weights: Matrix;
  readonly units: number;
  readonly words: MakeWords | undefined;
}

type Matrix = Pick<WeightSpec, 'seed' | 'tensor'>;
type MakeWords = () => Uint32Array<ArrayBuffer>;

export interface Plan {
  readonly dispatches: readonly Dispatch<Operand>[];
  /** Bytes of each shared buffer. */
  readonly slots: readonly number[];
  readonly keys: readonly PlannedKeys[];
  readonly outputs: readonly Value[];
}

export interface PlanOptions extends Choice {
  /** Results that are handed in instead of computed; inputs, parameters and states are always handed in. */
  readonly given?: readonly Value[];
  /** Results to keep. */
  readonly outputs?: readonly Value[];
  /** Whether parameters are updated. */
  readonly update?: boolean;
  /** Default: those of a forward pass. */
  readonly launchers?: Launchers;
}

type EpilogueNode = Extract<Node, { op: 'epilogue' }>;

export function createPlan(graph: Graph, options: PlanOptions): Plan {
  const { given = [], outputs = [], update = false, ...choice } = options;
  const launchers: Launchers = options.launchers ?? inferenceLaunchers;
  const nodes = neededNodes(graph, new Set(given), outputs, update);
  const fused = fuseEpilogues(nodes, outputs, launchers);
  const swallowed = new Set(fused.values());
  const steps = nodes.filter((node) => !swallowed.has(node as EpilogueNode));
  const reads = (node: Node) => {
    const tail = fused.get(node);
    return [...inputsOf(node), ...(tail ? inputsOf(tail).filter((value) => value !== tail.z) : [])];
  };
  const makes = (node: Node) => outputsOf(fused.get(node) ?? node);

  const kept = new Set<Value>([...given, ...outputs]);
  const launcherOf = (node: Node): Launcher<Node> => {
    const launcher = launchers[node.op] as Launcher<Node> | undefined;
    if (!launcher) throw new ShapeError(`plan: no kernel for '${node.op}' among the launchers that were given`);
    return launcher;
  };
  const scratchBytes = (node: Node) => launcherOf(node).scratchBytes?.(node, choice) ?? [];
  const { slotOf, scratchOf, slots } = shareBuffers(steps, reads, makes, kept, scratchBytes);
  const keys: PlannedKeys[] = [];
  const operand = (value: Value): Operand => {
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
    return launcherOf(node).launch(node, { operand, keysOf, choice, scratch, ...(tail && { fused: tail }) });
  });
  return { dispatches, slots, keys, outputs };
}

/** Each product whose only reader is an epilogue that its kernel can compute too, with that epilogue. */
function fuseEpilogues(
  nodes: readonly Node[],
  outputs: readonly Value[],
  launchers: Launchers,
): Map<Node, EpilogueNode> {
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
    const fuses = maker && launchers[maker.op]?.fuses;
    if (fuses === 'scale' || (fuses && !node.u)) fused.set(maker!, node);
  }
  return fused;
}

/**
 * Greedy placement: a temporary takes the free slot that fits it best; a slot is free after its value's last reader. A step's
 * scratch memory lives in that step alone.
 */
function shareBuffers(
  steps: readonly Node[],
  reads: (node: Node) => Value[],
  makes: (node: Node) => Value[],
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

type Maybe<N> = { [K in keyof N]: undefined extends N[K] ? K : never }[keyof N];
type Operands<N> = { [K in keyof N]: Exclude<N[K], undefined> extends Value ? Operand : N[K] };

/** A node with operands in place of its values; what is undefined is left out. */
type Bound<N extends Node> = Operands<Omit<N, 'op' | Maybe<N>>> & Partial<Operands<Pick<N, Maybe<N>>>>;

/** The fields of a node, operands for its values. */
export function bind<N extends Node>({ op, ...fields }: N, operand: (value: Value) => Operand): Bound<N> {
  const bound = Object.entries(fields)
    .filter(([, field]) => field !== undefined)
    .map(([name, field]) => [name, isValue(field) ? operand(field) : field]);
  return Object.fromEntries(bound);
}

const size = (value: Value, axis: 0 | 1) => value.shape[axis] ?? 1;

/** Sizes of a matrix as kernels name them. */
export const sizesOf = (value: Value) => ({ m: size(value, 0), n: size(value, 1) });

/** Of an epilogue: a column each is a unit, or a channel. */
export const epilogueSizes = ({ z, b }: Pick<EpilogueNode, 'z' | 'b'>) => ({
  m: elements(z) / elements(b),
  n: elements(b),
});

/** Sizes and weights of a random product. */
export const problemOf = ({ x, z, weights }: Extract<Node, { op: 'randomMatmul' }>): Problem => ({
  m: size(z, 0),
  k: size(x, 1),
  n: size(z, 1),
  weights: weights.distribution,
});

/** What a launcher has at hand. */
export interface LaunchSite {
  operand(value: Value): Operand;
  /** Keys of the units of a random matrix, or what `words` makes in their place: the same for all nodes that have this matrix. */
  keysOf(weights: Matrix, units: number, words?: MakeWords): Operand;
  /** An epilogue that this node's kernel computes too. */
  readonly fused?: EpilogueNode;
  /** Memory of the step alone, where its kernels want some. */
  readonly scratch: readonly Operand[];
  readonly choice: Choice;
}

/** Makes the dispatches of a node. A kernel's arguments have the names of its node's fields; what is added are the sizes. */
export interface Launcher<N extends Node> {
  /** Whether its kernel computes the epilogue behind it too: one with a bias, or with a scale as well. */
  readonly fuses?: 'bias' | 'scale';
  /** Bytes of each piece of memory that the step alone wants. */
  scratchBytes?(node: N, choice: Choice): number[];
  launch(node: N, site: LaunchSite): Dispatch<Operand>[];
}

export type Launchers = { readonly [O in Node['op']]?: Launcher<Extract<Node, { op: O }>> };

/** What the forward pass of dense layers needs; src/convolution.ts adds the kernels of images. */
export const inferenceLaunchers: Launchers & Required<Pick<Launchers, 'randomMatmul' | 'matmul' | 'epilogue'>> = {
  randomMatmul: {
    fuses: 'scale',
    scratchBytes: (node, choice) => chooseForward(problemOf(node), choice).scratchBytes(problemOf(node)),
    launch(node, { operand, keysOf, fused, choice, scratch }) {
      const { x, z, weights } = node;
      const problem = problemOf(node);
      const args = {
        ...problem,
        x: operand(x),
        keys: keysOf(weights, keyedUnits(problem)),
        y: operand(fused?.y ?? z),
        ...(fused && { epilogue: bind(fused, operand) }),
      };
      return chooseForward(problem, choice).launch(args, scratch);
    },
  },
  matmul: {
    fuses: 'bias',
    launch(node, { operand, fused, choice }) {
      const k = size(node.a, node.transposeA ? 0 : 1);
      const tail = fused && { epilogue: bind(fused, operand) };
      const args = { ...bind(node, operand), ...sizesOf(node.c), k, c: operand(fused?.y ?? node.c), ...tail };
      // Fewer rows than an invocation of matmul owns would be computed again and again.
      const few = args.m < 4 && !node.transposeA && !node.transposeB;
      return [few ? matmulRows(args, !choice.software && !choice.inOrder) : matmul(args)];
    },
  },
  epilogue: { launch: (node, { operand }) => [epilogue({ ...bind(node, operand), ...epilogueSizes(node) })] },
};
