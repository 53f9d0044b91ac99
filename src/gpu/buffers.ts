/** GPU storage buffers: upload and read back. Works on bytes; shapes belong to the graph. */
import { type Context, guarded, untilLost } from './context.ts';

export type TypedArray = Float32Array | Uint32Array | Int32Array | Uint8Array | Int8Array;

/** A storage buffer of `bytes` bytes, zero-filled, that can be written and read back. */
export function storageBuffer(context: Context, bytes: number, label: string): GPUBuffer {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  return context.createBuffer(bytes, usage, label);
}

/** Writes a typed array at a byte offset, zero-padded to a multiple of 4 bytes. */
export function writeBuffer(context: Context, buffer: GPUBuffer, offset: number, data: TypedArray): void {
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

/** Creates a storage buffer with the contents of the typed array. */
export function uploadBuffer(context: Context, data: TypedArray, label = 'upload'): GPUBuffer {
  const buffer = storageBuffer(context, data.byteLength, label);
  writeBuffer(context, buffer, 0, data);
  return buffer;
}

/** Reads a buffer after all earlier submits. Rejects with a named error; a failure never reads as zeros. */
export async function readBuffer(
  context: Context,
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
  context: Context,
  buffer: GPUBuffer,
  count: number,
  offset = 0,
): Promise<Float32Array<ArrayBuffer>> {
  return new Float32Array(await readBuffer(context, buffer, 4 * count, offset));
}
