/** The frozen prefix of a data set: what the untrained layers in front make of it, computed once, kept on the device. */

import type { CpuContext } from '../cpu/cpu.ts';
import { type DataSet, rowSize } from '../data/dataset.ts';
import { storageBuffer, uploadBuffer, writeBuffer } from '../gpu/buffers.ts';
import { type Context, guarded } from '../gpu/context.ts';
import type { BufferSlice } from '../gpu/kernel.ts';
import { planOn, Run } from '../gpu/run.ts';
import { boundByName } from '../graph/graph.ts';
import { elements, type Value } from '../graph/value.ts';
import { forwardGraph, type Model } from '../model/model.ts';
import { prefixValue } from './graphs.ts';
import { allocateRows, type DeviceRows, disposeRows, featureFormat, gather, scheduleBuffer } from './rows.ts';

/** Rows computed at a time, as many as make this many bytes. */
const CHUNK_BYTES = 2 ** 22;

/** Bytes that the cached prefix of `rows` rows takes; 0 where the model has none. */
export function prefixBytes(model: Model, rows: number): number {
  const { graph, x } = forwardGraph(model, 1, 'evaluate');
  const value = prefixValue(graph, x);
  return value === x ? 0 : 4 * rows * elements(value);
}

/**
 * Computes the frozen prefix of every row. The kernels and the order of their sums are those of training, so training
 * from it gives the same parameters, bit for bit, as computing it anew in each step.
 */
export async function computePrefix(
  context: Context,
  model: Model,
  data: DataSet,
  parameters: ReadonlyMap<string, GPUBuffer>,
  { onRows, signal }: { onRows?: (rows: number) => unknown; signal?: AbortSignal } = {},
): Promise<DeviceRows> {
  const chunkRows = Math.max(4, Math.min(512, data.rows, Math.floor(CHUNK_BYTES / prefixBytes(model, 1) / 4) * 4));
  const { graph, x } = forwardGraph(model, chunkRows, 'evaluate');
  const value = prefixValue(graph, x);
  const plan = await planOn(context, graph, { outputs: [value], inOrder: true });
  const columns = value.shape[1]!;
  const own: GPUBuffer[] = [];
  let rows: DeviceRows | undefined;
  let run: Run | undefined;
  try {
    const prepared = await guarded(context, 'allocating the frozen prefix', () => {
      rows = allocateRows(context, { rows: data.rows, columns, format: { kind: 'words' }, label: 'prefix' });
      const schedule = scheduleBuffer(context);
      const chunk = allocateRows(context, {
        rows: chunkRows,
        columns: rowSize(data),
        format: featureFormat(data),
        label: 'chunk',
      });
      const indices = uploadBuffer(
        context,
        Uint32Array.from({ length: chunkRows }, (_, i) => i),
        'chunk indices',
      );
      const batch = storageBuffer(context, 4 * elements(x), 'chunk x');
      own.push(schedule, indices, batch, ...chunk.pieces.map(({ buffer }) => buffer));
      return { rows, schedule, chunk, indices, batch };
    });
    const buffers = new Map<Value, BufferSlice>([[x, prepared.batch], ...boundByName(graph, parameters)]);
    run = await Run.create(context, plan, {
      buffers,
      before: gather(prepared.chunk, chunkRows, prepared.indices, prepared.schedule, prepared.batch),
    });
    const out = run.buffer(value) as GPUBuffer;
    for (const piece of prepared.rows.pieces) {
      for (let start = 0; start < piece.rows; start += chunkRows) {
        signal?.throwIfAborted();
        const count = Math.min(chunkRows, piece.rows - start);
        const from = (piece.first + start) * rowSize(data);
        for (const part of prepared.chunk.pieces) {
          const rest = data.features.subarray(
            from + part.first * rowSize(data),
            from + Math.min(count, part.first + part.rows) * rowSize(data),
          );
          if (rest.length) writeBuffer(context, part.buffer, 0, rest);
        }
        run.submit();
        const encoder = context.device.createCommandEncoder();
        encoder.copyBufferToBuffer(out, 0, piece.buffer, 4 * columns * start, 4 * columns * count);
        context.device.queue.submit([encoder.finish()]);
        await context.settle();
        await onRows?.(piece.first + start + count);
      }
    }
    return prepared.rows;
  } catch (error) {
    disposeRows(context, rows);
    throw error;
  } finally {
    run?.dispose();
    context.destroyBuffers(own);
  }
}

/**
 * Prefixes of data sets, kept between trainings: networks with the same first random layer and seed share it. Owns their
 * memory until it is disposed.
 */
export class PrefixCache {
  readonly #kept = new Map<DataSet, Map<string, unknown>>();
  readonly #disposals: (() => void)[] = [];

  /** `context`: the one that they are computed on. */
  constructor(readonly context: Context | CpuContext) {}

  /** The prefix of the data set for this model, computed now if it is not here yet. */
  async get<T>(model: Model, data: DataSet, compute: () => Promise<T>, dispose: (made: T) => void): Promise<T> {
    const kept = this.#kept.get(data) ?? new Map<string, unknown>();
    this.#kept.set(data, kept);
    const key = prefixKey(model);
    const found = key && kept.get(key);
    if (found) return found as T;
    const made = await compute();
    this.#disposals.push(() => dispose(made));
    kept.set(key ?? `${kept.size}`, made);
    return made;
  }

  dispose(): void {
    for (const dispose of this.#disposals.splice(0)) dispose();
    this.#kept.clear();
  }
}

/** What a prefix of one random product depends on beside the data; a deeper one also on scales and biases: not shared. */
function prefixKey(model: Model): string | undefined {
  const { graph, x, layers } = forwardGraph(model, 1, 'evaluate');
  const [first] = layers;
  if (first?.z === undefined || prefixValue(graph, x) !== first.z) return undefined;
  const { activation: _, trained: __, ...product } = first.spec as { activation?: unknown; trained?: unknown };
  return JSON.stringify([String(model.seed), model.input, product]);
}
