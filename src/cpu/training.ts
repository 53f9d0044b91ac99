/** Training on the CPU kernels: parameters and optimizer states in one memory, batches gathered from the data set as it lies. */
import {
  type BatchGraph,
  batchSizes,
  type EpochPass,
  type EpochPassOptions,
  MEANS_EVERY_MS,
  type Means,
  type PassOptions,
  type Prefix,
  startingStates,
  type Training,
  type TrainingOptions,
} from '../backend/training.ts';
import { type DataSet, rowSize } from '../data/dataset.ts';
import { boundByName } from '../graph/graph.ts';
import { elements, type Value } from '../graph/value.ts';
import type { Model } from '../model/model.ts';
import type { CpuHost } from './host.ts';
import type { Machine } from './machine.ts';
import { Program, type ProgramOptions } from './program.ts';
import { type CopyRow, featureRows, targetRows } from './rows.ts';

/** Rows of the prefix computed at a time. */
const CHUNK = 128;

/** The program of batches of one size, and where their numbers lie. */
interface Batch {
  readonly program: Program;
  readonly source: Value;
  readonly x: number;
  readonly targets: Value;
  readonly wanted: number;
  readonly loss: number;
}

/** What a pass runs over. */
interface PassSources {
  readonly batchSize: number;
  readonly batches: ReadonlyMap<number, Batch>;
  readonly source: CopyRow;
  readonly targets: CopyRow;
}

export class CpuTraining implements Training {
  readonly #host: CpuHost;
  readonly #machine: Machine;
  readonly #pool: Awaited<ReturnType<CpuHost['pool']>>;
  readonly #model: Model;
  readonly #options: TrainingOptions;
  readonly #parameters = new Map<string, number>();
  /** Numbers of each optimizer state. */
  readonly #states = new Map<string, number>();
  readonly #programs: Program[] = [];

  private constructor(
    host: CpuHost,
    machine: Machine,
    pool: Awaited<ReturnType<CpuHost['pool']>>,
    model: Model,
    options: TrainingOptions,
  ) {
    this.#host = host;
    this.#machine = machine;
    this.#pool = pool;
    this.#model = model;
    this.#options = options;
    for (const [name, values] of [...model.parameters, ...(options.constants ?? [])]) {
      this.#parameters.set(name, machine.place(values));
    }
    for (const [name, values] of startingStates(options.batch(1, true).graph, options.states)) {
      this.#states.set(name, values.length);
      this.#parameters.set(name, machine.place(values));
    }
  }

  static async create(host: CpuHost, model: Model, options: TrainingOptions): Promise<CpuTraining> {
    const machine = await host.machine();
    try {
      return new CpuTraining(host, machine, await host.pool(), model, options);
    } catch (error) {
      host.release(machine);
      throw error;
    }
  }

  async #program(
    graph: BatchGraph['graph'],
    given: readonly (readonly [Value, number])[],
    options: Pick<ProgramOptions, 'given' | 'outputs' | 'update'>,
  ): Promise<Program> {
    const program = await Program.create(this.#machine, graph, {
      ...options,
      places: new Map([...given, ...boundByName(graph, this.#parameters)]),
      anyBatch: true, // rows of the frozen prefix are computed in batches of other sizes, and must be the same bits
      ...(this.#pool && { pool: this.#pool }),
    });
    this.#programs.push(program);
    return program;
  }

  async epochPass(data: DataSet, { batchSize, update, onRows }: EpochPassOptions): Promise<EpochPass> {
    const { batch, prefix } = this.#options;
    const source = prefix
      ? await prefix.cache.get(
          data,
          prefix.key,
          () => this.#prefix(prefix, data, onRows),
          () => {},
        )
      : featureRows(data);
    const batches = new Map<number, Batch>();
    for (const size of batchSizes(data.rows, batchSize)) batches.set(size, await this.#batch(batch(size, update)));
    const sources = { batchSize, batches, source, targets: targetRows(data) };
    return { run: (order, options) => this.#run(order, sources, options) };
  }

  async #batch({ graph, source, targets, loss, update }: BatchGraph): Promise<Batch> {
    const x = this.#machine.allocate(4 * elements(source));
    const wanted = this.#machine.allocate(4 * elements(targets));
    const given = [[source, x] as const, [targets, wanted] as const];
    const program = await this.#program(graph, given, { given: [source], outputs: [loss], update });
    return { program, source, x, targets, wanted, loss: program.place(loss) };
  }

  async #run(
    order: Uint32Array,
    { batchSize, batches, source, targets }: PassSources,
    { step, onStep, signal }: PassOptions = {},
  ): Promise<Means> {
    const machine = this.#machine;
    const { yieldIfDue } = this.#host;
    let [loss, hits] = [0, 0];
    let reported = performance.now();
    signal?.throwIfAborted();
    for (let start = 0, i = 0; start < order.length; start += batchSize, i++) {
      const rows = Math.min(batchSize, order.length - start);
      const batch = batches.get(rows)!;
      const x = machine.floats(batch.x, elements(batch.source));
      const wanted = machine[batch.targets.dtype === 'u32' ? 'words' : 'floats'](batch.wanted, elements(batch.targets));
      for (let row = 0; row < rows; row++) {
        source(order[start + row]!, x, (row * x.length) / rows);
        targets(order[start + row]!, wanted, (row * wanted.length) / rows);
      }
      await batch.program.run(step?.(i), yieldIfDue);
      const losses = machine.floats(batch.loss, 2 * rows);
      for (let row = 0; row < rows; row++) {
        loss += losses[2 * row]!;
        hits += losses[2 * row + 1]!;
      }
      if (onStep) {
        const done = start + rows;
        const due = performance.now() - reported > MEANS_EVERY_MS;
        await onStep(done, due ? { loss: loss / done, accuracy: hits / done } : undefined);
        if (due) reported = performance.now();
      }
      await yieldIfDue();
      signal?.throwIfAborted();
    }
    return { loss: loss / order.length, accuracy: hits / order.length };
  }

  /** The frozen prefix of every row, in chunks. */
  async #prefix(prefix: Prefix, data: DataSet, onRows?: (rows: number) => unknown): Promise<CopyRow> {
    const machine = this.#machine;
    const { yieldIfDue } = this.#host;
    const mark = machine.mark();
    const { graph, x, value } = prefix.graph(Math.min(CHUNK, data.rows));
    const [rows, columns] = value.shape as [number, number];
    const at = machine.allocate(4 * elements(x));
    const program = await this.#program(graph, [[x, at]], { outputs: [value] });
    const copy = featureRows(data);
    const chunks: Float32Array[] = [];
    for (let start = 0; start < data.rows; start += rows) {
      this.#options.signal?.throwIfAborted();
      const count = Math.min(rows, data.rows - start);
      const input = machine.floats(at, elements(x));
      for (let row = 0; row < count; row++) copy(start + row, input, row * rowSize(data));
      await program.run(undefined, yieldIfDue);
      chunks.push(machine.floats(program.place(value), count * columns).slice());
      await onRows?.(start + count);
      await yieldIfDue();
    }
    program.dispose();
    machine.release(mark);
    return (index, to, place) => {
      const from = (index % rows) * columns;
      to.set(chunks[Math.floor(index / rows)]!.subarray(from, from + columns), place);
    };
  }

  async download(states?: Map<string, Float32Array<ArrayBuffer>>): Promise<void> {
    const copy = (name: string, length: number) => this.#machine.floats(this.#parameters.get(name)!, length).slice();
    for (const [name, { length }] of this.#model.parameters) this.#model.parameters.set(name, copy(name, length));
    if (states) for (const [name, length] of this.#states) states.set(name, copy(name, length));
  }

  dispose(): void {
    for (const program of this.#programs.splice(0)) program.dispose();
    this.#host.release(this.#machine);
  }
}
