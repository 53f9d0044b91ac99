/** Time on the device: by its own clock where it has one, else by the page's, which also counts the round trip. */
import { type DeviceContext, guarded, untilLost } from './device.ts';
import type { Run } from './run.ts';

type Encodable = Pick<Run, 'encode'>;

export interface Stopwatch {
  /** Milliseconds that a sample may be wrong by. */
  readonly resolution: number;
  /** Milliseconds of `calls` calls of a run, back to back; `kernel` is its name. Rejects where it cannot measure. */
  time(run: Encodable, calls: number, kernel: string): Promise<number>;
}

/** Browsers round timestamps to this. */
const TIMESTAMP_MS = 0.1;
/** A page's clock that is coarser than this measures nothing in the time available (a browser that rarely polls the device). */
const COARSEST_MS = 2;

/** Throws where neither clock is fine enough. */
export async function createStopwatch(context: DeviceContext): Promise<Stopwatch> {
  if (context.device.features.has('timestamp-query')) {
    return { resolution: TIMESTAMP_MS, time: (run, calls) => onDevice(context, run, calls) };
  }
  const time = (run: Encodable, calls: number) => onPage(context, run, calls);
  const empty: number[] = [];
  for (let i = 0; i < 4; i++) empty.push(await time({ encode() {} }, 1));
  const resolution = Math.max(...empty.slice(1));
  if (resolution > COARSEST_MS)
    throw new RangeError(`expected a clock of ${COARSEST_MS} ms or finer, got ${resolution}`);
  return { resolution, time };
}

function submit(
  { device }: DeviceContext,
  run: Encodable,
  calls: number,
  timestampWrites?: GPUComputePassTimestampWrites,
  after?: (encoder: GPUCommandEncoder) => void,
): void {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass(timestampWrites && { timestampWrites });
  for (let i = 0; i < calls; i++) run.encode(pass);
  pass.end();
  after?.(encoder);
  device.queue.submit([encoder.finish()]);
}

async function onPage(context: DeviceContext, run: Encodable, calls: number): Promise<number> {
  const started = performance.now();
  await guarded(context, 'tuning', () => submit(context, run, calls));
  await untilLost(context, context.device.queue.onSubmittedWorkDone());
  return performance.now() - started;
}

async function onDevice(context: DeviceContext, run: Encodable, calls: number): Promise<number> {
  const { device } = context;
  const querySet = device.createQuerySet({ type: 'timestamp', count: 2 });
  const resolved = device.createBuffer({ size: 16, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
  const read = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  try {
    await guarded(context, 'tuning', () =>
      submit(context, run, calls, { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 }, (encoder) => {
        encoder.resolveQuerySet(querySet, 0, 2, resolved, 0);
        encoder.copyBufferToBuffer(resolved, 0, read, 0, 16);
      }),
    );
    await untilLost(context, read.mapAsync(GPUMapMode.READ));
    const [from, to] = new BigInt64Array(read.getMappedRange());
    if (to! < from!) throw new RangeError(`expected timestamps that rise, got ${from} and ${to}`);
    return Number(to! - from!) / 1e6;
  } finally {
    for (const resource of [querySet, resolved, read]) resource.destroy();
  }
}
