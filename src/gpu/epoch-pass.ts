/** One pass over a data set in batches, on the device: gather rows, run the graph, add up the loss. */
import { accumulateLoss } from '../../kernels/accumulate_loss.ts';
import {
  type BatchGraph,
  batchSizes,
  type EpochPass,
  MEANS_EVERY_MS,
  type Means,
  NO_STEP,
  type PassOptions,
} from '../backend/training.ts';
import { boundByName } from '../graph/graph.ts';
import { elements, type Value } from '../graph/value.ts';
import { readFloats, storageBuffer, writeBuffer } from './buffers.ts';
import { type DeviceContext, guarded } from './device.ts';
import type { BufferSlice } from './kernel.ts';
import type { Plan } from './plan.ts';
import { type DeviceRows, gather, SCHEDULE_BYTES, scheduleBuffer } from './rows.ts';
import { planOn, Run } from './run.ts';

/** What a pass reads, and the graph of its batches. */
export interface PassSources {
  readonly batchSize: number;
  readonly source: DeviceRows;
  readonly targets: DeviceRows;
  /** Parameters and optimizer states by the name of their value. */
  readonly parameters: ReadonlyMap<string, GPUBuffer>;
  readonly batch: (rows: number) => BatchGraph;
}

/** Steps that are submitted before the device is waited for: enough to keep it busy, few enough to stop soon. */
const STEPS_IN_FLIGHT = 16;

/** The plan of a batch. In order: rows of the frozen prefix are computed in batches of other sizes, and must be the same bits. */
export const planBatch = (context: DeviceContext, { graph, source, loss, update }: BatchGraph): Promise<Plan> =>
  planOn(context, graph, { given: [source], outputs: [loss], update, inOrder: true });

/** Owns the runs of its full batches, and of the last one where it is smaller. */
export class GpuEpochPass implements EpochPass {
  readonly #context: DeviceContext;
  readonly #sources: PassSources;
  readonly #indices: GPUBuffer;
  readonly #schedule: GPUBuffer;
  readonly #total: GPUBuffer;
  readonly #runs = new Map<number, Run>();
  #own: GPUBuffer[] = [];

  private constructor(context: DeviceContext, sources: PassSources) {
    this.#context = context;
    this.#sources = sources;
    this.#indices = storageBuffer(context, 4 * sources.source.rows, 'row indices');
    this.#total = storageBuffer(context, 8, 'loss total');
    this.#schedule = scheduleBuffer(context);
    this.#own = [this.#indices, this.#schedule, this.#total];
  }

  static async create(context: DeviceContext, sources: PassSources): Promise<GpuEpochPass> {
    const pass = await guarded(context, 'preparing a pass over the data', () => new GpuEpochPass(context, sources));
    const sizes = [...batchSizes(sources.source.rows, sources.batchSize)];
    try {
      await Promise.all(sizes.map(async (size) => pass.#runs.set(size, await pass.#record(size))));
    } catch (error) {
      pass.dispose();
      throw error;
    }
    return pass;
  }

  async #record(batch: number): Promise<Run> {
    const { source, targets, parameters, batch: batchOf } = this.#sources;
    const context = this.#context;
    const made = batchOf(batch);
    const { graph, source: x, targets: wanted, loss } = made;
    const plan = await planBatch(context, made);
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
        ...gather(targets, batch, this.#indices, this.#schedule, buffers.get(wanted)!),
      ],
      after: (run) => [accumulateLoss({ m: batch, loss: run.buffer(loss), total: this.#total })],
    });
  }

  async run(
    order: Uint32Array<ArrayBuffer>,
    { step = () => NO_STEP, onStep, signal }: PassOptions = {},
  ): Promise<Means> {
    const context = this.#context;
    const { batchSize } = this.#sources;
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
    let reported = performance.now();
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
        const due = now - reported > MEANS_EVERY_MS;
        if (due) reported = now; // before the wait, which may be longer than reports are apart
        await onStep(done, due ? await means(done) : undefined);
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
