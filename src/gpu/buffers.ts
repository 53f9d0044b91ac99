/** GPU buffers as storage: upload and read back bytes. The graph knows their shapes. */
import { type DeviceContext, guarded, untilLost } from './device.ts';

export type TypedArray = Float32Array | Uint32Array | Int32Array | Uint8Array | Int8Array;

/** A storage buffer of `bytes` bytes, zero-filled, that can be written and read back. */
export function storageBuffer(context: DeviceContext, bytes: number, label: string): GPUBuffer {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  return context.createBuffer(bytes, usage, label);
}

/** Writes a typed array at a byte offset; a length that is no multiple of 4 bytes is padded with zeros. */
export function writeBuffer(context: DeviceContext, buffer: GPUBuffer, offset: number, data: TypedArray): void {
  context.checkAlive();
  const whole = data.byteLength - (data.byteLength % 4);
  const { queue } = context.device;
  queue.writeBuffer(buffer, offset, data.buffer as ArrayBuffer, data.byteOffset, whole);
  if (whole < data.byteLength) {
    const rest = new Uint8Array(4);
    rest.set(new Uint8Array(data.buffer, data.byteOffset + whole, data.byteLength - whole));
    queue.writeBuffer(buffer, offset + whole, rest);
  }
}

/** A new storage buffer that holds the typed array. */
export function uploadBuffer(context: DeviceContext, data: TypedArray, label = 'upload'): GPUBuffer {
  const buffer = storageBuffer(context, data.byteLength, label);
  writeBuffer(context, buffer, 0, data);
  return buffer;
}

/** Bytes of a buffer, once everything submitted before is done. Rejects by name; a failure never reads as zeros. */
export async function readBuffer(
  context: DeviceContext,
  buffer: GPUBuffer,
  bytes: number = buffer.size,
  offset = 0,
): Promise<ArrayBuffer> {
  let staging: GPUBuffer | undefined;
  try {
    await guarded(context, `reading buffer '${buffer.label}'`, () => {
      staging = context.createBuffer(bytes, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST, `read ${buffer.label}`);
      const encoder = context.device.createCommandEncoder();
      encoder.copyBufferToBuffer(buffer, offset, staging, 0, Math.ceil(bytes / 4) * 4);
      context.device.queue.submit([encoder.finish()]);
    });
    await untilLost(context, staging!.mapAsync(GPUMapMode.READ));
    return staging!.getMappedRange().slice(0, bytes);
  } finally {
    if (staging) context.destroyBuffers([staging]);
  }
}

/** Reads a buffer of f32 as a Float32Array. */
export async function readFloats(
  context: DeviceContext,
  buffer: GPUBuffer,
  count: number,
  offset = 0,
): Promise<Float32Array<ArrayBuffer>> {
  return new Float32Array(await readBuffer(context, buffer, 4 * count, offset));
}

/** Memory to allocate: bytes, zero-filled, or contents. */
export type Memory = number | TypedArray;

/** A storage buffer for each piece of memory; none where one of them does not fit. */
export function allocateMemory(context: DeviceContext, memory: readonly Memory[], label: string): GPUBuffer[] {
  const made: GPUBuffer[] = [];
  try {
    for (const piece of memory) {
      made.push(typeof piece === 'number' ? storageBuffer(context, piece, label) : uploadBuffer(context, piece, label));
    }
    return made;
  } catch (error) {
    context.destroyBuffers(made);
    throw error;
  }
}
