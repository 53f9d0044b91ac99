/**
 * Threads that share the random products: each computes a slice of the units in memory of its own, so pages need not be isolated
 * across origins. Inputs are copied to every thread, outputs back; weights come from the seed, wherever they are needed.
 */
import { WeightlessError } from '../core/errors.ts';
import type { Machine } from './machine.ts';
import type { KernelModules } from './module.ts';
import { type Call, type CpuChoice, type Kept, type RandomProduct, randomMatmul } from './random_matmul.ts';
import source from './worker.source';
import type { Answer, Order } from './worker.ts';

/** Multiply-accumulates from which on a product is shared: less would be done before a message arrives. */
const WORTH = 2 ** 20;
/** The fast ones cost so many times less, and kept weights. */
const CHEAPER = { binary: 8, orthogonal: Number.POSITIVE_INFINITY };
const KEPT_CHEAPER = 4;
/** Multiply-accumulates that this thread does while the others hear of theirs and answer. */
const LEAD = 2 ** 19;
/** Units are split at multiples of this. */
const ALIGNED = 16;
/** Calls of either kind that are timed before the faster one stays. */
const TRIALS = 6;
/** Milliseconds until a thread that does not answer is given up. */
const PATIENCE = 5_000;

/** A thread, in a page or in Node. */
interface Thread {
  post(order: Order, transfer?: Transferable[]): void;
  /** Whether an answer is waited for: only then it keeps a program in Node alive. */
  awaited(is: boolean): void;
  end(): void;
}

interface NodeWorker {
  on(event: 'message' | 'error', listener: (value: never) => void): void;
  postMessage(order: Order, transfer?: Transferable[]): void;
  terminate(): void;
  ref(): void;
  unref(): void;
}

type NodeWorkers = { Worker: new (code: string, options: { eval: true }) => NodeWorker };

function startThread(hear: (answer: Answer) => void, fail: (why: string) => void): Thread {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => NodeWorkers } };
  const node = process?.getBuiltinModule?.('node:worker_threads');
  if (node) {
    const worker = new node.Worker(source, { eval: true });
    worker.on('message', hear);
    worker.on('error', (error: Error) => fail(error.message));
    worker.unref();
    return {
      post: (order, transfer) => worker.postMessage(order, transfer),
      awaited: (is) => (is ? worker.ref() : worker.unref()),
      end: () => worker.terminate(),
    };
  }
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.onmessage = ({ data }: MessageEvent<Answer>) => hear(data);
  worker.onerror = (event) =>
    fail(event.message || 'the page may not start it (worker-src of its content security policy)');
  return {
    post: (order, transfer) => worker.postMessage(order, transfer ?? []),
    awaited() {},
    end() {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}

/** One product on all threads. `dispose` frees what the others hold of it. */
export interface SharedProduct {
  readonly call: (from: number, to: number) => void | Promise<void>;
  dispose(): void;
}

export class Pool {
  readonly #threads: Thread[] = [];
  readonly #waiting = new Map<string, { resolve: (z: Float32Array) => void; reject: (error: Error) => void }>();
  #next = 0;
  /** Why nothing can be shared any more. */
  #ended: WeightlessError | undefined;

  /** Starts `threads` - 1 others. Throws `WeightlessError` where one does not come up. */
  static async start(threads: number, modules: KernelModules): Promise<Pool> {
    const pool = new Pool();
    const starting = Array.from({ length: threads - 1 }, () => pool.#start(modules));
    try {
      await Promise.all(starting);
    } catch (error) {
      pool.dispose();
      throw error;
    }
    return pool;
  }

  /** Threads, this one included. */
  get threads(): number {
    return this.#threads.length + 1;
  }

  #start(modules: KernelModules): Promise<void> {
    const at = this.#threads.length;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => fail('no answer'), PATIENCE);
      const fail = (why: string) => {
        clearTimeout(timer);
        const error = new WeightlessError(`a thread of the CPU backend failed: ${why}`);
        reject(error);
        this.#end(error);
      };
      const hear = (answer: Answer) => {
        if ('ready' in answer) {
          clearTimeout(timer);
          resolve();
          return;
        }
        const key = `${answer.id} ${at}`;
        const waiting = this.#waiting.get(key);
        this.#waiting.delete(key);
        if (![...this.#waiting.keys()].some((other) => other.endsWith(` ${at}`))) this.#threads[at]?.awaited(false);
        if ('z' in answer) waiting?.resolve(answer.z);
        else waiting?.reject(new WeightlessError(`a thread of the CPU backend failed: ${answer.error}`));
      };
      try {
        const thread = startThread(hear, fail);
        this.#threads.push(thread);
        thread.post({ modules });
      } catch (error) {
        fail((error as Error).message);
      }
    });
  }

  #ask(at: number, id: number, x: Float32Array<ArrayBuffer>): Promise<Float32Array> {
    return new Promise((resolve, reject) => {
      if (this.#ended) throw this.#ended;
      this.#waiting.set(`${id} ${at}`, { resolve, reject });
      this.#threads[at]!.awaited(true);
      this.#threads[at]!.post({ id, x }, [x.buffer]);
    });
  }

  /** How many units other threads compute where the product is shared; 0: it is too small for that. */
  unitsElsewhere(product: RandomProduct, kept: boolean): number {
    return product.n - this.#slices(product, kept)[0]!.count;
  }

  /**
   * The product, alone or shared: whichever was faster over the first calls. The results are the same, bit for bit. `kept`: this thread
   * keeps all weights; `keep`: the others keep their slices, until it turns out that alone is faster.
   */
  share(machine: Machine, product: RandomProduct, choice: CpuChoice, kept?: Kept, keep = false): SharedProduct {
    const { m, k, n } = product;
    const alone = randomMatmul(machine, product, choice, kept);
    const [own, ...others] = this.#slices(product, kept !== undefined);
    const id = this.#next++;
    const mine = { count: own!.count, call: randomMatmul(machine, { ...product, n: own!.count }, choice, kept) };
    const part = machine.allocate(4 * m * own!.count);
    others.forEach(({ from, count }, i) => {
      this.#threads[i]!.post({ id, product: { ...product, n: count, from }, choice, keep });
    });
    const together = async (input: number, output: number) => {
      const asked = others.map((_, i) => this.#ask(i, id, machine.floats(input, m * k).slice()));
      mine.call(input, part);
      const answers = await Promise.all(asked);
      const z = machine.floats(output, m * n);
      scatter(machine.floats(part, m * mine.count), z, { m, n, from: 0, count: mine.count });
      answers.forEach((answer, i) => {
        scatter(answer, z, { m, n, ...others[i]! });
      });
    };
    const dispose = () => {
      for (const thread of this.#threads) thread.post({ id, drop: true });
    };
    // Kept weights are there from the second call of each on.
    return { call: fasterOf(alone, together, kept ? 2 : 1, dispose), dispose };
  }

  /** The units of each thread; of this one, so many more than of others as it does before they begin. One slice: too little. */
  #slices({ m, k, n, weights }: RandomProduct, kept: boolean): { from: number; count: number }[] {
    const cheaper = CHEAPER[weights.distribution as keyof typeof CHEAPER] ?? (kept ? KEPT_CHEAPER : 1);
    if (m * k * n < WORTH * cheaper) return [{ from: 0, count: n }];
    const lead = (LEAD * cheaper) / (m * k);
    const each = Math.ceil(Math.max(0, n - lead) / this.threads / ALIGNED) * ALIGNED;
    const own = Math.max(each, n - each * (this.threads - 1));
    const slices = [{ from: 0, count: Math.min(own, n) }];
    for (let from = own; from < n; from += each) slices.push({ from, count: Math.min(each, n - from) });
    return slices;
  }

  #end(why: WeightlessError): void {
    this.#ended ??= why;
    for (const thread of this.#threads.splice(0)) thread.end();
    for (const { reject } of this.#waiting.values()) reject(why);
    this.#waiting.clear();
  }

  /** Ends the threads; what is computed from here on, this one does alone. */
  dispose(): void {
    this.#end(new WeightlessError('the threads of the CPU backend were ended'));
  }
}

/** Columns `from` to `from + count - 1` of z (m, n). */
function scatter(
  part: Float32Array,
  z: Float32Array,
  { m, n, from, count }: { m: number; n: number; from: number; count: number },
): void {
  for (let row = 0; row < m; row++) z.set(part.subarray(row * count, (row + 1) * count), row * n + from);
}

/**
 * Either in turn at first, the first calls of each not counted; then the one whose best time was shorter. Alone too from when a thread
 * fails on; `onAlone` is told.
 */
export function fasterOf(
  alone: Call,
  together: (from: number, to: number) => Promise<void>,
  uncounted: number,
  onAlone: () => void,
) {
  const best: [alone: number, together: number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  let chosen: 0 | 1 | undefined;
  const choose = (which: 0 | 1) => {
    chosen = which;
    if (which === 0) onAlone();
  };
  let calls = 0;
  return (from: number, to: number): void | Promise<void> => {
    if (chosen === undefined && calls === 2 * (uncounted + TRIALS)) choose(best[0] <= best[1] ? 0 : 1);
    const which = chosen ?? ((calls & 1) as 0 | 1);
    const counts = calls >= 2 * uncounted;
    calls++;
    const started = performance.now();
    const done = () => {
      if (counts) best[which] = Math.min(best[which], performance.now() - started);
    };
    if (which === 0) {
      alone(from, to);
      done();
      return undefined;
    }
    return together(from, to).then(done, () => {
      choose(0);
      alone(from, to);
    });
  };
}
