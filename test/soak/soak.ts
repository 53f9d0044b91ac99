/**
 * A soak test: trains, saves, loads and predicts repeatedly, on WebGPU and on the CPU, while it destroys the device at
 * random moments. Interrupted work continues in a new context. Its parameters must match an undisturbed training run
 * bit for bit, and predictions must match the float64 twin. After each round no buffer may remain; memory is recorded.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend } from '../../src/backend/backend.ts';
import { numbers } from '../../src/conformance/case.ts';
import { differs, differsBy } from '../../src/conformance/compare.ts';
import { DeviceLostError } from '../../src/core/errors.ts';
import type { CpuContext } from '../../src/cpu/cpu.ts';
import { type DataSet, dataSet } from '../../src/data/dataset.ts';
import type { Context } from '../../src/gpu/context.ts';
import { boundByName } from '../../src/graph/graph.ts';
import { dense, halfDense } from '../../src/layers/dense.ts';
import type { LayerSpec } from '../../src/layers/specs.ts';
import { forwardGraph, type Model, sequential } from '../../src/model/model.ts';
import { readModel } from '../../src/model/safetensors.ts';
import { saveModel } from '../../src/model/save.ts';
import { nodeGpu } from '../../src/node.ts';
import { createContext } from '../../src/open.ts';
import { createPredictor } from '../../src/predict/predictor.ts';
import { evaluateGraph } from '../../src/reference/graph.ts';
import { cosine, fit } from '../../src/train/fit.ts';
import type { TrainingState } from '../../src/train/training.ts';
import type { Sample } from './memory.ts';

export interface SoakOptions {
  /** Stops after the first round that ends after this time, once at least one device was lost. */
  readonly seconds: number;
  /** Minimum number of rounds. */
  readonly rounds?: number;
  readonly seed: number;
  /** Seconds between two lines of the log. */
  readonly every: number;
  say(line: string): void;
}

export interface SoakResult {
  readonly rounds: number;
  /** Number of completed training runs, and of predictions. */
  readonly trainings: number;
  readonly predictions: number;
  /** Models reloaded from their files with the same bits. */
  readonly files: number;
  /** Number of destroyed devices, and of those destroyed during work. */
  readonly losses: number;
  readonly interrupted: number;
  /** After each round. */
  readonly samples: readonly Sample[];
}

const INPUTS = 12;
const EPOCHS = 3;
const networks: readonly (readonly LayerSpec[])[] = [
  [halfDense({ units: 40, weights: 'binary' }), dense({ units: 3 })],
  [
    halfDense({ units: 24, weights: 'binary', activation: 'tanh' }),
    halfDense({ units: 16, weights: 'binary' }),
    dense({ units: 3 }),
  ],
];
const data: DataSet = dataSet({
  features: numbers(200 * INPUTS, 5),
  shape: [INPUTS],
  labels: Array.from({ length: 200 }, (_, i) => i % 3),
});
/** Rows of a prediction. */
const BATCHES = [1, 5, 20];

const tolerance = { absolute: 1e-4, relative: 1e-4, reason: 'f32 sums over three layers of up to 40 inputs' };

/** The network trained without disturbance, and its outputs in float64. */
interface Wanted {
  readonly parameters: ReadonlyMap<string, Float32Array>;
  readonly answers: readonly Float64Array[];
}

class SoakError extends Error {
  override readonly name = 'SoakError';
}

/** Counts live buffers of a device and their bytes. */
class Buffers {
  count = 0;
  bytes = 0;

  watch(device: GPUDevice): void {
    const create = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => {
      const buffer = create(descriptor);
      const destroy = buffer.destroy.bind(buffer);
      let alive = true;
      buffer.destroy = () => {
        if (alive) {
          this.count--;
          this.bytes -= descriptor.size;
        }
        alive = false;
        return destroy();
      };
      this.count++;
      this.bytes += descriptor.size;
      return buffer;
    };
  }
}

const MIB = 2 ** 20;

/** Runs until the time is up. Throws on differing results and leaked buffers; `checkFlat` checks memory growth. */
export async function soak({ seconds, rounds: least = 0, seed, every, say }: SoakOptions): Promise<SoakResult> {
  let state = seed >>> 0;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const gpu = await nodeGpu();
  const buffers = new Buffers();
  const gone = new WeakSet<Context>();
  const open = async () => {
    const made = await createContext({ gpu });
    buffers.watch(made.device);
    void made.lost.then(() => gone.add(made));
    return made;
  };
  let context = await open();
  const cpu = (await createContext({ backend: 'cpu', threads: 2 })) as CpuContext;
  const folder = mkdtempSync(join(tmpdir(), 'weightless-soak-'));
  const file = join(folder, 'model.safetensors');
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  const counts = { rounds: 0, trainings: 0, predictions: 0, files: 0, losses: 0, interrupted: 0 };
  const samples: Sample[] = [];
  const wanted = new Map<string, Wanted>();
  let spoken = 0;

  /** Runs `work` and destroys the device within about the time that it takes. Returns whether it completed. */
  let usual = 200; // milliseconds
  const finished = async (work: (place: Context) => Promise<void>): Promise<boolean> => {
    const { device } = context;
    const begun = performance.now();
    const timer = random() < 0.6 ? setTimeout(() => device.destroy(), random() * 1.5 * usual) : undefined;
    try {
      await work(context);
      usual = 0.7 * usual + 0.3 * (performance.now() - begun);
      return true;
    } catch (error) {
      if (!(error instanceof DeviceLostError)) throw error;
      counts.interrupted++;
      return false;
    } finally {
      clearTimeout(timer);
    }
  };
  /** Repeats `work` until it completes, with a new context after each device loss. */
  const throughLosses = async (work: (place: Context) => Promise<void>): Promise<void> => {
    for (let done = false; !done; ) {
      done = await finished(work);
      await new Promise((resolve) => setTimeout(resolve, 0)); // lets a loss at the very end be reported
      if (!gone.has(context)) continue;
      counts.losses++;
      context.dispose();
      if (buffers.count) throw new SoakError(`expected no buffer of a lost device, got ${buffers.count}`);
      context = await open();
    }
  };

  const check = (what: string, difference: string | undefined) => {
    if (difference) throw new SoakError(`${what}: ${difference}`);
  };

  const round = async (): Promise<void> => {
    const which = Math.floor(random() * networks.length);
    const place = random() < 0.25 ? 'cpu' : 'webgpu';
    const name = `network ${which} on ${place}`;
    const model = sequential(networks[which]!, { input: [INPUTS], seed: 9 });
    const progress: TrainingState = { epoch: 0, optimizer: new Map() };
    const train = async (where: Backend) => {
      for await (const _ of fit(where, model, data, {
        epochs: EPOCHS,
        batchSize: 32,
        learningRate: cosine(0.02),
        state: progress,
      }));
    };
    const isFirst = !wanted.has(name);
    if (place === 'cpu') await train(cpu);
    else if (isFirst) await train(context);
    else await throughLosses(train);
    counts.trainings++;
    if (isFirst)
      wanted.set(name, { parameters: new Map(model.parameters), answers: BATCHES.map((rows) => answers(model, rows)) });
    const { parameters, answers: want } = wanted.get(name)!;
    writeFileSync(file, saveModel(model));
    const loaded = readModel(readFileSync(file));
    for (const [key, values] of parameters) {
      check(`${name}: ${key}`, differs(model.parameters.get(key)!, values));
      check(`${name}, from its file: ${key}`, differs(loaded.parameters.get(key)!, values));
    }
    counts.files++;
    const predict = async (where: Backend) => {
      const predictor = await createPredictor(where, loaded);
      try {
        for (const [i, rows] of BATCHES.entries()) {
          check(
            `${name}: ${rows} rows`,
            differsBy(await predictor.predict(numbers(rows * INPUTS, rows)), want[i]!, tolerance),
          );
          counts.predictions++;
        }
      } finally {
        await predictor.dispose();
      }
    };
    if (place === 'cpu') await predict(cpu);
    else await throughLosses(predict);
    if (buffers.count)
      throw new SoakError(`${name}: expected no buffer after a round, got ${buffers.count} of ${buffers.bytes} bytes`);
    counts.rounds++;
  };

  const look = () => {
    (globalThis as { gc?: () => void }).gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    samples.push({ seconds: elapsed(), rss: rss / MIB, heap: heapUsed / MIB });
    const over = elapsed() >= seconds && counts.rounds >= least && counts.losses > 0;
    if (!over && elapsed() - spoken < every) return;
    spoken = elapsed();
    const { rounds, trainings, files, predictions, losses, interrupted } = counts;
    say(
      `${Math.round(elapsed())} s: ${rounds} rounds, ${trainings} trainings, ${files} files, ${predictions} predictions, ${losses} devices lost ` +
        `(${interrupted} at work), rss ${(rss / MIB).toFixed(1)} MiB, heap ${(heapUsed / MIB).toFixed(1)} MiB, ` +
        `outside it ${(external / MIB).toFixed(1)} MiB, ${buffers.count} buffers of ${buffers.bytes} bytes`,
    );
  };

  try {
    while (elapsed() < seconds || counts.rounds < least || !counts.losses) {
      await round();
      look();
    }
  } finally {
    context.dispose();
    cpu.dispose();
    rmSync(folder, { recursive: true });
  }
  return { ...counts, samples };
}

function answers(model: Model, rows: number): Float64Array {
  const { graph, x, output } = forwardGraph(model, rows);
  const values = new Map([[x, Float64Array.from(numbers(rows * INPUTS, rows))]]);
  for (const [value, data] of boundByName(graph, model.parameters)) values.set(value, Float64Array.from(data));
  evaluateGraph(graph, values);
  return values.get(output)!;
}
