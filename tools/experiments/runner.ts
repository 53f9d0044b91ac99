/** Makes runs in child processes. A child that dies costs its run, nothing else. */
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { ExperimentError } from './errors.ts';
import type { BackendChoice } from './lab.ts';
import type { Measured, RunSpec } from './spec.ts';
import type { Answer } from './worker.ts';

export interface Failure {
  readonly spec: RunSpec;
  readonly error: string;
}

export interface RunnerOptions {
  readonly experiment: string;
  readonly backend: BackendChoice;
  /** Child processes; default one for each core where the CPU computes, one for a GPU. */
  readonly jobs?: number;
  /** What children run: this very program. */
  readonly program?: string;
  readonly signal: AbortSignal;
  onResult(spec: RunSpec, measured: Measured): void;
  onFailure(failure: Failure): void;
  /** Shares of the runs that are under way, 0 to 1 each. */
  onProgress(underWay: ReadonlyMap<RunSpec, number>): void;
}

/** Characters of what a child said last that stand in an error. */
const MOST_WORDS = 600;

/** A child process and what it says. */
class Worker {
  readonly #child: ChildProcess;
  #words = '';
  #hear: (answer: Answer | { kind: 'gone'; error: string }) => void = () => {};
  #gone: { kind: 'gone'; error: string } | undefined;

  constructor({ experiment, backend, program = process.argv[1]! }: RunnerOptions) {
    this.#child = fork(program, ['experiment-worker', experiment, '--backend', backend], {
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr!.on('data', (text: Buffer) => {
      this.#words = (this.#words + text.toString()).slice(-MOST_WORDS);
    });
    this.#child.on('message', (answer: Answer) => this.#hear(answer));
    this.#child.on('error', (error) => this.#leave(error.message));
    this.#child.on('close', (code, signal) => this.#leave(signal ? `by ${signal}` : `with code ${code}`));
  }

  #leave(how: string): void {
    if (this.#gone) return;
    const words = this.#words.trim();
    this.#gone = { kind: 'gone', error: `its process ended ${how}${words ? `: ${words}` : ''}` };
    this.#hear(this.#gone);
  }

  get alive(): boolean {
    return !this.#gone;
  }

  /** What the child answers next, progress apart. */
  #answer(
    onShare: (share: number) => void = () => {},
  ): Promise<Exclude<Answer, { kind: 'progress' }> | { kind: 'gone'; error: string }> {
    return new Promise((resolve) => {
      this.#hear = (answer) => (answer.kind === 'progress' ? onShare(answer.share) : resolve(answer));
      if (this.#gone) resolve(this.#gone);
    });
  }

  /** What it runs on. Throws `ExperimentError`. */
  async ready(): Promise<Extract<Answer, { kind: 'ready' }>> {
    const answer = await this.#answer();
    if (answer.kind === 'ready') return answer;
    throw new ExperimentError(
      answer.kind === 'failed'
        ? `${answer.name}: ${answer.message}`
        : `a process of the experiment could not start: ${'error' in answer ? answer.error : ''}`,
    );
  }

  /** The run, or why there is none. */
  async run(spec: RunSpec, onShare: (share: number) => void): Promise<Measured | string> {
    const answer = this.#answer(onShare);
    if (!this.#gone) this.#child.send(spec, () => {}); // where that fails, the child is gone, which is heard
    const made = await answer;
    if (made.kind === 'result') return made.measured;
    return made.kind === 'failed'
      ? `${made.name}: ${made.message}`
      : made.kind === 'gone'
        ? made.error
        : 'it answered out of turn';
  }

  stop(): void {
    this.#child.kill('SIGKILL'); // it has nothing to lose: lines are written by the parent
  }
}

/** Makes all runs, in order as children are free. Throws `ExperimentError` where no child can start, or the signal's reason. */
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
      const tell = (share: number) => {
        underWay.set(current, share);
        onProgress(underWay);
      };
      tell(0);
      const made = await worker.run(spec, tell);
      underWay.delete(spec);
      if (signal.aborted) return;
      if (typeof made === 'string') onFailure({ spec, error: made });
      else onResult(spec, made);
    }
    worker?.stop();
  };
  try {
    const work = async () => {
      // The first says what there is. Where that is the CPU, the others need not look for a GPU, which takes memory.
      const first = await start();
      const { backend } = first.ready;
      const jobs = Math.min(options.jobs ?? (backend === 'cpu' ? availableParallelism() : 1), specs.length);
      const settled: BackendChoice = options.backend === 'auto' && backend === 'cpu' ? 'cpu' : options.backend;
      if (settled !== options.backend) first.worker.stop();
      const kept = settled === options.backend ? first.worker : undefined;
      await Promise.all(Array.from({ length: jobs }, (_, i) => serve(i ? undefined : kept, settled)));
    };
    await Promise.race([work(), stopped]);
  } finally {
    for (const worker of workers) worker.stop();
  }
}
