/** Interleaved timing of prepared calls, independent of engines and tasks. */
import type { Prepared } from './engines/engine.ts';

export interface MeasureOptions {
  /** Number of samples per contender. */
  readonly runs: number;
  /** Minimum length of a sample in milliseconds; default 20. */
  readonly sampleMs?: number;
  /** Time limit for all samples of one contender, which still gets at least one. Default: none. */
  readonly budgetMs?: number;
  /** Called with the number of finished rounds. */
  readonly onRound?: (done: number) => void;
}

/** A call that can be timed. */
export type Callable = Pick<Prepared, 'run' | 'sync'>;

export interface Samples {
  /** Milliseconds per call, one number per sample. */
  readonly ms: number[];
  /** Calls per sample. */
  readonly calls: number;
}

/** Pause between samples, so that one engine's worker threads stop spinning before the next engine is timed. */
const PAUSE_MS = 5;
const MOST_CALLS = 4096;
/** If the first call takes as long as this many samples, it gets no further warm-up. */
const SLOW_CALLS = 25;

/** Wall-clock milliseconds for `calls` calls back to back and one wait at the end. */
export async function timeCalls({ run, sync }: Callable, calls: number): Promise<number> {
  const started = performance.now();
  for (let i = 0; i < calls; i++) {
    const running = run();
    if (running) await running;
  }
  await sync();
  return performance.now() - started;
}

/**
 * Number of calls in a sample of `sampleMs`. The calls made here are the warm-up; the first may include compilation.
 */
async function calibrate(prepared: Callable, sampleMs: number): Promise<number> {
  let calls = 1;
  let ms = await timeCalls(prepared, calls);
  if (ms > SLOW_CALLS * sampleMs) return 1;
  ms = await timeCalls(prepared, calls);
  while (ms < sampleMs / 2 && calls < MOST_CALLS) {
    calls = Math.min(MOST_CALLS, Math.max(2 * calls, Math.floor((sampleMs / 2 / Math.max(ms, 0.01)) * calls)));
    ms = await timeCalls(prepared, calls);
  }
  return Math.max(1, Math.min(MOST_CALLS, Math.ceil((sampleMs * calls) / ms)));
}

/**
 * Samples every contender in turn; each round starts with a different one. The caller must already have made the first
 * call of each (compilation, first use of buffers), as verification does.
 */
export async function measure(contenders: readonly Callable[], options: MeasureOptions): Promise<Samples[]> {
  const { runs, sampleMs = 20, budgetMs = Number.POSITIVE_INFINITY, onRound } = options;
  const states: { prepared: Callable; ms: number[]; calls: number; spent: number }[] = [];
  for (const prepared of contenders) {
    states.push({ prepared, ms: [], calls: await calibrate(prepared, sampleMs), spent: 0 });
  }
  for (let round = 0; round < runs; round++) {
    for (let i = 0; i < states.length; i++) {
      const state = states[(i + round) % states.length]!;
      const last = state.ms.at(-1) ?? 0;
      if (state.ms.length > 0 && state.spent + last * state.calls > budgetMs) continue;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      const ms = await timeCalls(state.prepared, state.calls);
      state.ms.push(ms / state.calls);
      state.spent += ms;
    }
    onRound?.(round + 1);
  }
  return states.map(({ ms, calls }) => ({ ms, calls }));
}
