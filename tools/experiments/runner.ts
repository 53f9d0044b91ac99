/** Makes runs in child processes. A child that dies costs only its own run. */
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { ExperimentError } from './errors.ts';
import type { BackendChoice } from './lab.ts';
import type { Measured, RunSpec } from './spec.ts';
import type { Reply } from './worker.ts';

export interface Failure {
  readonly spec: RunSpec;
  readonly error: string;
}

export interface RunnerOptions {
  readonly experiment: string;
  readonly backend: BackendChoice;
  /** Number of child processes; by default one for each core on the CPU, one on a GPU. */
  readonly jobs?: number;
  /** The program of the child processes; by default this one. */
  readonly program?: string;
  readonly signal: AbortSignal;
  onResult(spec: RunSpec, measured: Measured): void;
  onFailure(failure: Failure): void;
  /** Progress of the current runs, from 0 to 1 each. */
  onProgress(current: ReadonlyMap<RunSpec, number>): void;
}

/** Errors quote this many of the last characters that a child wrote to stderr. */
const QUOTED_CHARACTERS = 600;

/** The child process ended. */
interface Gone {
  readonly kind: 'gone';
  readonly error: string;
}

/** A child process and its messages. */
class Worker {
  readonly #child: ChildProcess;
  #stderr = '';
  #onReply: (reply: Reply | Gone) => void = () => {};
  #gone: Gone | undefined;

  constructor({ experiment, backend, program = process.argv[1]! }: RunnerOptions) {
    this.#child = fork(program, ['experiment-worker', experiment, '--backend', backend], {
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr!.on('data', (text: Buffer) => {
      this.#stderr = (this.#stderr + text.toString()).slice(-QUOTED_CHARACTERS);
    });
    this.#child.on('message', (reply: Reply) => this.#onReply(reply));
    this.#child.on('error', (error) => this.#ended(error.message));
    this.#child.on('close', (code, signal) => this.#ended(signal ? `by ${signal}` : `with code ${code}`));
  }

  #ended(how: string): void {
    if (this.#gone) return;
    const stderr = this.#stderr.trim();
    this.#gone = { kind: 'gone', error: `its process ended ${how}${stderr ? `: ${stderr}` : ''}` };
    this.#onReply(this.#gone);
  }

  get alive(): boolean {
    return !this.#gone;
  }

  /** The next reply that is not about progress. */
  #reply(onShare: (share: number) => void = () => {}): Promise<Exclude<Reply, { kind: 'progress' }> | Gone> {
    return new Promise((resolve) => {
      this.#onReply = (reply) => (reply.kind === 'progress' ? onShare(reply.share) : resolve(reply));
      if (this.#gone) resolve(this.#gone);
    });
  }

  /** Resolves to the backend of the child. Throws `ExperimentError` if it can't start. */
  async ready(): Promise<Extract<Reply, { kind: 'ready' }>> {
    const reply = await this.#reply();
    if (reply.kind === 'ready') return reply;
    throw new ExperimentError(
      reply.kind === 'failed'
        ? `${reply.name}: ${reply.message}`
        : `a process of the experiment could not start: ${'error' in reply ? reply.error : ''}`,
    );
  }

  /** The measurements of a run, or why there are none. */
  async run(spec: RunSpec, onShare: (share: number) => void): Promise<Measured | string> {
    const reply = this.#reply(onShare);
    if (!this.#gone) this.#child.send(spec, () => {}); // if this fails, 'close' reports that the child is gone
    const made = await reply;
    if (made.kind === 'result') return made.measured;
    return made.kind === 'failed'
      ? `${made.name}: ${made.message}`
      : made.kind === 'gone'
        ? made.error
        : 'its process sent an unexpected message';
  }

  stop(): void {
    this.#child.kill('SIGKILL'); // the parent writes the results, so the child has nothing to lose
  }
}

/**
 * Makes all runs, each by the next free child. Throws `ExperimentError` if no child can start, and the signal's reason
 * when it aborts.
 */
export async function makeRuns(specs: readonly RunSpec[], options: RunnerOptions): Promise<void> {
  if (!specs.length) return;
  const { signal, onResult, onFailure, onProgress } = options;
  const workers = new Set<Worker>();
  const underWay = new Map<RunSpec, number>();
  const start = async (backend = options.backend) => {
    const worker = new Worker({ ...options, backend });
    workers.add(worker);
    return { worker, ready: await worker.ready() };
  };
  const stopped = new Promise<never>((_, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  stopped.catch(() => {});
  const queue = [...specs];
  const serve = async (first: Worker | undefined, backend: BackendChoice) => {
    let worker = first;
    for (let spec = queue.shift(); spec; spec = queue.shift()) {
      if (!worker?.alive) worker = (await start(backend)).worker;
      const current = spec;
      const report = (share: number) => {
        underWay.set(current, share);
        onProgress(underWay);
      };
      report(0);
      const made = await worker.run(spec, report);
      underWay.delete(spec);
      if (signal.aborted) return;
      if (typeof made === 'string') onFailure({ spec, error: made });
      else onResult(spec, made);
    }
    worker?.stop();
  };
  try {
    const work = async () => {
      // The first child finds out what there is. If that is the CPU, the others don't look for a GPU, which takes memory.
      const first = await start();
      const { backend } = first.ready;
      const jobs = Math.min(options.jobs ?? (backend === 'cpu' ? availableParallelism() : 1), specs.length);
      const settled: BackendChoice = options.backend === 'auto' && backend === 'cpu' ? 'cpu' : options.backend;
      if (settled !== options.backend) first.worker.stop();
      const reused = settled === options.backend ? first.worker : undefined;
      await Promise.all(Array.from({ length: jobs }, (_, i) => serve(i ? undefined : reused, settled)));
    };
    await Promise.race([work(), stopped]);
  } finally {
    for (const worker of workers) worker.stop();
  }
}
