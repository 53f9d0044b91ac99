/** Rows of a data set on the device, in pieces that fit a binding, and the dispatches that gather a batch of them. */

import type { Dispatch } from '../../kernels/dispatch.ts';
import { gatherRows } from '../../kernels/gather_rows.ts';
import { gatherRowsU8 } from '../../kernels/gather_rows_u8.ts';
import { type DataSet, rowSize } from '../data/dataset.ts';
import { storageBuffer, type TypedArray, writeBuffer } from './buffers.ts';
import type { DeviceContext } from './device.ts';
import type { BufferSlice } from './kernel.ts';

/** WebGPU's default limit of a storage binding. Pieces never exceed it, whatever the adapter would allow. */
const PIECE_BYTES = 128 * 2 ** 20;

/** Bytes of the uniform of shaders/schedule.wgsl, rounded up to 16. */
export const SCHEDULE_BYTES = 32;

export const scheduleBuffer = (context: DeviceContext): GPUBuffer =>
  context.createBuffer(SCHEDULE_BYTES, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST, 'schedule');

/** How a row is stored: 32-bit words of any type, or bytes that become `scale * byte + shift` when they are gathered. */
export type RowFormat =
  | { readonly kind: 'words' }
  | { readonly kind: 'bytes'; readonly scale: number; readonly shift: number };

export interface DeviceRows {
  readonly rows: number;
  readonly columns: number;
  readonly format: RowFormat;
  readonly pieces: readonly { readonly buffer: GPUBuffer; readonly first: number; readonly rows: number }[];
}

/** Memory for `rows` rows, not yet written. */
export function allocateRows(
  context: DeviceContext,
  { rows, columns, format, label }: { rows: number; columns: number; format: RowFormat; label: string },
): DeviceRows {
  const rowBytes = columns * (format.kind === 'bytes' ? 1 : 4);
  const limit = Math.min(PIECE_BYTES, context.device.limits.maxStorageBufferBindingSize);
  const most = Math.max(4, Math.floor(limit / rowBytes / 4) * 4); // a multiple of 4 rows keeps bytes aligned
  const pieces: { buffer: GPUBuffer; first: number; rows: number }[] = [];
  for (let first = 0; first < rows; first += most) {
    const count = Math.min(most, rows - first);
    pieces.push({ buffer: storageBuffer(context, count * rowBytes, `${label} ${first}`), first, rows: count });
  }
  return { rows, columns, format, pieces };
}

/** Copies a typed array of `rows.rows` rows to the device. */
export function writeRows(context: DeviceContext, rows: DeviceRows, data: TypedArray): void {
  for (const { buffer, first, rows: count } of rows.pieces) {
    writeBuffer(context, buffer, 0, data.subarray(first * rows.columns, (first + count) * rows.columns));
  }
}

/** Format of a data set's features. */
export const featureFormat = (data: DataSet): RowFormat =>
  data.features instanceof Uint8Array ? { kind: 'bytes', scale: data.scale, shift: data.shift } : { kind: 'words' };

/** The features of a data set on the device. */
export function uploadFeatures(context: DeviceContext, data: DataSet): DeviceRows {
  const rows = allocateRows(context, {
    rows: data.rows,
    columns: rowSize(data),
    format: featureFormat(data),
    label: 'features',
  });
  writeRows(context, rows, data.features);
  return rows;
}

/** The labels, or the targets, of a data set on the device. */
export function uploadTargets(context: DeviceContext, data: DataSet): DeviceRows {
  const columns = data.targets ? data.targets.length / data.rows : 1;
  const rows = allocateRows(context, { rows: data.rows, columns, format: { kind: 'words' }, label: 'targets' });
  writeRows(context, rows, data.targets ?? data.labels);
  return rows;
}

/** Dispatches that fill `out` (batch, columns) with the rows that `indices` lists from `schedule.batch_start` on. */
export function gather(
  source: DeviceRows,
  batch: number,
  indices: BufferSlice,
  schedule: BufferSlice,
  out: BufferSlice,
): Dispatch<BufferSlice>[] {
  const { columns, format } = source;
  return source.pieces.map(({ buffer, first, rows: available }) => {
    const common = { rows: batch, columns, first, available, schedule, indices, piece: buffer, out };
    return format.kind === 'bytes'
      ? gatherRowsU8({ ...common, scale: format.scale, shift: format.shift })
      : gatherRows(common);
  });
}

export function disposeRows(context: DeviceContext, rows: DeviceRows | undefined): void {
  if (rows) context.destroyBuffers(rows.pieces.map(({ buffer }) => buffer));
}
