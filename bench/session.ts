/** Runs each task in one interleaved run: prepare, verify, measure. Works the same in a page and in Node. */
import type { Engine, Prepared, Task, TaskData, Variant } from './engines/engine.ts';
import { bytes } from './format.ts';
import { measure } from './measure.ts';
import { type Measured, matches } from './rows.ts';
import {
  type ForwardData,
  forwardBytes,
  forwardData,
  forwardMacs,
  forwardReference,
  forwardTolerance,
} from './tasks/forward.ts';
import { memoryOf } from './tasks/memory.ts';
import {
  type TrainingData,
  trainingData,
  trainingMacs,
  trainingReference,
  trainingTolerance,
  VERIFIED_STEPS,
} from './tasks/training.ts';
import { gpuMilliseconds } from './timestamps.ts';
import { difference } from './verify.ts';

export interface SessionOptions {
  /** Number of samples per engine. */
  readonly runs: number;
  /** Selects the rows to run (`matches`). */
  readonly filter?: string;
  /** Time limit in milliseconds for all samples of one engine, which still gets at least one. */
  readonly budgetMs: number;
  /** Skips engines whose expected time for one call, extrapolated from fewer rows, is longer (milliseconds). */
  readonly callMs: number;
}

/** Called with the finished share of the task. */
export type OnProgress = (share: number, label: string) => void;

/** Milliseconds per call at the largest number of rows so far, by engine and layer. */
const history = new Map<string, { m: number; ms: number }>();

/** An error message short enough for a table. */
const messageOf = (error: unknown): string => String((error as Error)?.message ?? error).slice(0, 500);

export const taskName = (task: Task): string => (task.kind === 'forward' ? 'forward' : `training ${task.network}`);

const shapeOf = (task: Task) =>
  task.kind === 'forward' ? { m: task.m, k: task.k, n: task.n } : { m: task.batch, k: task.inputs, n: task.units };

/** The engines and variants that can do the task and match the filter. */
function contendersOf(
  engines: readonly Engine[],
  task: Task,
  name: string,
  filter: string | undefined,
): { engine: Engine; variant: Variant }[] {
  return engines
    .flatMap((engine) => engine.variants(task).map((variant) => ({ engine, variant })))
    .filter(({ engine, variant }) =>
      matches(filter, { task: name, engine: engine.name, weights: variant.weights, ...shapeOf(task) }),
    );
}

const dataOf = (task: Task): TaskData => (task.kind === 'forward' ? forwardData(task) : trainingData(task));

/** The reference for `resultOf`. */
const reference = (task: Task, variant: Variant, data: TaskData): Float64Array =>
  task.kind === 'forward'
    ? forwardReference(task, variant, data as ForwardData)
    : trainingReference(task, variant, data as TrainingData);

async function resultOf(task: Task, prepared: Prepared): Promise<Float32Array> {
  if (task.kind === 'forward') return prepared.output();
  const losses = new Float32Array(VERIFIED_STEPS);
  for (let i = 0; i < VERIFIED_STEPS; i++) losses[i] = (await prepared.output())[0]!;
  return losses;
}

/** Runs every engine on one task, in turn. A failure becomes a row with its error. */
export async function runTask(
  engines: readonly Engine[],
  task: Task,
  { runs, filter, budgetMs, callMs }: SessionOptions,
  onProgress: OnProgress = () => {},
): Promise<Measured[]> {
  const name = taskName(task);
  const shape = shapeOf(task);
  const contenders = contendersOf(engines, task, name, filter);
  const data = dataOf(task);
  const references = new Map<string, Float64Array>();
  const wanted = (variant: Variant) => {
    const found = references.get(variant.distribution) ?? reference(task, variant, data);
    references.set(variant.distribution, found);
    return found;
  };
  const tolerance = task.kind === 'forward' ? forwardTolerance(task) : trainingTolerance;
  const rows: Measured[] = [];
  const ready: { prepared: Prepared; row: number; key: string; gpu: boolean }[] = [];
  for (const [i, { engine, variant }] of contenders.entries()) {
    const row = {
      task: name,
      engine: engine.name,
      weights: variant.weights,
      peer: engine.peer,
      ...(!engine.gpu && { cpu: true }),
      ...shape,
      macs: task.kind === 'forward' ? forwardMacs(task) : trainingMacs(task, variant),
      ...(task.kind === 'forward' && { bytes: forwardBytes(task, variant) }),
    };
    onProgress((0.5 * i) / contenders.length, `${engine.name} ${variant.weights}`);
    const key = `${name} ${engine.name} ${variant.weights} ${shape.k}x${shape.n}`;
    const before = history.get(key);
    const expected = before ? (before.ms * shape.m) / before.m : 0;
    if (before && before.m >= 8 && expected > callMs) {
      const why = `left out: ${before.ms.toFixed(0)} ms at ${before.m} rows make ${(expected / 1000).toFixed(0)} s a call`;
      rows.push({ ...row, error: `${why}, past the ${(callMs / 1000).toFixed(0)} s bound` });
      continue;
    }
    let prepared: Prepared | undefined;
    try {
      prepared = await engine.prepare(task, variant, data);
      const wrong = difference(await resultOf(task, prepared), wanted(variant), tolerance);
      const note = prepared.note;
      rows.push({ ...row, verified: wrong === undefined, ...(wrong && { error: wrong }), ...(note && { note }) });
      ready.push({ prepared, row: rows.length - 1, key, gpu: engine.gpu });
    } catch (error) {
      rows.push({ ...row, error: messageOf(error) });
      await prepared?.dispose();
    }
  }
  try {
    // GPU engines first, then CPU engines: a software adapter needs every core, and idle threads of others keep
    // spinning.
    const groups = [true, false].map((gpu) => ready.filter((one) => one.gpu === gpu));
    let sampled = 0;
    for (const group of groups) {
      const onRound = (done: number) => {
        const share = (sampled + (group.length * done) / runs) / ready.length;
        onProgress(0.5 + 0.5 * share, `${group[0]?.gpu ? 'GPU' : 'CPU'} sample ${done} of ${runs}`);
      };
      const contenders = group.map(({ prepared }) => prepared);
      const measured = await measure(contenders, { runs, budgetMs, onRound });
      sampled += group.length;
      for (const [i, { ms, calls }] of measured.entries()) {
        const { row, key, prepared } = group[i]!;
        // An extra column, which must not cost a slow engine much time.
        const gpuMs = calls * Math.min(...ms) < budgetMs / 4 ? await gpuMilliseconds(prepared, calls) : undefined;
        rows[row] = { ...rows[row]!, samples: ms, calls, ...(gpuMs && { gpuMs }) };
        history.set(key, { m: shape.m, ms: Math.min(...ms) });
      }
    }
  } catch (error) {
    // A failure during sampling, such as a lost device, leaves the task without figures; the run continues.
    const message = `measuring: ${messageOf(error)}`;
    for (const { row } of ready) rows[row] = { ...rows[row]!, error: message };
  }
  for (const { prepared } of ready) await prepared.dispose();
  return rows;
}

/** Bytes of GPU buffers that each engine holds. No times. */
export async function runMemory(
  engines: readonly Engine[],
  task: Task,
  filter: string | undefined,
): Promise<Measured[]> {
  const name = `memory ${taskName(task)}`;
  const rows: Measured[] = [];
  for (const { engine, variant } of contendersOf(engines, task, name, filter)) {
    if (!engine.gpu) continue;
    const row = { task: name, engine: engine.name, weights: variant.weights, peer: engine.peer, ...shapeOf(task) };
    try {
      const { held, peak } = await memoryOf(engine, task, variant, dataOf(task));
      rows.push({ ...row, value: held, unit: 'bytes held', note: `at most ${bytes(peak)}` });
    } catch (error) {
      rows.push({ ...row, error: messageOf(error) });
    }
  }
  return rows;
}
