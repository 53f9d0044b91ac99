/** Everything that the bench compares, task by task, with the ceilings of the adapter. */
import type { Task } from './engines/engine.ts';
import { runEnvironment } from './environment.ts';
import { progress } from './progress.ts';
import { buildRows, type Ceilings, findings, type Measured, type Row } from './rows.ts';
import { taskName } from './session.ts';
import type { Target } from './target.ts';
import { FIRST_LOCAL } from './tasks/first-prediction.ts';
import { forwardTasks } from './tasks/forward.ts';
import { trainingTasks } from './tasks/training.ts';

export interface WholeRunOptions {
  /** Fewer shapes and samples. */
  readonly quick: boolean;
  /** Samples an engine. */
  readonly runs?: number;
  readonly filter?: string;
  /** Called after each task, so that an interrupted run leaves its measurements. */
  readonly onRows?: (run: WholeRun) => Promise<void>;
}

export interface WholeRun {
  readonly environment: Readonly<Record<string, unknown>>;
  readonly ceilings: Ceilings;
  readonly rows: readonly Row[];
  readonly findings: readonly string[];
}

/** Limits on the expected time of a call, and on the time for all samples of one engine in a task. */
const LIMITS = { quick: { callMs: 5_000, budgetMs: 1_500 }, full: { callMs: 20_000, budgetMs: 8_000 } };

export async function wholeRun(target: Target, options: WholeRunOptions): Promise<WholeRun> {
  const { quick, runs = quick ? 4 : 12, filter, onRows } = options;
  const chosen = filter ? { filter } : {};
  const session = { runs, ...LIMITS[quick ? 'quick' : 'full'], ...chosen };
  const trained = trainingTasks().slice(0, quick ? 1 : 2);
  const tasks: Task[] = [...forwardTasks(quick), ...trained];
  // Without a filter, a quick run skips the micro benchmarks (except the ceilings) and memory.
  const lean = quick && !filter;
  // The network of the training step and the largest layer: they show the cost of stored weights.
  const memoryTasks = lean ? [] : [...trained, ...(quick ? [] : forwardTasks(false).slice(-2, -1))];
  const bar = progress(tasks.length + memoryTasks.length + 1);
  const environment = { ...runEnvironment(), ...(await target.environment()) };
  const started = performance.now();
  try {
    bar.update(0, 'ceilings of the adapter');
    const { ceilings, rows: measured } = await target.runMicro({ runs, quick, ceilingsOnly: lean, ...chosen });
    const all: Measured[] = [...measured];
    const soFar = (): WholeRun => {
      const rows = buildRows(all, ceilings);
      const seconds = Math.round((performance.now() - started) / 1000);
      return { environment: { ...environment, ceilings, seconds }, ceilings, rows, findings: findings(rows) };
    };
    for (const [i, task] of tasks.entries()) {
      const onProgress = (share: number, label: string) => bar.update(i + share, `${taskName(task)} ${label}`);
      all.push(...(await target.runTask(task, session, onProgress)));
      await onRows?.(soFar());
    }
    for (const [i, task] of memoryTasks.entries()) {
      bar.update(tasks.length + i, 'memory');
      all.push(...(await target.runMemory(task, filter)));
    }
    const onProgress = (share: number, label: string) =>
      bar.update(tasks.length + memoryTasks.length + share, `first prediction ${label}`);
    // Megabytes over a slow network take too long for a quick run.
    all.push(...(await target.runFirst(quick ? 1 : 5, lean ? FIRST_LOCAL : filter, onProgress)));
    return soFar();
  } finally {
    bar.stop();
  }
}
