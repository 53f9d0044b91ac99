/** Training on the CPU kernels: parameters and optimizer states in one memory, batches gathered from the data set as it lies. */
import { type DataSet, rowSize } from '../data/dataset.ts';
import { boundByName, type Graph } from '../graph/graph.ts';
import { elements, type Value } from '../graph/value.ts';
import type { Model } from '../model/model.ts';
import { startingStates } from '../train/parameters.ts';
import type { PrefixCache } from '../train/prefix.ts';
import type { BatchGraph, Means, SweepRun } from '../train/sweep.ts';
import type { DataSweep, Training } from '../train/training.ts';
import type { CpuContext } from './cpu.ts';
import type { Machine } from './machine.ts';
import type { Pool } from './pool.ts';
import { Program } from './program.ts';

export interface CpuTrainingOptions {
  /** What runs on a batch, with or without the updates of parameters. */
  readonly build: (rows: number, update: boolean) => BatchGraph;
  /** The graph of the frozen prefix of some rows. */
  readonly prefix: (rows: number) => { readonly graph: Graph; readonly x: Value; readonly value: Value };
  readonly cached: boolean;
  readonly prefixes: PrefixCache;
  readonly signal?: AbortSignal;
  readonly states?: ReadonlyMap<string, Float32Array>;
}

/** Milliseconds between two words on the means of a sweep that is under way. */
const LOOK_EVERY = 100;
/** Rows of the prefix computed at a time. */
const CHUNK = 128;
/** Milliseconds of work between two breaths in which a page can answer its user. */
const WITHOUT_BREATH = 30;

/** Puts row `index` of something at the end of what is written. */
type CopyRow = (index: number, to: Float32Array | Uint32Array, at: number) => void;

/** Lets whatever waits for this thread have its turn, if it has been some time. */
function breaths(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < WITHOUT_BREATH) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    last = performance.now();
  };
}

/** Rows of features: bytes become scale * byte + shift, each step rounded to f32 as on a GPU. */
function featureRows(data: DataSet): CopyRow {
  const columns = rowSize(data);
  const { features } = data;
  const row = (index: number) => features.subarray(index * columns, (index + 1) * columns);
  if (features instanceof Float32Array) return (index, to, at) => to.set(row(index), at);
  const values = Float32Array.from({ length: 256 }, (_, byte) => {
    return Math.fround(byte * Math.fround(data.scale)) + Math.fround(data.shift);
  });
  return (index, to, at) => {
    const bytes = row(index);
    for (let i = 0; i < columns; i++) to[at + i] = values[bytes[i]!]!;
  };
}

function answerRows(data: DataSet): CopyRow {
  const { targets, labels, rows } = data;
  if (!targets) return (index, to, at) => to.fill(labels[index]!, at, at + 1);
  const columns = targets.length / rows;
  return (index, to, at) => to.set(targets.subarray(index * columns, (index + 1) * columns), at);
}

/** What runs on so many rows, and where its numbers lie. */
interface Batch {
  readonly program: Program;
  readonly source: Value;
  readonly x: number;
  readonly answers: Value;
  readonly wanted: number;
  readonly loss: number;
}

export class CpuTraining implements Training {
  readonly #machine: Machine;
  readonly #pool: Pool | undefined;
  readonly #model: Model;
  readonly #options: CpuTrainingOptions;
  readonly #parameters = new Map<string, number>();
  /** Numbers of each state. */
  readonly #states = new Map<string, number>();
  readonly #programs: Program[] = [];

  private constructor(machine: Machine, pool: Pool | undefined, model: Model, options: CpuTrainingOptions) {
    this.#machine = machine;
    this.#pool = pool;
    this.#model = model;
    this.#options = options;
    for (const [name, values] of model.parameters) this.#parameters.set(name, machine.place(values));
    for (const [name, values] of startingStates(options.build(1, true).graph, options.states)) {
      this.#states.set(name, values.length);
      this.#parameters.set(name, machine.place(values));
    }
  }

  static async create(context: CpuContext, model: Model, options: CpuTrainingOptions): Promise<CpuTraining> {
    return new CpuTraining(await context.machine(), await context.pool(), model, options);
  }

  async #program(
    graph: Graph,
    given: readonly (readonly [Value, number])[],
    options: Partial<BatchGraph['planned']>,
  ): Promise<Program> {
    const places = new Map([...given, ...boundByName(graph, this.#parameters)]);
    const { outputs = [], update = false } = options;
    const program = await Program.create(this.#machine, graph, {
      places,
      outputs,
      given: options.given ?? [],
      update,
      anyBatch: true, // rows of the frozen prefix are computed in other batches, and must be the same bits
      ...(this.#pool && { pool: this.#pool }),
    });
    this.#programs.push(program);
    return program;
  }

  async sweep(
    data: DataSet,
    { batchSize, update, onRows }: { batchSize: number; update: boolean; onRows?: (rows: number) => unknown },
  ): Promise<DataSweep> {
    const { cached, prefixes, build } = this.#options;
    const source = cached
      ? await prefixes.get(
          this.#model,
          data,
          () => this.#prefix(data, onRows),
          () => {},
        )
      : featureRows(data);
    const answers = answerRows(data);
    const sizes = new Set([Math.min(batchSize, data.rows), data.rows % batchSize].filter((size) => size > 0));
    const batches = new Map<number, Batch>();
    for (const size of sizes) batches.set(size, await this.#batch(build(size, update)));
    return { run: (order, options) => this.#run(order, batchSize, batches, source, answers, options) };
  }

  async #batch({ graph, planned, source, answers, loss }: BatchGraph): Promise<Batch> {
    const x = this.#machine.allocate(4 * elements(source));
    const wanted = this.#machine.allocate(4 * elements(answers));
    const program = await this.#program(graph, [[source, x] as const, [answers, wanted] as const], planned);
    return { program, source, x, answers, wanted, loss: program.place(loss) };
  }

  async #run(
    order: Uint32Array,
    batchSize: number,
    batches: ReadonlyMap<number, Batch>,
    source: CopyRow,
    answers: CopyRow,
    { step, onStep, signal }: SweepRun = {},
  ): Promise<Means> {
    const machine = this.#machine;
    const breathe = breaths();
    let [loss, hits] = [0, 0];
    let looked = performance.now();
    signal?.throwIfAborted();
    for (let start = 0, i = 0; start < order.length; start += batchSize, i++) {
      const rows = Math.min(batchSize, order.length - start);
      const batch = batches.get(rows)!;
      const x = machine.floats(batch.x, elements(batch.source));
      const wanted = machine[batch.answers.dtype === 'u32' ? 'words' : 'floats'](batch.wanted, elements(batch.answers));
      for (let row = 0; row < rows; row++) {
        source(order[start + row]!, x, (row * x.length) / rows);
        answers(order[start + row]!, wanted, (row * wanted.length) / rows);
      }
      await batch.program.run(step?.(i));
      const losses = machine.floats(batch.loss, 2 * rows);
      for (let row = 0; row < rows; row++) {
        loss += losses[2 * row]!;
        hits += losses[2 * row + 1]!;
      }
      if (onStep) {
        const done = start + rows;
        const look = performance.now() - looked > LOOK_EVERY;
        await onStep(done, look ? { loss: loss / done, accuracy: hits / done } : undefined);
        if (look) looked = performance.now();
      }
      await breathe();
      signal?.throwIfAborted();
    }
    return { loss: loss / order.length, accuracy: hits / order.length };
  }

  /** The frozen prefix of every row, in pieces. */
  async #prefix(data: DataSet, onRows?: (rows: number) => unknown): Promise<CopyRow> {
    const machine = this.#machine;
    const mark = machine.mark();
    const { graph, x, value } = this.#options.prefix(Math.min(CHUNK, data.rows));
    const [rows, columns] = value.shape as [number, number];
    const at = machine.allocate(4 * elements(x));
    const program = await this.#program(graph, [[x, at]], { outputs: [value] });
    const copy = featureRows(data);
    const pieces: Float32Array[] = [];
    const breathe = breaths();
    for (let start = 0; start < data.rows; start += rows) {
      this.#options.signal?.throwIfAborted();
      const count = Math.min(rows, data.rows - start);
      const input = machine.floats(at, elements(x));
      for (let row = 0; row < count; row++) copy(start + row, input, row * rowSize(data));
      await program.run();
      pieces.push(machine.floats(program.place(value), count * columns).slice());
      await onRows?.(start + count);
      await breathe();
    }
    program.dispose();
    machine.release(mark);
    return (index, to, place) => {
      const from = (index % rows) * columns;
      to.set(pieces[Math.floor(index / rows)]!.subarray(from, from + columns), place);
    };
  }

  async download(states?: Map<string, Float32Array<ArrayBuffer>>): Promise<void> {
    const copy = (name: string, length: number) => this.#machine.floats(this.#parameters.get(name)!, length).slice();
    for (const [name, { length }] of this.#model.parameters) this.#model.parameters.set(name, copy(name, length));
    if (states) for (const [name, length] of this.#states) states.set(name, copy(name, length));
  }

  dispose(): void {
    for (const program of this.#programs.splice(0)) program.dispose();
  }
}
