/** A model on the CPU kernels, ready to predict. */
import type { Forward } from '../backend/backend.ts';
import { DataError } from '../core/errors.ts';
import { boundByName } from '../graph/graph.ts';
import { forwardGraph, inputSize, type Model, outputSize } from '../model/model.ts';
import type { CpuHost } from './host.ts';
import type { Machine } from './machine.ts';
import { Program } from './program.ts';

interface Prepared {
  readonly rows: number;
  readonly program: Program;
  readonly x: number;
  readonly output: number;
}

/** Rows of one run; a larger batch takes several. */
const MAX_ROWS = 64;

/** Owns the memory of one model. It is prepared for one batch size at a time. */
export class CpuForward implements Forward {
  readonly #model: Model;
  readonly #machine: Machine;
  readonly #parameters: ReadonlyMap<string, number>;
  readonly #mark: number;
  readonly #host: CpuHost;
  #prepared: Prepared | undefined;
  /** Preparations and computations run one after another: they share one memory. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(host: CpuHost, machine: Machine, model: Model) {
    this.#model = model;
    this.#host = host;
    this.#machine = machine;
    this.#parameters = new Map([...model.parameters].map(([name, values]) => [name, machine.place(values)]));
    this.#mark = machine.mark();
  }

  static async create(host: CpuHost, model: Model): Promise<CpuForward> {
    return new CpuForward(host, await host.machine(), model);
  }

  /** Bytes of its memory, without those of other threads. */
  get memoryBytes(): number {
    return this.#machine.bytes;
  }

  compute(data: Float32Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>> {
    return this.#inTurn(() => this.#compute(data));
  }

  async prepare(rows: number): Promise<void> {
    if (!Number.isSafeInteger(rows) || rows < 1) throw new DataError(`prepare: expected 1 row or more, got ${rows}`);
    await this.#inTurn(() => this.#prepare(Math.min(rows, MAX_ROWS)));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #compute(data: Float32Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>> {
    const columns = inputSize(this.#model);
    const outputs = outputSize(this.#model);
    const rows = data.length / columns;
    const result = new Float32Array(rows * outputs);
    for (let start = 0; start < rows; start += MAX_ROWS) {
      const count = Math.min(MAX_ROWS, rows - start);
      const { program, x, output } = await this.#prepare(count);
      this.#machine.floats(x, count * columns).set(data.subarray(start * columns, (start + count) * columns));
      await program.run();
      result.set(this.#machine.floats(output, count * outputs), start * outputs);
    }
    return result;
  }

  async #prepare(rows: number): Promise<Prepared> {
    const pool = await this.#host.pool();
    if (this.#prepared?.rows === rows) return this.#prepared;
    const machine = this.#machine;
    this.#end();
    machine.release(this.#mark);
    const { graph, x, output } = forwardGraph(this.#model, rows);
    const input = machine.allocate(4 * rows * inputSize(this.#model));
    const places = new Map([[x, input], ...boundByName(graph, this.#parameters)]);
    const program = await Program.create(machine, graph, {
      places,
      outputs: [output],
      keepWeights: this.#host.keepWeights,
      ...(pool && { pool }),
    });
    this.#prepared = { rows, program, x: input, output: program.place(output) };
    return this.#prepared;
  }

  dispose(): Promise<void> {
    return this.#inTurn(async () => {
      this.#end();
      this.#host.release(this.#machine);
    });
  }

  #end(): void {
    this.#prepared?.program.dispose();
    this.#prepared = undefined;
  }
}
