/** A plan with memory: temporaries are allocated, and dispatches are bound to buffers, ready to be recorded. */

import type { Dispatch } from '../../kernels/dispatch.ts';
import { ShapeError } from '../core/errors.ts';
import type { Graph } from '../graph/graph.ts';
import { elements, type Value } from '../graph/value.ts';
import { unitKeys } from '../weights/stream.ts';
import { storageBuffer, uploadBuffer } from './buffers.ts';
import { type Context, guarded } from './context.ts';
import { type BufferSlice, Recording } from './kernel.ts';
import { loweringsFor } from './lower/families.ts';
import type { Operand } from './lower/lowering.ts';
import { createPlan, type Plan, type PlanOptions } from './plan.ts';

/** The plan of a graph on this device. If the context tunes, the products of the plan are measured first. */
export async function planOn(context: Context, graph: Graph, options: PlanOptions): Promise<Plan> {
  await context.tuner?.measure(context, graph, options);
  return createPlan(graph, await loweringsFor(graph.nodes), { ...context.choice, ...options });
}

export interface RunOptions {
  /** Memory of inputs, given values, parameters and states. The run creates buffers for outputs that are not listed. */
  readonly buffers: ReadonlyMap<Value, BufferSlice>;
  /** Uniform buffer of the step's numbers (shaders/schedule.wgsl), if the plan updates parameters. */
  readonly schedule?: GPUBuffer;
  /** Dispatches to record before and after those of the plan. */
  readonly before?: readonly Dispatch<BufferSlice>[];
  readonly after?: (run: { buffer(value: Value): BufferSlice }) => readonly Dispatch<BufferSlice>[];
}

/** Recorded once, submitted any number of times, with one submit per run. Owns its temporaries and outputs. */
export class Run {
  readonly #context: Context;
  readonly #recording: Recording;
  readonly #buffers: ReadonlyMap<Value, BufferSlice>;
  readonly #own: readonly GPUBuffer[];

  private constructor(
    context: Context,
    recording: Recording,
    buffers: ReadonlyMap<Value, BufferSlice>,
    own: readonly GPUBuffer[],
  ) {
    this.#context = context;
    this.#recording = recording;
    this.#buffers = buffers;
    this.#own = own;
  }

  static async create(context: Context, plan: Plan, options: RunOptions): Promise<Run> {
    const buffers = new Map(options.buffers);
    const own: GPUBuffer[] = [];
    const make = (buffer: GPUBuffer) => {
      own.push(buffer);
      return buffer;
    };
    try {
      const { slots, keys } = await guarded(context, 'allocating the buffers of a run', () => {
        for (const value of plan.outputs) {
          if (!buffers.has(value)) buffers.set(value, make(storageBuffer(context, 4 * elements(value), value.name)));
        }
        return {
          slots: plan.slots.map((bytes, i) => make(storageBuffer(context, bytes, `temporary ${i}`))),
          keys: plan.keys.map(({ weights: { seed, tensor }, units, words }) =>
            make(uploadBuffer(context, words?.() ?? unitKeys(seed, tensor, units), `unit keys ${tensor}`)),
          ),
        };
      });
      const resolve = (operand: Operand): BufferSlice => {
        if (operand.kind === 'slot') return slots[operand.slot]!;
        if (operand.kind === 'keys') return keys[operand.keys]!;
        const buffer = operand.kind === 'schedule' ? options.schedule : buffers.get(operand.value);
        const name = operand.kind === 'schedule' ? 'schedule' : operand.value.name;
        if (!buffer) throw new ShapeError(`run: expected a buffer for '${name}', got none`);
        return buffer;
      };
      const buffer = (value: Value) => resolve({ kind: 'value', value });
      const dispatches = plan.dispatches.map(
        (dispatch): Dispatch<BufferSlice> => ({
          ...dispatch,
          buffers: Object.fromEntries(Object.entries(dispatch.buffers).map(([name, o]) => [name, resolve(o)])),
        }),
      );
      const all = [...(options.before ?? []), ...dispatches, ...(options.after?.({ buffer }) ?? [])];
      return new Run(context, await Recording.create(context, all), buffers, own);
    } catch (error) {
      context.destroyBuffers(own);
      throw error;
    }
  }

  /** The memory of an input, a parameter or an output. */
  buffer(value: Value): BufferSlice {
    const buffer = this.#buffers.get(value);
    if (!buffer) throw new ShapeError(`run: '${value.name}' has no memory of its own; name it among the outputs`);
    return buffer;
  }

  /** Adds every dispatch, in order, to the caller's compute pass. */
  encode(pass: GPUComputePassEncoder): void {
    this.#recording.encode(pass);
  }

  submit(): void {
    this.#recording.submit();
  }

  dispose(): void {
    this.#recording.dispose();
    this.#context.destroyBuffers(this.#own);
  }
}
