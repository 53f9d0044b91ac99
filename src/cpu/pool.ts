/**
 * Threads that share random products. Each computes a slice of the units in its own memory, so pages need no
 * cross-origin isolation. Inputs are copied to every thread and outputs back; each thread regenerates its weights from
 * the seed.
 */
import { WeightlessError } from '../core/errors.ts';
import { nodeModule } from '../core/node-modules.ts';
import type { Machine } from './machine.ts';
import type { KernelModules } from './module.ts';
import { type Call, type CpuChoice, type RandomProduct, randomMatmul, type WeightCache } from './random_matmul.ts';
import source from './worker.source';
import type { Order, Reply } from './worker.ts';

/** Products with fewer multiply-accumulates are not shared: they would be done before a message arrives. */
const WORTH = 2 ** 20;
/** How much faster the fast distributions and cached weights are. */
const CHEAPER = { binary: 8, orthogonal: Number.POSITIVE_INFINITY };
const CACHED_CHEAPER = 4;
/** Multiply-accumulates that this thread does during one message round trip to the others. */
const LEAD = 2 ** 19;
/** Units are split at multiples of this. */
const ALIGNED = 16;
/** Number of timed calls of each kind before choosing the faster one. */
const TRIALS = 6;
/** Time limit for a thread's reply in milliseconds. */
const PATIENCE = 5_000;

/** A thread, in a page or in Node. */
interface Thread {
  post(order: Order, transfer?: Transferable[]): void;
  /** Whether a reply is pending. Only then does the thread keep a Node process alive. */
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

function startThread(hear: (reply: Reply) => void, fail: (why: string) => void): Thread {
  const node = nodeModule<NodeWorkers>('node:worker_threads');
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
  if (!('Worker' in globalThis)) throw new WeightlessError('there are no workers here (a service worker has none)');
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.onmessage = ({ data }: MessageEvent<Reply>) => hear(data);
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

/** One product on all threads. `dispose` frees its memory in the other threads. */
export interface SharedProduct {
  readonly call: (from: number, to: number) => void | Promise<void>;
  dispose(): void;
}

export class Pool {
  readonly #threads: Thread[] = [];
  readonly #waiting = new Map<string, { resolve: (z: Float32Array) => void; reject: (error: Error) => void }>();
  #next = 0;
  /** Why sharing is no longer possible. */
  #ended: WeightlessError | undefined;

  /** Starts `threads` - 1 more threads. Throws `WeightlessError` if one fails to start. */
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

  /** Number of threads, this one included. */
  get threads(): number {
    return this.#threads.length + 1;
  }

  #start(modules: KernelModules): Promise<void> {
    const at = this.#threads.length;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => fail('no reply'), PATIENCE);
      const fail = (why: string) => {
        clearTimeout(timer);
        const error = new WeightlessError(`a thread of the CPU backend failed: ${why}`);
        reject(error);
        this.#end(error);
      };
      const hear = (reply: Reply) => {
        if ('ready' in reply) {
          clearTimeout(timer);
          resolve();
          return;
        }
        const key = `${reply.id} ${at}`;
        const waiting = this.#waiting.get(key);
        this.#waiting.delete(key);
        if (![...this.#waiting.keys()].some((other) => other.endsWith(` ${at}`))) this.#threads[at]?.awaited(false);
        if ('z' in reply) waiting?.resolve(reply.z);
        else waiting?.reject(new WeightlessError(`a thread of the CPU backend failed: ${reply.error}`));
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

  /** Number of units that other threads compute if the product is shared; 0 if it is too small to share. */
  unitsElsewhere(product: RandomProduct, cached: boolean): number {
    return product.n - this.#slices(product, cached)[0]!.count;
  }

  /**
   * The product, on this thread or shared, whichever was faster in the first calls. The results are the same, bit for
   * bit. `cache`: the cache of all weights in this thread. `cacheElsewhere`: the other threads cache their slices, until
   * this thread turns out to be faster alone.
   */
  share(
    machine: Machine,
    product: RandomProduct,
    choice: CpuChoice,
    cache?: WeightCache,
    cacheElsewhere = false,
  ): SharedProduct {
    const { m, k, n } = product;
    const alone = randomMatmul(machine, product, choice, cache);
    const [own, ...others] = this.#slices(product, cache !== undefined);
    const id = this.#next++;
    const mine = { count: own!.count, call: randomMatmul(machine, { ...product, n: own!.count }, choice, cache) };
    const part = machine.allocate(4 * m * own!.count);
    others.forEach(({ from, count }, i) => {
      this.#threads[i]!.post({ id, product: { ...product, n: count, from }, choice, cached: cacheElsewhere });
    });
    const together = async (input: number, output: number) => {
      const replies = others.map((_, i) => this.#ask(i, id, machine.floats(input, m * k).slice()));
      mine.call(input, part);
      const slices = await Promise.all(replies);
      const z = machine.floats(output, m * n);
      scatter(machine.floats(part, m * mine.count), z, { m, n, from: 0, count: mine.count });
      slices.forEach((slice, i) => {
        scatter(slice, z, { m, n, ...others[i]! });
      });
    };
    const dispose = () => {
      for (const thread of this.#threads) thread.post({ id, drop: true });
    };
    // Cached weights exist from the second call of each kind on.
    return { call: fasterOf(alone, together, cache ? 2 : 1, dispose), dispose };
  }

  /**
   * The units of each thread. This one gets more: those that it computes before the others start. One slice: no
   * sharing.
   */
  #slices({ m, k, n, weights }: RandomProduct, cached: boolean): { from: number; count: number }[] {
    const cheaper = CHEAPER[weights.distribution as keyof typeof CHEAPER] ?? (cached ? CACHED_CHEAPER : 1);
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

  /** Ends the threads. From then on this thread computes alone. */
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
 * Alternates between both at first, without timing the first call of each, then uses the one with the shorter best
 * time. Also runs alone once a thread has failed. Calls `onAlone` when it stops sharing.
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
