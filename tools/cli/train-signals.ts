/** `weightless train --task signals`: classifies time series by random kernels and a ridge regression. */
import { performance } from 'node:perf_hooks';
import { adapterName } from '../../src/backend/adapter.ts';
import type { Backend } from '../../src/backend/backend.ts';
import { checkWritable, writeResult } from '../../src/core/files.ts';
import { LARGEST_HALF } from '../../src/core/float16.ts';
import { signalData } from '../../src/data/signal-data.ts';
import { layerName } from '../../src/model/layer-name.ts';
import { predictionLimits } from '../../src/model/limits.ts';
import { setCard } from '../../src/model/preparation-metadata.ts';
import { readModel } from '../../src/model/safetensors.ts';
import { evaluate } from '../../src/train/evaluate.ts';
import { fittedSignalInputs } from '../../src/train/signal-preparation.ts';
import { fitSignals } from '../../src/train/signals.ts';
import { MOST_CHANNELS } from '../../src/weights/random-kernels.ts';
import { dataTitle, openSeries } from '../common/data.ts';
import { bytes, deviation, mean, percent, print, say, seconds, table } from '../common/output.ts';
import { today, trainCard } from './train-card.ts';
import { modelFile, type TrainOptions } from './trained-run.ts';

const taken = ['task', 'data', 'dataDir', 'label', 'header', 'seed', 'runs', 'out', 'card', 'json'] as const;

/** The options of `train` that this task takes. */
export const signalOptions: readonly string[] = [...(taken satisfies readonly (keyof TrainOptions)[]), 'backend'];

/** Features by default, and for signals longer than `LONG` samples: these hold more that can tell classes apart. */
const FEATURES = 2500;
const FEATURES_OF_LONG = 5000;
const LONG = 1024;
/** Weights of a kernel along the signal, the default of `randomKernels1d`. */
const TAPS = 9;

/** Many classes get fewer features, so that the file stays below 40 kB, but not fewer than `LEAST`. */
const LEAST = 1250;
const FILE_BYTES = 40_000;
/** What the file holds beside its numbers, its preparation and the command line. */
const HEADER_BYTES = 1000;
/** Features where the linear layer gets a lower rank: its narrow half takes most of the file. */
const RANKED_FEATURES = 1500;

interface Size {
  readonly features: number;
  readonly dtype: 'F16' | 'I8';
  readonly rank?: number;
}

/**
 * Features, and how the file holds the linear layer: in F16 where it has room for all of them, otherwise in I8, and for
 * many classes at a lower rank too. There is a kernel, with a bias of two bytes, for every two features.
 */
export function sizeOf(
  [length, channels]: readonly [number, number],
  { classes, header }: { classes: number; header: number },
): Size {
  const room = FILE_BYTES - HEADER_BYTES - header - 6 * classes; // a class has a bias and a scale
  // A kernel for two features; a file whose prediction costs more would be refused without a raised limit.
  const affordable =
    2 * Math.floor((0.95 * predictionLimits.multiplyAdds) / (TAPS * length * Math.min(channels, MOST_CHANNELS)));
  const wanted = Math.min(length > LONG ? FEATURES_OF_LONG : FEATURES, affordable);
  if (wanted * (2 * classes + 1) <= room) return { features: wanted, dtype: 'F16' };
  const features = Math.min(wanted, Math.floor(room / (classes + 1)));
  if (features >= Math.min(LEAST, wanted)) return { features, dtype: 'I8' };
  const rank = Math.floor((room - RANKED_FEATURES) / (RANKED_FEATURES + classes + 6));
  return { features: Math.min(RANKED_FEATURES, affordable), dtype: 'I8', rank: Math.max(2, rank) };
}

/** Rows evaluated at a time: features of many rows take memory. */
const EVALUATED = 100;

export async function trainSignals(context: Backend, options: TrainOptions): Promise<void> {
  if (options.out !== undefined) await checkWritable(options.out);
  const series = await openSeries(options);
  const started = performance.now();
  const { train, test, inputs, classes } = signalData(series, await fittedSignalInputs(context, series.train));
  const prepared = (performance.now() - started) / 1000; // part of each fit
  const shape = `${inputs.length} samples${inputs.channels.length > 1 ? ` of ${inputs.channels.length} channels` : ''}`;
  const report = options.json ? () => {} : say;
  report(`${train.rows} training and ${test.rows} test signals, ${shape}, ${classes.length} classes`);
  // Metadata are JSON inside JSON.
  const header = JSON.stringify(JSON.stringify([train.preparation, process.argv.slice(2)])).length;
  const size = sizeOf([inputs.length, inputs.channels.length], { classes: classes.length, header });
  const { dtype } = size;
  const runs: { seed: number; accuracy: number; seconds: number; modelBytes: number }[] = [];
  let first: Uint8Array | undefined;
  for (let seed = options.seed; seed < options.seed + options.runs; seed++) {
    const started = performance.now();
    const fitted = await fitSignals(context, train, { seed, ...size });
    const trained = prepared + (performance.now() - started) / 1000;
    // Features that hardly vary may have weights that F16 has no room for.
    const wide = [...fitted.parameters.values()].some((all) => all.some((value) => Math.abs(value) > LARGEST_HALF));
    const written = () =>
      modelFile(fitted, { dtype: wide ? 'F32' : dtype, ...(options.out !== undefined && { out: options.out }) });
    // What is measured is the file, with its numbers rounded.
    const model = readModel(written());
    const { accuracy, loss } = await evaluate(context, model, test, { batchSize: EVALUATED });
    if (options.card !== false) {
      const from = { name: dataTitle(options), data: train, rows: train.rows, words: process.argv.slice(2) };
      setCard(fitted, trainCard({ ...from, seed, began: today(), test: { rows: test.rows, accuracy, loss } }));
    }
    const file = written();
    first ??= file;
    runs.push({ seed, accuracy, seconds: trained, modelBytes: file.length });
    report(`seed ${seed}: test ${percent(accuracy)}, fitted in ${seconds(trained)}, ${bytes(file.length)}`);
    if (seed === options.seed) report(model.layers.map(layerName).join(', '));
  }
  if (options.out !== undefined) await writeResult(options.out, first!);
  const all = (of: (run: (typeof runs)[number]) => number) => runs.map(of);
  const summary = {
    accuracy: mean(all((run) => run.accuracy)),
    std: deviation(all((run) => run.accuracy)),
    seconds: mean(all((run) => run.seconds)),
    modelBytes: Math.max(...all((run) => run.modelBytes)),
    runs,
    adapter: adapterName(context.adapter),
    file: options.out,
  };
  print(options.json, summary, () =>
    table(
      ['seed', 'test accuracy', 'fitted in', 'model file'],
      runs.map((run) => [run.seed, percent(run.accuracy), seconds(run.seconds), bytes(run.modelBytes)]),
    ),
  );
}
