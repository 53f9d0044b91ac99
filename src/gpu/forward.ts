/** A model on the GPU, ready to predict. */
import type { Forward } from '../backend/backend.ts';
import { boundByName } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import { forwardGraph, inputSize, type Model, outputSize } from '../model/model.ts';
import { readFloats, storageBuffer, writeBuffer } from './buffers.ts';
import { type DeviceContext, guarded } from './device.ts';
import type { BufferSlice } from './kernel.ts';
import { uploadParameters } from './parameters.ts';
import { compileAll } from './pipelines.ts';
import { planOn, Run } from './run.ts';

interface Prepared {
  readonly run: Run;
  readonly x: GPUBuffer;
  readonly output: Value;
}

/** Rows of one run; a larger batch takes several. */
const MAX_ROWS = 256;

/** Batch sizes that stay prepared; one more pushes out the one used least recently. */
const MAX_PREPARED = 4;

/** Owns the device buffers of one model. */
export class GpuForward implements Forward {
  readonly #model: Model;
  readonly #context: DeviceContext;
  readonly #parameters: ReadonlyMap<string, GPUBuffer>;
  readonly #prepared = new Map<number, Promise<Prepared>>();

  private constructor(context: DeviceContext, model: Model, parameters: ReadonlyMap<string, GPUBuffer>) {
    this.#context = context;
    this.#model = model;
    this.#parameters = parameters;
  }

  static async create(context: DeviceContext, model: Model): Promise<GpuForward> {
    return new GpuForward(context, model, await uploadParameters(context, model.parameters));
  }

  async compute(data: Float32Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>> {
    const columns = inputSize(this.#model);
    const outputs = outputSize(this.#model);
    const rows = data.length / columns;
    const result = new Float32Array(rows * outputs);
    for (let start = 0; start < rows; start += MAX_ROWS) {
      const count = Math.min(MAX_ROWS, rows - start);
      const { run, x, output } = await this.prepare(count);
      writeBuffer(this.#context, x, 0, data.subarray(start * columns, (start + count) * columns));
      await guarded(this.#context, 'predicting', () => run.submit());
      result.set(await readFloats(this.#context, run.buffer(output) as GPUBuffer, count * outputs), start * outputs);
    }
    return result;
  }

  prepare(rows: number): Promise<Prepared> {
    let prepared = this.#prepared.get(rows);
    if (!prepared) {
      prepared = this.#make(rows);
      prepared.catch(() => this.#prepared.delete(rows));
    } else {
      this.#prepared.delete(rows);
    }
    this.#prepared.set(rows, prepared); // the last one is the one used last
    for (const [oldest, made] of this.#prepared) {
      if (this.#prepared.size <= MAX_PREPARED) break;
      this.#prepared.delete(oldest);
      void made.then((unused) => this.#free(unused));
    }
    return prepared;
  }

  async #make(rows: number): Promise<Prepared> {
    const { graph, x, output } = forwardGraph(this.#model, rows);
    const buffer = await guarded(this.#context, 'allocating inputs', () =>
      storageBuffer(this.#context, 4 * rows * inputSize(this.#model), 'inputs'),
    );
    const buffers = new Map<Value, BufferSlice>([[x, buffer], ...boundByName(graph, this.#parameters)]);
    try {
      const plan = await planOn(this.#context, graph, { outputs: [output] });
      const run = await Run.create(this.#context, plan, { buffers });
      return { run, x: buffer, output };
    } catch (error) {
      this.#context.destroyBuffers([buffer]);
      throw error;
    }
  }

  #free({ run, x }: Prepared): void {
    run.dispose();
    this.#context.destroyBuffers([x]);
  }

  async dispose(): Promise<void> {
    for (const prepared of this.#prepared.values()) await prepared.then((made) => this.#free(made)).catch(() => {});
    this.#context.destroyBuffers(this.#parameters.values());
  }
}

/** Compiles what a prediction of one row needs. */
export async function compileForward(context: DeviceContext, model: Model): Promise<void> {
  const { graph, output } = forwardGraph(model, 1);
  const plan = await planOn(context, graph, { outputs: [output] });
  await compileAll(context, plan.dispatches);
}
