/** A plan with memory: its temporaries allocated, its dispatches bound to buffers, ready to be submitted. */

import type { Dispatch } from '../../kernels/dispatch.ts';
import { ShapeError } from '../core/errors.ts';
import type { Graph } from '../graph/graph.ts';
import { elements, type Value } from '../graph/value.ts';
import { unitKeys } from '../weights/stream.ts';
import { allocateMemory, type Memory, storageBuffer } from './buffers.ts';
import { type DeviceContext, guarded } from './device.ts';
import { type BufferSlice, Recording } from './kernel.ts';
import { loweringsFor } from './lower/families.ts';
import type { Operand } from './lower/lowering.ts';
import { createPlan, type Plan, type PlanOptions } from './plan.ts';

/** The plan of a graph on this device. Where the context tunes, it measures the products of the plan first. */
export async function planOn(context: DeviceContext, graph: Graph, options: PlanOptions): Promise<Plan> {
  await context.tuner?.measure(context, graph, options);
  return createPlan(graph, await loweringsFor(graph.nodes), { ...context.choice, ...options });
}

/** The memory that a plan needs of its own: its slots, then its keys. */
export const planMemory = ({ slots, keys }: Pick<Plan, 'slots' | 'keys'>): Memory[] => [
  ...slots,
  ...keys.map(({ weights: { seed, tensor }, units, words }) => words?.() ?? unitKeys(seed, tensor, units)),
];

/** Where an operand lies in that memory; undefined where it is memory of others. */
export function placeInPlan({ slots }: Pick<Plan, 'slots'>, operand: Operand): number | undefined {
  if (operand.kind === 'slot') return operand.slot;
  return operand.kind === 'keys' ? slots.length + operand.keys : undefined;
}

/** The dispatch with other stand-ins for its memory. */
export const placed = <A, B>(dispatch: Dispatch<A>, place: (operand: A) => B): Dispatch<B> => ({
  ...dispatch,
  buffers: Object.fromEntries(Object.entries(dispatch.buffers).map(([name, operand]) => [name, place(operand)])),
});

export interface RunOptions {
  /** Memory of inputs, given values, parameters and states. The run allocates a buffer for each output that is not here. */
  readonly buffers: ReadonlyMap<Value, BufferSlice>;
  /** Uniform buffer of the step's numbers (shaders/schedule.wgsl), which a plan that updates parameters needs. */
  readonly schedule?: GPUBuffer;
  /** Dispatches to record before and after those of the plan. */
  readonly before?: readonly Dispatch<BufferSlice>[];
  readonly after?: (run: { buffer(value: Value): BufferSlice }) => readonly Dispatch<BufferSlice>[];
}

/** Recorded once, run as often as is needed, one submit each time. It owns its temporaries and outputs. */
export class Run {
  readonly #context: DeviceContext;
  readonly #recording: Recording;
  readonly #buffers: ReadonlyMap<Value, BufferSlice>;
  readonly #own: readonly GPUBuffer[];

  private constructor(
    context: DeviceContext,
    recording: Recording,
    buffers: ReadonlyMap<Value, BufferSlice>,
    own: readonly GPUBuffer[],
  ) {
    this.#context = context;
    this.#recording = recording;
    this.#buffers = buffers;
    this.#own = own;
  }

  static async create(context: DeviceContext, plan: Plan, options: RunOptions): Promise<Run> {
    const buffers = new Map(options.buffers);
    const own: GPUBuffer[] = [];
    try {
      await guarded(context, 'allocating the buffers of a run', () => {
        own.push(...allocateMemory(context, planMemory(plan), 'temporaries and unit keys'));
        for (const value of plan.outputs) {
          if (buffers.has(value)) continue;
          const output = storageBuffer(context, 4 * elements(value), value.name);
          own.push(output);
          buffers.set(value, output);
        }
      });
      const resolve = (operand: Operand): BufferSlice => {
        const place = placeInPlan(plan, operand);
        if (place !== undefined) return own[place]!;
        const [buffer, name] =
          operand.kind === 'value' ? [buffers.get(operand.value), operand.value.name] : [options.schedule, 'schedule'];
        if (!buffer) throw new ShapeError(`run: expected a buffer for '${name}', got none`);
        return buffer;
      };
      const buffer = (value: Value) => resolve({ kind: 'value', value });
      const dispatches = plan.dispatches.map((dispatch) => placed(dispatch, resolve));
      const all = [...(options.before ?? []), ...dispatches, ...(options.after?.({ buffer }) ?? [])];
      return new Run(context, await Recording.create(context, all), buffers, own);
    } catch (error) {
      context.destroyBuffers(own);
      throw error;
    }
  }

  /** The memory of an input, a parameter or an output. Throws `ShapeError` for a temporary. */
  buffer(value: Value): BufferSlice {
    const buffer = this.#buffers.get(value);
    if (!buffer)
      throw new ShapeError(
        `run: expected an input, a parameter or an output, got '${value.name}', whose memory is shared. Add it to the outputs.`,
      );
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
