/** Interleaved timing of whatever has been prepared. Knows no engine and no task. */
import type { Prepared } from './engines/engine.ts';

export interface MeasureOptions {
  /** Samples of each. */
  readonly runs: number;
  /** Milliseconds that a sample should take at least; default 20. */
  readonly sampleMs?: number;
  /** Milliseconds that the samples of one contender may take in all; it gets at least one sample. Default: no bound. */
  readonly budgetMs?: number;
  /** Hears how many of `runs` rounds are done. */
  readonly onRound?: (done: number) => void;
}

/** What can be timed. */
export type Callable = Pick<Prepared, 'run' | 'sync'>;

export interface Samples {
  /** Milliseconds a call, one number a sample. */
  readonly ms: number[];
  /** Calls a sample. */
  readonly calls: number;
}

/** Between two samples: lets worker threads of an engine stop spinning before the next engine is timed. */
const PAUSE_MS = 5;
const MOST_CALLS = 4096;
/** A first call that is so many samples long is not called again before it is sampled. */
const SLOW_CALLS = 25;

/** Wall-clock milliseconds of `calls` calls back to back and one wait at their end. */
export async function timeCalls({ run, sync }: Callable, calls: number): Promise<number> {
  const started = performance.now();
  for (let i = 0; i < calls; i++) {
    const running = run();
    if (running) await running;
  }
  await sync();
  return performance.now() - started;
}

/** How many calls make a sample of `sampleMs`. The calls made here are the warm-up; an engine may compile in the first. */
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
 * Samples of every contender, in turn, each round starting with another one. The first call of each (compilation, first use of
 * its buffers) must have been made before: verification does.
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
