/** Bytes of GPU buffers that a task holds while it runs, counted at createBuffer and destroy. */
import type { Engine, Task, TaskData, Variant } from '../engines/engine.ts';

interface Count {
  held: number;
  peak: number;
}

let count: Count | undefined;

/** Counts from the first call on, for all devices. A buffer that is dropped without `destroy` stays counted. */
function counted(): Count {
  if (count) return count;
  const made: Count = { held: 0, peak: 0 };
  const sizes = new WeakMap<GPUBuffer, number>();
  const { createBuffer } = GPUDevice.prototype;
  GPUDevice.prototype.createBuffer = function (descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    sizes.set(buffer, descriptor.size);
    made.held += descriptor.size;
    made.peak = Math.max(made.peak, made.held);
    return buffer;
  };
  const { destroy } = GPUBuffer.prototype;
  GPUBuffer.prototype.destroy = function () {
    made.held -= sizes.get(this) ?? 0;
    sizes.delete(this);
    return destroy.call(this);
  };
  count = made;
  return made;
}

const CALLS = 3;

/**
 * Bytes that the engine holds after some calls, and the peak. Needs a fresh page: buffers pooled by earlier tasks would
 * not be counted.
 */
export async function memoryOf(
  engine: Engine,
  task: Task,
  variant: Variant,
  data: TaskData,
): Promise<{ held: number; peak: number }> {
  const counts = counted();
  const before = counts.held;
  counts.peak = before;
  const prepared = await engine.prepare(task, variant, data as never);
  for (let i = 0; i < CALLS; i++) {
    await prepared.run();
    await prepared.sync();
  }
  const result = { held: counts.held - before, peak: counts.peak - before };
  await prepared.dispose();
  return result;
}
