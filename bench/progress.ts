/** Progress and remaining time on stderr: a bar on a terminal, occasional lines elsewhere. */
import { Presets, SingleBar } from 'cli-progress';

export interface BenchProgress {
  /** Reports `done` of `total`; fractions are allowed. */
  update(done: number, label: string): void;
  stop(): void;
}

/** Milliseconds between two lines without a terminal. */
const LINE_EVERY = 10_000;

export function progress(total: number): BenchProgress {
  const started = performance.now();
  const left = (done: number) => {
    const seconds = done > 0 ? ((performance.now() - started) / 1000) * (total / done - 1) : 0;
    return seconds > 90 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds)} s`;
  };
  if (!process.stderr.isTTY) {
    let last = started;
    return {
      update(done, label) {
        if (performance.now() - last < LINE_EVERY) return;
        last = performance.now();
        console.error(`bench: ${Math.round((100 * done) / total)}% ${label}, about ${left(done)} left`);
      },
      stop() {},
    };
  }
  const bar = new SingleBar(
    {
      format: '{bar} {percentage}% {label} | about {left} left',
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
    },
    Presets.shades_classic,
  );
  bar.start(total, 0, { label: '', left: '' });
  return {
    update: (done, label) => bar.update(done, { label, left: left(done) }),
    stop: () => bar.stop(),
  };
}
