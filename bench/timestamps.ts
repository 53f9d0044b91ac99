/**
 * Time on the GPU by its own clock: every compute pass that any engine begins while a sample runs gets timestamps. A second
 * column: browsers round timestamps to 0.1 ms, not every engine asks its device for them, and copies between passes are left out.
 */
import { type Callable, timeCalls } from './measure.ts';

/** Queries of a set: WebGPU allows 4096. */
const QUERIES = 4096;

interface Recorder {
  readonly device: GPUDevice;
  readonly set: GPUQuerySet;
  used: number;
}

/** Milliseconds of one call on the GPU, or undefined where no pass could be timed or not all of them. */
export async function gpuMilliseconds(contender: Callable, calls: number): Promise<number | undefined> {
  const recorders = new Map<GPUDevice, Recorder>();
  const deviceOf = new WeakMap<GPUCommandEncoder, GPUDevice>();
  let missed = false;
  const { createCommandEncoder } = GPUDevice.prototype;
  const { beginComputePass } = GPUCommandEncoder.prototype;
  GPUDevice.prototype.createCommandEncoder = function (descriptor) {
    const encoder = createCommandEncoder.call(this, descriptor);
    deviceOf.set(encoder, this);
    return encoder;
  };
  GPUCommandEncoder.prototype.beginComputePass = function (descriptor) {
    const device = deviceOf.get(this);
    if (!device?.features.has('timestamp-query') || descriptor?.timestampWrites) {
      missed = true;
      return beginComputePass.call(this, descriptor);
    }
    let recorder = recorders.get(device);
    if (!recorder) {
      recorder = { device, set: device.createQuerySet({ type: 'timestamp', count: QUERIES }), used: 0 };
      recorders.set(device, recorder);
    }
    if (recorder.used + 2 > QUERIES) {
      missed = true;
      return beginComputePass.call(this, descriptor);
    }
    const first = recorder.used;
    recorder.used += 2;
    const timestampWrites = {
      querySet: recorder.set,
      beginningOfPassWriteIndex: first,
      endOfPassWriteIndex: first + 1,
    };
    return beginComputePass.call(this, { ...descriptor, timestampWrites });
  };
  try {
    await timeCalls(contender, calls);
  } finally {
    GPUDevice.prototype.createCommandEncoder = createCommandEncoder;
    GPUCommandEncoder.prototype.beginComputePass = beginComputePass;
  }
  let nanoseconds = 0;
  for (const recorder of recorders.values()) nanoseconds += await passTime(recorder);
  return missed || nanoseconds === 0 ? undefined : nanoseconds / 1e6 / calls;
}

/** Sum of the passes in nanoseconds. */
async function passTime({ device, set, used }: Recorder): Promise<number> {
  const size = 8 * used;
  const resolved = device.createBuffer({ size, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
  const read = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.resolveQuerySet(set, 0, used, resolved, 0);
  encoder.copyBufferToBuffer(resolved, 0, read, 0, size);
  device.queue.submit([encoder.finish()]);
  await read.mapAsync(GPUMapMode.READ);
  const times = new BigInt64Array(read.getMappedRange());
  let sum = 0n;
  for (let i = 0; i < used; i += 2) sum += times[i + 1]! - times[i]!;
  for (const resource of [resolved, read, set]) resource.destroy();
  return Number(sum);
}
