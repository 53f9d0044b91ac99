/** Runs as plain data: their options and their measurements. */

/** One run: everything that its measurements depend on. Its key is unique. */
export interface RunSpec {
  readonly key: string;
  /** The key without the seed: the same for runs that differ only in their seeds. */
  readonly series: string;
  /** A data set by name, or a folder of IDX files. */
  readonly data: string;
  /** As for `weightless train --layers`; the word `classes` stands for the number of classes of the data. */
  readonly network: string;
  readonly seed: number;
  readonly epochs: number;
  readonly batch: number;
  readonly rate: number;
  /** Use only the first rows of the training and test data; default all. */
  readonly trainRows?: number;
  readonly testRows?: number;
  /** Rows held out of the training data, to choose by. */
  readonly validationRows?: number;
  /** Pixels by which copies of the training images are moved in each direction; default: no copies. */
  readonly shift?: number;
  /** How half layers start; default `calibrated`. */
  readonly start?: Start;
  /** Further options of the experiment's own `measure`. */
  readonly extra?: Readonly<Record<string, string | number | boolean>>;
}

/** Calibrated to the data; u = 1 and b = 0; or u so large that the random weights act as if they had variance 1. */
export type Start = 'calibrated' | 'auto' | 'scaled' | 'raw';

export interface Epoch {
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
  /** After the epoch, over the validation rows if the run has any, else over the test data. */
  readonly heldOutLoss: number;
  readonly heldOutAccuracy: number;
  readonly seconds: number;
}

/** The measurements of a run. */
export interface Measured {
  /** With the word `classes` replaced. */
  readonly network: string;
  readonly testAccuracy: number;
  readonly validationAccuracy?: number;
  /** Test accuracy of the model read back from its F16 file; absent if a number is too large for F16. */
  readonly testAccuracyF16?: number;
  readonly trainedParameters: number;
  readonly regeneratedWeights: number;
  readonly modelBytes: number;
  readonly modelBytesF16?: number;
  /** Median wall-clock time of one prediction for one row. */
  readonly predictMs: number;
  /** Wall-clock time of the training with frozen prefix and validation, without loading the data. */
  readonly trainSeconds: number;
  /** CPU time of the training over all threads, which a busy machine does not lengthen. */
  readonly trainCpuSeconds: number;
  /** Peak memory (resident set) of the process in this run, data set and frozen prefix included. */
  readonly peakRssBytes: number;
  readonly history: readonly Epoch[];
  /** Test rows by [label][prediction]. */
  readonly confusion: readonly (readonly number[])[];
  readonly backend: 'webgpu' | 'cpu';
  readonly adapter: string;
  /** Further measurements by the experiment's own `measure`. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** A line of a results file. */
export interface Result extends Measured {
  readonly key: string;
  readonly experiment: string;
  readonly data: string;
  readonly seed: number;
  readonly spec: RunSpec;
  readonly version: string;
  /** When the run ended, ISO 8601. */
  readonly date: string;
}

type Given = Pick<RunSpec, 'data' | 'network' | 'seed' | 'epochs'> &
  Partial<Omit<RunSpec, 'key' | 'series' | 'data' | 'network' | 'seed' | 'epochs'>>;

/** The run with its key. Defaults: batches of 128, a learning rate of 0.004. */
export function runSpec(given: Given): RunSpec {
  const spec = { batch: 128, rate: 0.004, ...given };
  const { data, network, seed, epochs, batch, rate, trainRows, testRows, validationRows, shift, start, extra } = spec;
  const rows = [
    ...(trainRows ? [`${trainRows} rows`] : []),
    ...(testRows ? [`${testRows} test rows`] : []),
    ...(validationRows ? [`${validationRows} rows held out`] : []),
    ...(shift ? [`shifted by ${shift}`] : []),
  ];
  const others = [
    ...(start && start !== 'calibrated' ? [`${start} start`] : []),
    ...Object.entries(extra ?? {}).map(([name, value]) => `${name} ${value}`),
  ];
  const parts = [data, network, [`${epochs} epochs of ${batch} at ${rate}`, ...rows].join(', '), ...others];
  const series = parts.join(' | ');
  return { key: `${series} | seed ${seed}`, series, ...spec };
}
