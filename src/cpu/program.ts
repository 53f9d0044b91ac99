/** A graph on the CPU kernels: memory for its values, a call for each node that is needed. The twin of gpu/plan.ts and gpu/run.ts. */
import { NO_STEP } from '../backend/training.ts';
import type { YieldClock } from '../backend/yield-clock.ts';
import { ShapeError } from '../core/errors.ts';
import type { Graph } from '../graph/graph.ts';
import { neededNodes } from '../graph/needed.ts';
import type { Op } from '../graph/ops.ts';
import type { StepNumbers } from '../graph/optimizers.ts';
import { elements, type Value } from '../graph/value.ts';
import { loweringsFor } from './lower/families.ts';
import type { Lowering, LoweringOptions, LoweringSite, Step } from './lower/lowering.ts';
import type { Machine } from './machine.ts';
import { planCaches } from './plan-caches.ts';
import type { SharedProduct } from './pool.ts';

export interface ProgramOptions extends Omit<LoweringOptions, 'caches'> {
  /** Bytes in which generated weights are cached (see `CpuOptions`); default 0. */
  readonly keepWeights?: number;
  /** Addresses of inputs, given values, parameters and states, and optionally of outputs. */
  readonly places: ReadonlyMap<Value, number>;
  readonly outputs: readonly Value[];
  /** Results that the caller supplies. */
  readonly given?: readonly Value[];
  /** Whether parameters are updated. */
  readonly update?: boolean;
}

/** Its memory is the machine's; `dispose` frees what other threads hold. */
export class Program {
  readonly #shared: readonly SharedProduct[];
  readonly #steps: readonly Step[];
  readonly #places: ReadonlyMap<Value, number>;

  private constructor(steps: readonly Step[], places: ReadonlyMap<Value, number>, shared: readonly SharedProduct[]) {
    this.#steps = steps;
    this.#places = places;
    this.#shared = shared;
  }

  static async create(machine: Machine, graph: Graph, options: ProgramOptions): Promise<Program> {
    const { outputs, given = [], update = false, keepWeights = 0 } = options;
    const nodes = neededNodes(graph, new Set(given), outputs, update);
    const lowerings = await loweringsFor(machine, nodes);
    const places = new Map(options.places);
    const readers = new Map<Value, number>();
    for (const node of nodes) for (const value of node.reads) readers.set(value, (readers.get(value) ?? 0) + 1);
    const temporary = ({ z }: { z: Value }) => readers.get(z) === 1 && !outputs.includes(z) && z.role === 'result';
    for (const node of nodes) {
      for (const value of node.makes) {
        if (places.has(value)) continue;
        // An epilogue that is the only reader of its product works in place.
        const inPlace = node.op === 'epilogue' && temporary(node) && !given.includes(node.z);
        places.set(value, inPlace ? places.get(node.z)! : machine.allocate(4 * elements(value)));
      }
    }
    for (const value of graph.values) {
      if (value.role === 'zeros') places.set(value, machine.place(new Float32Array(elements(value))));
    }
    const shared: SharedProduct[] = [];
    const site: LoweringSite = {
      machine,
      options: { ...options, caches: planCaches(nodes, keepWeights, options.pool) },
      place: (value) => placeOf(places, value),
      share: (product) => shared.push(product),
    };
    const steps = nodes.map((node) => (lowerings[node.op] as Lowering<Op>)(node, site));
    return new Program(steps, places, shared);
  }

  /** Address of a value. */
  place(value: Value): number {
    return placeOf(this.#places, value);
  }

  dispose(): void {
    for (const product of this.#shared) product.dispose();
  }

  /** With a clock the event loop gets its turn between two steps, where it is due. */
  async run(numbers: StepNumbers = NO_STEP, yieldIfDue?: YieldClock): Promise<void> {
    for (const step of this.#steps) {
      const pending = step(numbers) ?? yieldIfDue?.();
      if (pending) await pending;
    }
  }
}

function placeOf(places: ReadonlyMap<Value, number>, value: Value): number {
  const place = places.get(value);
  if (place === undefined) throw new ShapeError(`program: expected a place for '${value.name}', got none`);
  return place;
}
