/** One pass over a data set in batches, on the device: gather, run, add up the loss. Training and evaluation are sweeps. */

import { accumulateLoss } from '../../kernels/accumulate_loss.ts';
import { readFloats, storageBuffer, writeBuffer } from '../gpu/buffers.ts';
import { type Context, guarded } from '../gpu/context.ts';
import type { BufferSlice } from '../gpu/kernel.ts';
import type { PlanOptions } from '../gpu/plan.ts';
import { planOn, Run } from '../gpu/run.ts';
import { boundByName, type Graph } from '../graph/graph.ts';
import type { StepNumbers } from '../graph/optimizers.ts';
import { elements, type Value } from '../graph/value.ts';
import { type DeviceRows, gather, SCHEDULE_BYTES, scheduleBuffer } from './rows.ts';

/** What a sweep runs on each batch: what reads `source` and `answers`, and leaves the loss of each row. */
export interface BatchGraph {
  readonly graph: Graph;
  /** How it is to be planned. */
  readonly planned: PlanOptions;
  readonly source: Value;
  readonly answers: Value;
  readonly loss: Value;
}

/** What one pass is told. A promise of `onStep` is waited for. */
export interface SweepRun {
  readonly step?: (index: number) => StepNumbers;
  readonly onStep?: (rows: number, means?: Means) => unknown;
  readonly signal?: AbortSignal;
}

export interface SweepOptions {
  readonly batchSize: number;
  readonly source: DeviceRows;
  readonly answers: DeviceRows;
  /** Parameters and optimizer states by the name of their value. */
  readonly parameters: ReadonlyMap<string, GPUBuffer>;
  readonly build: (rows: number) => BatchGraph;
}

/** Steps that are submitted before the device is waited for: enough to keep it busy, few enough to stop soon. */
const STEPS_IN_FLIGHT = 16;

/** Milliseconds between two looks at the totals of a sweep that is under way: each costs a round trip to the device. */
const LOOK_EVERY = 100;

/** Means over rows: of the loss, and of the hits (accuracy). */
export interface Means {
  readonly loss: number;
  readonly accuracy: number;
}

/** Owns the runs of its full batches and of the last, smaller one. */
export class Sweep {
  readonly #context: Context;
  readonly #options: SweepOptions;
  readonly #indices: GPUBuffer;
  readonly #schedule: GPUBuffer;
  readonly #total: GPUBuffer;
  readonly #runs = new Map<number, Run>();
  #own: GPUBuffer[] = [];

  private constructor(context: Context, options: SweepOptions) {
    this.#context = context;
    this.#options = options;
    this.#indices = storageBuffer(context, 4 * options.source.rows, 'row indices');
    this.#total = storageBuffer(context, 8, 'loss total');
    this.#schedule = scheduleBuffer(context);
    this.#own = [this.#indices, this.#schedule, this.#total];
  }

  static async create(context: Context, options: SweepOptions): Promise<Sweep> {
    const sweep = await guarded(context, 'preparing a pass over the data', () => new Sweep(context, options));
    const { rows } = options.source;
    const sizes = new Set([Math.min(options.batchSize, rows), rows % options.batchSize].filter((size) => size > 0));
    try {
      await Promise.all([...sizes].map(async (size) => sweep.#runs.set(size, await sweep.#record(size))));
    } catch (error) {
      sweep.dispose();
      throw error;
    }
    return sweep;
  }

  async #record(batch: number): Promise<Run> {
    const { source, answers, parameters, build } = this.#options;
    const context = this.#context;
    const { graph, planned, source: x, answers: wanted, loss } = build(batch);
    const plan = await planOn(context, graph, planned);
    const buffers = new Map<Value, BufferSlice>(boundByName(graph, parameters));
    await guarded(context, 'allocating a batch', () => {
      for (const value of [x, wanted]) {
        const buffer = storageBuffer(context, 4 * elements(value), value.name);
        this.#own.push(buffer);
        buffers.set(value, buffer);
      }
    });
    return Run.create(context, plan, {
      buffers,
      schedule: this.#schedule,
      before: [
        ...gather(source, batch, this.#indices, this.#schedule, buffers.get(x)!),
        ...gather(answers, batch, this.#indices, this.#schedule, buffers.get(wanted)!),
      ],
      after: (run) => [accumulateLoss({ m: batch, loss: run.buffer(loss), total: this.#total })],
    });
  }

  /**
   * Runs over all rows in the given order. `step(i)` gives the numbers of step i; `onStep` hears how many rows are done, now
   * and then with the means over them, and is waited for. Returns the means over all rows. Throws the signal's reason when
   * aborted.
   */
  async run(
    order: Uint32Array,
    { step = () => ({ learningRate: 0, correction1: 1, correction2: 1, step: 0 }), onStep, signal }: SweepRun = {},
  ): Promise<Means> {
    const context = this.#context;
    const { batchSize } = this.#options;
    const { queue } = context.device;
    const rows = order.length;
    const numbers = new DataView(new ArrayBuffer(SCHEDULE_BYTES));
    signal?.throwIfAborted();
    context.checkAlive();
    writeBuffer(context, this.#indices, 0, order);
    writeBuffer(context, this.#total, 0, new Float32Array(2));
    const submitStep = (i: number) => {
      const start = i * batchSize;
      const { learningRate, correction1, correction2, step: taken } = step(i);
      numbers.setFloat32(0, learningRate, true);
      numbers.setFloat32(4, correction1, true);
      numbers.setFloat32(8, correction2, true);
      numbers.setUint32(12, start, true);
      numbers.setUint32(16, taken, true);
      queue.writeBuffer(this.#schedule, 0, numbers.buffer as ArrayBuffer);
      this.#runs.get(Math.min(batchSize, rows - start))!.submit();
    };
    const means = async (done: number): Promise<Means> => {
      const [loss, hits] = await readFloats(context, this.#total, 2);
      return { loss: loss! / done, accuracy: hits! / done };
    };
    let looked = performance.now();
    const steps = Math.ceil(rows / batchSize);
    for (let i = 0; i < steps; i += STEPS_IN_FLIGHT) {
      const end = Math.min(steps, i + STEPS_IN_FLIGHT);
      await guarded(context, 'running a batch', () => {
        for (let j = i; j < end; j++) submitStep(j);
      });
      await context.settle();
      if (onStep) {
        const done = Math.min(end * batchSize, rows);
        const now = performance.now();
        const look = now - looked > LOOK_EVERY;
        if (look) looked = now; // before the wait, which may be longer than looks are apart
        await onStep(done, look ? await means(done) : undefined);
      }
      signal?.throwIfAborted();
    }
    return means(rows);
  }

  dispose(): void {
    for (const run of this.#runs.values()) run.dispose();
    this.#context.destroyBuffers(this.#own);
  }
}
