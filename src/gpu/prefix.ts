/** The frozen prefix of a data set: what the layers before the first trained one make of it, computed once, kept on the device. */
import type { Prefix } from '../backend/training.ts';
import { type DataSet, rowSize } from '../data/dataset.ts';
import { boundByName } from '../graph/graph.ts';
import { elements, type Value } from '../graph/value.ts';
import { storageBuffer, uploadBuffer, writeBuffer } from './buffers.ts';
import { type DeviceContext, guarded } from './device.ts';
import type { BufferSlice } from './kernel.ts';
import { allocateRows, type DeviceRows, disposeRows, featureFormat, gather, scheduleBuffer } from './rows.ts';
import { planOn, Run } from './run.ts';

/** Rows are computed in chunks of about this many bytes. */
const CHUNK_BYTES = 2 ** 22;

/**
 * Computes the frozen prefix of every row. The kernels and the order of their sums are those of training, so training
 * from it gives the same parameters, bit for bit, as computing it anew in each step.
 */
export async function computePrefix(
  context: DeviceContext,
  prefix: Pick<Prefix, 'graph'>,
  data: DataSet,
  parameters: ReadonlyMap<string, GPUBuffer>,
  { onRows, signal }: { onRows?: ((rows: number) => unknown) | undefined; signal?: AbortSignal | undefined } = {},
): Promise<DeviceRows> {
  const rowBytes = 4 * elements(prefix.graph(1).value);
  const chunkRows = Math.max(4, Math.min(512, data.rows, Math.floor(CHUNK_BYTES / rowBytes / 4) * 4));
  const { graph, x, value } = prefix.graph(chunkRows);
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
