/** A graph on the CPU kernels: memory for its values, a call for each node that is needed. The twin of plan.ts and run.ts. */
import { ShapeError } from '../core/errors.ts';
import { elements, type Graph, inputsOf, outputsOf, type Value } from '../graph/graph.ts';
import { neededNodes } from '../graph/needed.ts';
import { forwardStep } from './forward-steps.ts';
import { planKeeping } from './kept-weights.ts';
import type { Machine } from './machine.ts';
import type { SharedProduct } from './pool.ts';
import type { Step, StepMaker, StepNumbers, StepOptions } from './step.ts';

export interface ProgramOptions extends Omit<StepOptions, 'keeping'> {
  /** Bytes in which generated weights are kept (see `CpuOptions`); default 0. */
  readonly keepWeights?: number;
  /** Where inputs, given values, parameters and states lie; outputs may have a place too. */
  readonly places: ReadonlyMap<Value, number>;
  readonly outputs: readonly Value[];
  /** Results that are handed in instead of computed. */
  readonly given?: readonly Value[];
  /** Whether parameters are updated. */
  readonly update?: boolean;
}

/** Steps that few pages need are loaded when a graph has them. */
const LATER: readonly (() => Promise<StepMaker>)[] = [
  async () => (await import('./training-steps.ts')).trainingStep,
  async () => (await import('./image-steps.ts')).imageStep,
  async () => (await import('./field-steps.ts')).fieldStep,
];

/** And with them the kernels of wasm/later.ts. */
async function laterMaker(machine: Machine, load: () => Promise<StepMaker>): Promise<StepMaker> {
  const [maker, { addLater }] = await Promise.all([load(), import('./later-module.ts')]);
  await addLater(machine);
  return maker;
}

const NO_STEP: StepNumbers = { learningRate: 0, correction1: 1, correction2: 1, step: 0 };

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
    const stepOptions = { ...options, keeping: planKeeping(nodes, keepWeights, options.pool) };
    const makers = [forwardStep];
    const shared: SharedProduct[] = [];
    const steps: Step[] = [];
    for (const node of nodes) {
      let step: Step | undefined;
      for (let i = 0; !step; i++) {
        if (i > LATER.length)
          throw new ShapeError(`the CPU backend has no operation '${node.op}': use backend 'webgpu'`);
        makers[i] ??= await laterMaker(machine, LATER[i - 1]!);
        step = makers[i]!(machine, node, (value) => placeOf(places, value), stepOptions, shared);
      }
      steps.push(step);
    }
    return new Program(steps, places, shared);
  }

  /** Where a value lies. */
  place(value: Value): number {
    return placeOf(this.#places, value);
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

function placeOf(places: ReadonlyMap<Value, number>, value: Value): number {
  const place = places.get(value);
  if (place === undefined) throw new ShapeError(`program: expected a place for '${value.name}', got none`);
  return place;
}
