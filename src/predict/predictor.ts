/** A model ready to predict: parameters on the device, kernels compiled, buffers allocated. */

import { DataError } from '../core/errors.ts';
import type { CpuContext } from '../cpu/cpu.ts';
import { readFloats, storageBuffer, uploadBuffer, writeBuffer } from '../gpu/buffers.ts';
import { type Context, guarded } from '../gpu/context.ts';
import { type BufferSlice, compileAll } from '../gpu/kernel.ts';
import { planOn, Run } from '../gpu/run.ts';
import { boundByName } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import { forwardGraph, inputSize, type Model, outputSize } from '../model/model.ts';

interface Prepared {
  readonly run: Run;
  readonly x: GPUBuffer;
  readonly output: Value;
}

/** Maximum number of rows per run; more rows take several runs. */
const MOST_ROWS = 256;

/** The computation behind a predictor. */
export interface Forward {
  /** Outputs of whole rows of finite numbers. */
  compute(data: Float32Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>>;
  prepare(rows: number): Promise<unknown>;
  dispose(): Promise<void>;
}

/** One model on a device. Checks calls and runs them one after another. */
export class Predictor {
  readonly model: Model;
  readonly #forward: Forward;
  #last: Promise<unknown> = Promise.resolve();
  #disposed = false;

  constructor(model: Model, forward: Forward) {
    this.model = model;
    this.#forward = forward;
  }

  /**
   * Outputs of the last layer (logits, for a classifier), (rows, outputs) row-major, for one input or several in a row.
   * Calls made while one runs wait their turn. Throws `DataError` for a wrong length or a number that is not finite.
   */
  predict(inputs: Float32Array | readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    const size = inputSize(this.model);
    if (this.#disposed) throw new DataError('predict: expected a live predictor, this one was disposed');
    if (inputs.length === 0 || inputs.length % size !== 0) {
      throw new DataError(
        `predict: expected ${size} numbers an input (${this.model.input.join(' x ')}), got ${inputs.length} numbers`,
      );
    }
    const data = Float32Array.from(inputs);
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new DataError(`predict: expected finite numbers, got ${data[bad]} at index ${bad}`);
    const turn = this.#last.then(() => this.#forward.compute(data));
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Compiles and allocates for a batch of `rows` (at most 256), so that the first `predict` of that size is quick. */
  prepare(rows: number): Promise<unknown> {
    return this.#forward.prepare(rows);
  }

  /** Frees all device memory once running predictions are done. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#last;
    await this.#forward.dispose();
  }
}

/** Owns the device buffers of one model. */
class GpuForward implements Forward {
  readonly model: Model;
  readonly #context: Context;
  readonly #parameters: ReadonlyMap<string, GPUBuffer>;
  readonly #prepared = new Map<number, Promise<Prepared>>();

  constructor(context: Context, model: Model, parameters: ReadonlyMap<string, GPUBuffer>) {
    this.#context = context;
    this.model = model;
    this.#parameters = parameters;
  }

  async compute(data: Float32Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>> {
    const columns = inputSize(this.model);
    const outputs = outputSize(this.model);
    const rows = data.length / columns;
    const result = new Float32Array(rows * outputs);
    for (let start = 0; start < rows; start += MOST_ROWS) {
      const count = Math.min(MOST_ROWS, rows - start);
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
      this.#prepared.set(rows, prepared);
      prepared.catch(() => this.#prepared.delete(rows));
    }
    return prepared;
  }

  async #make(rows: number): Promise<Prepared> {
    const { graph, x, output } = forwardGraph(this.model, rows);
    const buffer = await guarded(this.#context, 'allocating inputs', () =>
      storageBuffer(this.#context, 4 * rows * inputSize(this.model), 'inputs'),
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

  async dispose(): Promise<void> {
    for (const prepared of this.#prepared.values()) {
      const made = await prepared.catch(() => undefined);
      made?.run.dispose();
      if (made) this.#context.destroyBuffers([made.x]);
    }
    this.#context.destroyBuffers(this.#parameters.values());
  }
}

/** Puts a model on the device. */
export async function createPredictor(context: Context | CpuContext, model: Model): Promise<Predictor> {
  const forward = (gpu: Context) => forwardOnGpu(gpu, model);
  return new Predictor(model, await (context.backend === 'cpu' ? context.forward(model, forward) : forward(context)));
}

async function forwardOnGpu(context: Context, model: Model): Promise<Forward> {
  const parameters = await guarded(context, 'uploading a model', () => {
    return new Map([...model.parameters].map(([name, values]) => [name, uploadBuffer(context, values, name)]));
  });
  return new GpuForward(context, model, parameters);
}

/** Compiles the kernels of a prediction for one input. Needs no parameters, so a model's header is enough. */
export async function compilePredictor(context: Context | CpuContext, model: Model): Promise<void> {
  if (context.backend === 'cpu') return;
  const { graph, output } = forwardGraph(model, 1);
  const plan = await planOn(context, graph, { outputs: [output] });
  await compileAll(context, plan.dispatches);
}

/** Softmax of each row of logits: probabilities that add up to 1. */
export function softmax(logits: Float32Array, classes: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    const row = logits.subarray(start, start + classes);
    const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const powers = row.map((value) => Math.exp(value - largest));
    const sum = powers.reduce((a, b) => a + b, 0);
    out.set(
      powers.map((value) => value / sum),
      start,
    );
  }
  return out;
}
