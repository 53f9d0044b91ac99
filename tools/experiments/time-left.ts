/** How long runs will take, from those that ended: of the same series, else of all. */
import type { RunSpec } from './spec.ts';

export interface TimeLeft {
  ended(spec: RunSpec, seconds?: number): void;
  underWay(runs: ReadonlyMap<RunSpec, number>): void;
  /** In words; empty while nothing is known. */
  text(): string;
}

export function timeLeft(specs: readonly RunSpec[], jobs: number | undefined): TimeLeft {
  const started = performance.now();
  const waiting = new Set(specs);
  const known = new Map<string, number[]>();
  let running: ReadonlyMap<RunSpec, number> = new Map();
  let [measured, most] = [0, jobs ?? 1];
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  return {
    ended(spec, seconds) {
      waiting.delete(spec);
      if (seconds === undefined) return;
      known.set(spec.series, [...(known.get(spec.series) ?? []), seconds]);
      measured += seconds;
    },
    underWay(runs) {
      running = runs;
      most = Math.max(most, runs.size);
    },
    text() {
      const all = [...known.values()].flat();
      if (!all.length) return '';
      const left = [...waiting].reduce((sum, spec) => {
        const expected = mean(known.get(spec.series) ?? all);
        return sum + expected * (1 - (running.get(spec) ?? 0));
      }, 0);
      // Training is not all of a run: what was measured, against what went by.
      const overhead = Math.max(1, (most * (performance.now() - started)) / 1000 / measured);
      return left ? `${duration((left * Math.min(overhead, 3)) / most)} left` : '';
    },
  };
}

/** 40 s, 12 min, 3.5 h. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
