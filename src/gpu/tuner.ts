/**
 * Measures on this device which kernel computes a random product fastest, and remembers it. Only contexts that tune
 * load this module.
 */

import type { AdapterDescription } from '../backend/adapter.ts';
import { VERSION } from '../core/version.ts';
import { apply } from '../graph/every-op.ts';
import { createGraph, type Graph, input } from '../graph/graph.ts';
import { neededNodes } from '../graph/needed.ts';
import type { Value } from '../graph/value.ts';
import { storageBuffer, uploadBuffer } from './buffers.ts';
import { candidates, shapeKey } from './choose/choose.ts';
import { type ForwardKernelName, forwardKernels, type Problem } from './choose/forward-kernels.ts';
import { type DeviceContext, guarded, type KernelTuner } from './device.ts';
import { dense } from './lower/dense.ts';
import { problemOf } from './lower/lowering.ts';
import { createPlan, type PlanOptions } from './plan.ts';
import { Run } from './run.ts';
import { createStopwatch, type Stopwatch } from './stopwatch.ts';

/** Storage of measured choices between contexts. Its contents are validated, and its errors are ignored. */
export interface TuneMemory {
  get(key: string): string | null | undefined | Promise<string | null | undefined>;
  set(key: string, value: string): void | Promise<void>;
}

/** Time limit for measuring the kernels of one problem, in milliseconds. A sample in progress is completed. */
const BUDGET_MS = 200;
const MOST_ROUNDS = 12;
/** Minimum length of a sample, unless the resolution of the clock requires more. */
const SAMPLE_MS = 4;
/** A sample lasts at least this many times the resolution. */
const RESOLUTIONS = 20;
/** A kernel replaces the table's choice only if it is faster by more than this share. */
const MARGIN = 0.05;
/** Kernels with more scratch memory than this many bytes are not measured. */
const MOST_SCRATCH = 2 ** 26;
/** Number of rows for measurements on software adapters: enough to fill every tile. More would only take longer. */
const SOFTWARE_ROWS = 64;

/** The page's localStorage; undefined if there is none (Node, workers). */
const pageMemory: TuneMemory = {
  get: (key) => ('document' in globalThis ? localStorage.getItem(key) : undefined),
  set(key, value) {
    if ('document' in globalThis) localStorage.setItem(key, value);
  },
};

/** One a context. */
export class Tuner implements KernelTuner {
  /** The kernels that were fastest, by `shapeKey`. */
  readonly tuned = new Map<string, ForwardKernelName>();
  readonly #memory: TuneMemory;
  readonly #stopwatchOf: (context: DeviceContext) => Promise<Stopwatch>;
  #stopwatch: Promise<Stopwatch> | undefined;
  #recalled: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(memory: TuneMemory | true, stopwatchOf = createStopwatch) {
    this.#memory = memory === true ? pageMemory : memory;
    this.#stopwatchOf = stopwatchOf;
  }

  /**
   * Fills `tuned` with the fastest kernels for the random products of a plan. The table decides for products that can't
   * be measured: an error here will recur, and be reported, where it matters. Calls run one after another, so that they
   * do not disturb each other's times.
   */
  measure(context: DeviceContext, graph: Graph, options: PlanOptions): Promise<void> {
    if (options.kernel) return Promise.resolve();
    const turn = this.#last.then(() => this.#measure(context, randomProducts(graph, options), options.inOrder));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #measure(context: DeviceContext, problems: readonly Problem[], inOrder = false): Promise<void> {
    this.#recalled ??= this.#recall(context);
    await this.#recalled;
    for (const problem of problems) {
      const shape = shapeKey(problem, inOrder);
      if (this.tuned.has(shape)) continue;
      const { software } = context.adapter;
      const measured = software ? { ...problem, m: Math.min(problem.m, SOFTWARE_ROWS) } : problem;
      const names = candidates(problem, { ...context.choice, inOrder });
      if (names.length < 2) continue;
      this.#stopwatch ??= this.#stopwatchOf(context);
      const name = await this.#stopwatch
        .then((stopwatch) => fastest(context, stopwatch, measured, names))
        .catch(() => undefined);
      if (!name) continue;
      this.tuned.set(shape, name);
      await this.#keep(context);
    }
  }

  async #recall({ adapter }: DeviceContext): Promise<void> {
    try {
      const kept: Record<string, unknown> = JSON.parse((await this.#memory.get(memoryKey(adapter))) ?? '{}');
      for (const [shape, value] of Object.entries(kept)) {
        const name = kernelNames.find((name) => name === value);
        if (name) this.tuned.set(shape, name); // `candidates` skips a kernel that does not support the problem
      }
    } catch {} // not ours, or damaged
  }

  async #keep({ adapter }: DeviceContext): Promise<void> {
    try {
      await this.#memory.set(memoryKey(adapter), JSON.stringify(Object.fromEntries(this.tuned)));
    } catch {} // full, or forbidden
  }
}

/** The random products in a plan of the graph. */
export const randomProducts = (graph: Graph, { given, outputs = [], update = false }: PlanOptions): Problem[] =>
  neededNodes(graph, new Set(given), outputs, update).flatMap((node) =>
    node.op === 'randomMatmul' ? [problemOf(node)] : [],
  );

const kernelNames = Object.keys(forwardKernels) as ForwardKernelName[];

/** Measurements apply to one kind of device and one version of the kernels. */
const memoryKey = ({ vendor, architecture, device, description }: AdapterDescription): string =>
  `weightless ${VERSION} kernels on ${[vendor, architecture, device, description].join(' ')}`;

interface Rival {
  readonly name: ForwardKernelName;
  readonly run: Run;
  /** Of the latest sample. */
  calls: number;
  /** Least time of a call. */
  ms: number;
}

/**
 * The fastest of the named kernels; the first one is the one to beat. Undefined if none could be timed. Samples in
 * rounds and drops slow kernels after each round.
 */
async function fastest(
  context: DeviceContext,
  stopwatch: Stopwatch,
  problem: Problem,
  names: readonly ForwardKernelName[],
): Promise<ForwardKernelName | undefined> {
  const { m, k, n, weights } = problem;
  const graph = createGraph();
  const x = input(graph, 'tuning x', [m, k]);
  const { z: y } = apply(graph, 'randomMatmul', {
    x,
    weights: { seed: 1, tensor: 0, distribution: weights },
    units: n,
  });
  const buffers = new Map<Value, GPUBuffer>();
  const rivals: Rival[] = [];
  try {
    await guarded(context, 'tuning', () => {
      buffers.set(x, uploadBuffer(context, noise(m * k), 'tuning x'));
      buffers.set(y, storageBuffer(context, 4 * m * n, 'tuning y'));
    });
    const prepare = async (name: ForwardKernelName): Promise<Rival[]> => {
      const plan = createPlan(graph, dense, { outputs: [y], features: context.device.features, kernel: name });
      if (plan.slots.reduce((sum, bytes) => sum + bytes, 0) > MOST_SCRATCH) return [];
      return [{ name, run: await Run.create(context, plan, { buffers }), calls: 0.25, ms: Number.POSITIVE_INFINITY }];
    };
    const prepared = await Promise.allSettled(names.map(prepare));
    // Kernels that do not compile or find no memory are skipped.
    for (const made of prepared) if (made.status === 'fulfilled') rivals.push(...made.value);
    await race(rivals, stopwatch);
    const present = rivals.find(({ name }) => name === names[0]);
    const timed = rivals.filter(({ ms }) => Number.isFinite(ms));
    if (timed.length === 0) return present ? undefined : rivals[0]?.name;
    const best = timed.reduce((a, b) => (b.ms < a.ms ? b : a));
    return present && best.ms > (1 - MARGIN) * present.ms ? present.name : best.name;
  } finally {
    for (const { run } of rivals) run.dispose();
    context.destroyBuffers(buffers.values());
  }
}

async function race(rivals: readonly Rival[], { resolution, time }: Stopwatch): Promise<void> {
  const sampleMs = Math.max(SAMPLE_MS, RESOLUTIONS * resolution);
  const started = performance.now();
  const over = () => performance.now() - started > BUDGET_MS;
  for (let round = 1; round <= MOST_ROUNDS; round++) {
    const bound = Math.min(...rivals.map(({ ms }) => ms)) * (1 + 3 / round);
    const left = rivals.filter(({ ms }) => ms <= bound);
    if (left.length < 2) return;
    for (const rival of left) {
      if (over()) return;
      rival.calls = Math.ceil(Math.min(4 * rival.calls, sampleMs / rival.ms || 1));
      const ms = await time(rival.run, rival.calls, rival.name).catch(() => Number.POSITIVE_INFINITY);
      rival.ms = Math.min(rival.ms, Math.max(ms, resolution) / rival.calls);
    }
  }
}

/** Numbers between -1 and 1: zeros may be faster than what layers see. */
const noise = (length: number) =>
  Float32Array.from({ length }, (_, i) => (Math.imul(i + 1, 0x9e3779b1) + 0.5) / 2 ** 31);
